"""Train the renderer from motion to pixels on prepared folders; resumes where it was stopped.

python -m recipes.train_renderer PREPARED/train PREPARED/val RUN [--config FILE] [--set steps=3000]
"""

from recipes.command import parser, run
from voicelip.training.renderer import RendererConfig, train


def main() -> None:
    run(
        parser(__doc__, "renderer.yaml"),
        RendererConfig,
        lambda config, folders, held_out, arguments: train(config, folders, held_out, arguments.out),
    )


if __name__ == "__main__":
    main()
