"""Train the network from sound to lip motion on prepared folders; resumes where it was stopped.

python -m recipes.train_motion PREPARED/train PREPARED/val RUN [--config FILE] [--set steps=4000]
"""

from recipes.command import parser, run
from voicelip.training.motion import MotionConfig, train


def main() -> None:
    run(
        parser(__doc__, "motion.yaml"),
        MotionConfig,
        lambda config, folders, held_out, arguments: train(config, folders, held_out, arguments.out),
    )


if __name__ == "__main__":
    main()
