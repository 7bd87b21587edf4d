"""Train the network from sound to lip motion on a prepared folder; resumes where it was stopped.

python -m recipes.train_motion PREPARED/train PREPARED/val RUN
"""

import argparse
from pathlib import Path

from voicelip.training.clips import PreparedClips
from voicelip.training.motion import MotionConfig, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("train", type=Path)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=MotionConfig.steps)
    parser.add_argument("--seed", type=int, default=MotionConfig.seed)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    config = MotionConfig(steps=arguments.steps, seed=arguments.seed)
    train(config, PreparedClips.open(arguments.train), PreparedClips.open(arguments.held_out), arguments.out)


if __name__ == "__main__":
    main()
