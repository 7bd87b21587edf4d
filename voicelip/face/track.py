"""One person's face through a clip."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np


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
