"""One face through a stretch of one shot, on disk: read where it is needed."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from voicelip.face.track import FaceTrack


@dataclass(frozen=True, eq=False)
class StoredPiece:
    """A `Piece` on disk. `face`, `person` and `shot` are its numbers (a person has several faces, one or more
    for each shot), its frames are `start` to `stop` of the clip.

    The arrays are (T,), and small enough to be kept for all pieces at once: `status` int8 of FaceStatus,
    `opening` float32 of the mouth over the inter-ocular distance, and `iod` float32 px, that distance; NaN
    where there is no face. So is `centre` (T, 2) float32 px, the face's middle. `looks` (N, D) float32.
    """

    face: int
    shot: int
    start: int
    stop: int
    file: Path
    person: int = -1

    @property
    def status(self) -> np.ndarray:
        return self._small["status"]

    @property
    def opening(self) -> np.ndarray:
        return self._small["opening"]

    @property
    def centre(self) -> np.ndarray:
        return self._small["centre"]

    @property
    def iod(self) -> np.ndarray:
        return self._small["iod"]

    @property
    def looks(self) -> np.ndarray:
        with np.load(self.file, allow_pickle=False) as stored:
            return stored["looks"]

    def track(self) -> FaceTrack:
        """Its landmarks, read anew every time."""
        with np.load(self.file, allow_pickle=False) as stored:
            status, yaw_deg = stored["status"], stored["yaw_deg"]
            points = stored["points"].astype(np.float32) + stored["centre"][:, None]
        return FaceTrack(points, status, yaw_deg, np.full(len(status), self.shot, np.int32))

    @cached_property
    def _small(self) -> dict[str, np.ndarray]:
        with np.load(self.file, allow_pickle=False) as stored:
            return {name: stored[name] for name in ("status", "opening", "centre", "iod")}
