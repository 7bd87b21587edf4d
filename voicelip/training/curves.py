"""What a training shows of itself: a line on the terminal, TensorBoard curves, a picture to look at."""

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from voicelip.training.stage import Scores


class Curves:
    """Writes below `out`: event files in `curves/`, if TensorBoard is installed, and `NAME_samples.png`."""

    def __init__(self, out: Path, name: str, first_step: int, seconds: float) -> None:
        self._sheet = out / f"{name}_samples.png"
        self._board = _board(out / "curves", first_step)
        self._began = time.monotonic() - seconds

    @property
    def seconds(self) -> float:
        """Spent on the run so far, those before it was resumed included."""
        return time.monotonic() - self._began

    def losses(self, step: int, means: dict[str, float], rate: float) -> None:
        self._scalars(step, {**{f"loss/{name}": value for name, value in means.items()}, "rate": rate})
        shown = " ".join(f"{name} {value:.4f}" for name, value in means.items())
        print(f"step {step} {shown} ({self.seconds:.0f} s)", flush=True)

    def scores(self, step: int, scores: Scores) -> None:
        self._scalars(step, {f"held_out/{name}": value for name, value in scores.values.items()})
        print(f"step {step} {scores.line} ({self.seconds:.0f} s)", flush=True)
        if scores.sheet is not None:
            cv2.imwrite(str(self._sheet), cv2.cvtColor(scores.sheet, cv2.COLOR_RGB2BGR))
            if self._board:
                self._board.add_image("samples", scores.sheet, step, dataformats="HWC")

    def close(self) -> None:
        if self._board:
            self._board.close()

    def _scalars(self, step: int, values: dict[str, float]) -> None:
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)


def _board(folder: Path, first_step: int) -> Any:
    """TensorBoard's writer, or None without TensorBoard; what a killed run wrote past its state is hidden."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("no curves: TensorBoard is missing (pip install 'voicelip[train]')", flush=True)
        return None
    return SummaryWriter(str(folder), purge_step=first_step)


def sheet(rows: list[list[np.ndarray]], enlarge: int = 2) -> np.ndarray:
    """Pictures (H, W, 3) in 0-1, one size, as one picture: uint8, each px `enlarge` wide."""
    grid = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    pixels = np.clip(np.rint(grid * 255), 0, 255).astype(np.uint8)
    return pixels.repeat(enlarge, axis=0).repeat(enlarge, axis=1)
