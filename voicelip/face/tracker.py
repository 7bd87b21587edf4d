"""Follows one face through the frames of a clip, detecting only when the landmarks lose it.

The landmark network gives the next frame's region by itself; the detector runs at the start, after a cut, and when the
presence score falls.
"""

import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from voicelip.face.blazeface import BlazeFace, Detection
from voicelip.face.mesh import FaceMesh, Mesh, Region, yaw_deg
from voicelip.face.track import FaceStatus, FaceTrack

_MIN_PRESENCE = 0.5
_MAX_YAW_DEG = 50.0
_CHECK_EVERY = 25  # frames between two looks whether the region still holds a face the detector agrees with
_RETRY_EVERY = 5  # frames between two searches while there is no face
_CUT_THRESHOLD = 30.0  # mean absolute grey difference of 32x32 thumbnails that means a new shot

Choose = Callable[[np.ndarray, list[Detection]], Detection | None]


def largest(image: np.ndarray, faces: list[Detection]) -> Detection | None:
    """The default choice: `faces` come largest first."""
    return faces[0] if faces else None


def by_index(index: int) -> Choose:
    """The `index`-th face counted from the left of the picture, from 0."""

    def choose(image: np.ndarray, faces: list[Detection]) -> Detection | None:
        ordered = sorted(faces, key=lambda face: face.centre[0])
        return ordered[index] if index < len(ordered) else None

    return choose


@dataclass
class _State:
    region: Region | None = None
    since_check: int = 0
    thumbnail: np.ndarray | None = None
    shot: int = 0
    points: list[np.ndarray] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    yaws: list[float] = field(default_factory=list)
    shots: list[int] = field(default_factory=list)


class FaceTracker:
    """BlazeFace + Face Mesh over a stream of frames."""

    def __init__(self, detector: BlazeFace, mesh: FaceMesh) -> None:
        self._detector = detector
        self._mesh = mesh

    @classmethod
    def from_task(cls, path: Path) -> "FaceTracker":
        """From MediaPipe's `face_landmarker.task`, a zip of TFLite files; only the two named members are read."""
        with zipfile.ZipFile(path) as task:
            return cls(BlazeFace(task.read("face_detector.tflite")), FaceMesh(task.read("face_landmarks_detector.tflite")))

    def track(self, images: Iterable[np.ndarray], choose: Choose = largest) -> FaceTrack:
        """Track one face through `images`, each (H, W, 3) uint8 RGB; streams, keeps only the landmarks."""
        state = _State()
        for index, image in enumerate(images):
            self._advance(state, image, index, choose)
        return FaceTrack(
            np.array(state.points, np.float32).reshape(-1, 478, 2),
            np.array(state.status, np.int8),
            np.array(state.yaws, np.float32),
            np.array(state.shots, np.int32),
        )

    def faces(self, image: np.ndarray) -> list[Detection]:
        """Every face that the detector finds, largest first."""
        return self._detector.detect(image)

    def landmarks(self, image: np.ndarray, face: Detection) -> Mesh:
        """Landmarks of one detected face, refined once so that a loose box does no harm."""
        mesh = self._mesh.landmarks(image, Region.of_detection(face))
        if mesh.presence < _MIN_PRESENCE:
            return mesh
        return self._mesh.landmarks(image, Region.of_points(mesh.points))

    def _advance(self, state: _State, image: np.ndarray, index: int, choose: Choose) -> None:
        if self._is_cut(state, image):
            state.shot += 1
            state.region = None
            state.since_check = _RETRY_EVERY
        mesh = self._follow(state, image)
        if mesh is None and (index == 0 or state.since_check >= _RETRY_EVERY or state.region is not None):
            mesh = self._search(state, image, choose)
        state.since_check += 1
        state.shots.append(state.shot)
        if mesh is None:
            state.region = None
            state.points.append(np.full((478, 2), np.nan, np.float32))
            state.status.append(FaceStatus.NO_FACE)
            state.yaws.append(np.nan)
            return
        state.region = Region.of_points(mesh.points)
        yaw = yaw_deg(mesh.points)
        state.points.append(mesh.points[:, :2])
        state.status.append(FaceStatus.TURNED_AWAY if abs(yaw) > _MAX_YAW_DEG else FaceStatus.TRACKED)
        state.yaws.append(yaw)

    def _follow(self, state: _State, image: np.ndarray) -> Mesh | None:
        """Landmarks from the last frame's region, unless they lost the face."""
        if state.region is None:
            return None
        mesh = self._mesh.landmarks(image, state.region)
        if mesh.presence < _MIN_PRESENCE:
            return None
        if state.since_check >= _CHECK_EVERY:
            state.since_check = 0
            # A face that slid onto another one, or onto a wall, keeps a good presence score: ask the detector.
            centre = mesh.points[:, :2].mean(axis=0)
            faces = self._detector.detect(image)
            if faces and not any(_holds(face, centre) for face in faces):
                return None
        return mesh

    def _search(self, state: _State, image: np.ndarray, choose: Choose) -> Mesh | None:
        state.since_check = 0
        faces = self._detector.detect(image)
        if state.region is not None:  # lost a moment ago: the same person is the one nearby
            near = [f for f in faces if np.hypot(f.centre[0] - state.region.x, f.centre[1] - state.region.y) < state.region.side / 2]
            faces = near or faces
        face = choose(image, faces)
        if face is None:
            return None
        mesh = self.landmarks(image, face)
        return mesh if mesh.presence >= _MIN_PRESENCE else None

    @staticmethod
    def _is_cut(state: _State, image: np.ndarray) -> bool:
        grey = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA).mean(axis=2)
        previous, state.thumbnail = state.thumbnail, grey
        return previous is not None and float(np.abs(grey - previous).mean()) > _CUT_THRESHOLD


def _holds(face: Detection, point: np.ndarray) -> bool:
    x, y, w, h = face.box
    return bool(x <= point[0] <= x + w and y <= point[1] <= y + h)
