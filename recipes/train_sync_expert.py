"""Train the sync expert (do mouths and sound belong together?); resumes where it was stopped.

python -m recipes.train_sync_expert PREPARED/train PREPARED/val RUN [--config FILE] [--set steps=4000]
"""

from recipes.command import parser, run
from voicelip.training.sync import SyncConfig, train


def main() -> None:
    run(
        parser(__doc__, "sync_expert.yaml"),
        SyncConfig,
        lambda config, folders, held_out, arguments: train(config, folders, held_out, arguments.out),
    )


if __name__ == "__main__":
    main()
