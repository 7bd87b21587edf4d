"""One person's face through a clip."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np

_EASE_FRAMES = 5
_FADING_DEG = (36.0, 50.0)  # a head turned to the side is left to its own mouth little by little


class FaceStatus(IntEnum):
    """What is known of the face in one frame; only TRACKED frames are regenerated."""

    TRACKED = 0
    NO_FACE = 1
    TURNED_AWAY = 2
    COVERED = 3


@dataclass(frozen=True)
class FaceTrack:
    """`points` (T, 478, 2) float32 in frame px, NaN where no face; `status` (T,) int8 of `FaceStatus`,
    `yaw_deg` (T,) float32, `shot` (T,) int32: the running number of the camera shot."""

    points: np.ndarray
    status: np.ndarray
    yaw_deg: np.ndarray
    shot: np.ndarray

    def __len__(self) -> int:
        return len(self.status)

    @property
    def tracked(self) -> np.ndarray:
        """(T,) bool: the frames with a usable face."""
        return self.status == FaceStatus.TRACKED

    def runs(self) -> Iterator[slice]:
        """Maximal stretches of tracked frames within one shot."""
        key = np.where(self.tracked, self.shot, -1)
        edges = np.flatnonzero(np.diff(key)) + 1
        bounds = [0, *edges.tolist(), len(key)]
        for start, stop in pairwise(bounds):
            if stop > start and key[start] >= 0:
                yield slice(start, stop)

    def opacity(self) -> np.ndarray:
        """(T,) float32 in 0–1: how much of a new mouth each frame may show.

        It falls to 0 where the head turns to profile, and over a few frames towards those of the same shot
        that stay as they are, so that nothing jumps. At cuts, and where the clip begins or ends, it stays 1.
        """
        result = np.interp(np.abs(np.nan_to_num(self.yaw_deg)), _FADING_DEG, (1.0, 0.0)).astype(np.float32)
        result[~self.tracked] = 0
        for run in self.runs():
            into, out_of = self._continues(run.start - 1, run.start), self._continues(run.stop, run.stop - 1)
            length = run.stop - run.start
            ease = np.ones(length, np.float32)
            steps = np.arange(1, length + 1) / (_EASE_FRAMES + 1)
            if into:
                ease = np.minimum(ease, steps)
            if out_of:
                ease = np.minimum(ease, steps[::-1])
            result[run] *= ease
        return result

    def _continues(self, outside: int, inside: int) -> bool:
        """Whether a frame beyond a run's end exists and belongs to the same shot."""
        return 0 <= outside < len(self) and self.shot[outside] == self.shot[inside]
