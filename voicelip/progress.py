"""How long-running work tells its caller how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called as work advances; must return quickly and may be called from one thread only."""

    def __call__(self, stage: str, done: float, total: float | None, unit: str = "") -> None:
        """Report that `done` of `total` units (bytes, frames, …) of `stage` are finished.

        `total` is None when it is not known beforehand. `done == total` ends the stage.
        """


def silent(stage: str, done: float, total: float | None, unit: str = "") -> None:
    """A `Progress` that shows nothing."""
