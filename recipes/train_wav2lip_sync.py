"""Train Wav2Lip's sync expert as published, on faces (prepare_lips --crops face); resumes where it stopped.

python -m recipes.train_wav2lip_sync FACES/train FACES/val RUN [--start lipsync_expert.pth]
"""

from pathlib import Path

from recipes.command import parser, run
from voicelip.training.wav2lip_sync import Wav2LipSyncConfig, train


def main() -> None:
    made = parser(__doc__, "wav2lip_sync.yaml")
    made.add_argument("--start", type=Path, help="a published checkpoint to go on from")
    run(
        made,
        Wav2LipSyncConfig,
        lambda config, folders, held_out, arguments: train(
            config, folders, held_out, arguments.out, arguments.start
        ),
    )


if __name__ == "__main__":
    main()
