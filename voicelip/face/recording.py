"""What was seen of one face, frame by frame, until enough is known to judge it."""

import numpy as np

from voicelip.face.covered import LOOK_SIZE, look
from voicelip.face.mesh import Mesh, pitch_deg, yaw_deg
from voicelip.face.portrait import portrait
from voicelip.face.settle import Evidence, settle
from voicelip.face.track import FaceStatus, FaceTrack

_NO_POINTS = np.full((478, 2), np.nan, np.float32)
_NO_LOOK = np.full(LOOK_SIZE, np.nan, np.float16)


class Recording:
    """Landmarks of one face and what else `settle` wants to know, some kB a frame."""

    def __init__(self) -> None:
        self._points: list[np.ndarray] = []
        self._angles: list[tuple[float, float]] = []
        self._looks: list[np.ndarray] = []
        self._presence: list[float] = []
        self._shot: list[int] = []
        self._blank: list[bool] = []

    def __len__(self) -> int:
        return len(self._shot)

    def keep(self, image: np.ndarray, mesh: Mesh | None, shot: int, is_blank: bool) -> None:
        """Record one frame: the face's landmarks, or None if it was not seen."""
        self._shot.append(shot)
        self._blank.append(is_blank)
        if mesh is None:
            self._points.append(_NO_POINTS)
            self._angles.append((np.nan, np.nan))
            self._presence.append(np.nan)
            self._looks.append(_NO_LOOK)
            return
        self._points.append(mesh.points[:, :2].copy())
        self._angles.append((yaw_deg(mesh.points), pitch_deg(mesh.points)))
        self._presence.append(mesh.presence)
        self._looks.append(look(portrait(image, mesh.points)))

    def settled(self) -> FaceTrack:
        """All that was recorded, each frame with its final status."""
        angles = np.array(self._angles, np.float32).reshape(-1, 2)
        found = np.isfinite(angles[:, 0])
        followed = FaceTrack(
            np.array(self._points, np.float32).reshape(-1, 478, 2),
            np.where(found, FaceStatus.TRACKED, FaceStatus.NO_FACE).astype(np.int8),
            angles[:, 0],
            np.array(self._shot, np.int32),
        )
        looks = np.array(self._looks, np.float16).reshape(-1, LOOK_SIZE)
        return settle(
            followed, Evidence(looks, np.array(self._presence), angles, np.array(self._blank, bool))
        )

    def forget(self, frames: int) -> None:
        """Drop the first `frames`."""
        for values in self._all:
            del values[:frames]

    def forget_after(self, frames: int) -> None:
        """Drop what follows the first `frames`."""
        for values in self._all:
            del values[frames:]

    @property
    def _all(self) -> tuple[list, ...]:
        return self._points, self._angles, self._looks, self._presence, self._shot, self._blank
