"""Train Wav2Lip's generator as published, on faces (prepare_lips --crops face); resumes where it stopped.

python -m recipes.train_wav2lip FACES/train FACES/val RUN --expert lipsync_expert.pth
       [--config recipes/configs/wav2lip_gan.yaml] [--start wav2lip.pth]
"""

from pathlib import Path

from recipes.command import parser, run
from voicelip.training.wav2lip import Wav2LipConfig, train


def main() -> None:
    made = parser(__doc__, "wav2lip.yaml")
    made.add_argument("--expert", type=Path, required=True, help="the trained sync expert")
    made.add_argument("--start", type=Path, help="a published generator to go on from")
    made.add_argument("--start-discriminator", type=Path, help="its discriminator, if it has one")
    run(
        made,
        Wav2LipConfig,
        lambda config, folders, held_out, arguments: train(
            config,
            folders,
            held_out,
            arguments.expert,
            arguments.out,
            arguments.start,
            arguments.start_discriminator,
        ),
    )


if __name__ == "__main__":
    main()
