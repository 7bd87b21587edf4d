"""Sharpen a trained renderer with a discriminator and the sync expert; resumes where it was stopped.

python -m recipes.train_gan PREPARED/train PREPARED/val RUN --renderer A/renderer.pt --expert B/sync_expert.pt
"""

from pathlib import Path

from recipes.command import parser, run
from voicelip.training.gan import GanConfig, train


def main() -> None:
    made = parser(__doc__, "gan.yaml")
    made.add_argument("--renderer", type=Path, required=True, help="the trained renderer's renderer.pt")
    made.add_argument("--expert", type=Path, required=True, help="the trained expert's sync_expert.pt")
    run(
        made,
        GanConfig,
        lambda config, folders, held_out, arguments: train(
            config, folders, held_out, arguments.renderer, arguments.expert, arguments.out
        ),
    )


if __name__ == "__main__":
    main()
