"""A moment of a head: what its face does, how it is turned, and from where it is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .mesh import normalised, rotation

PIVOT = np.array([0.0, -6.0, -2.0], np.float32)  # where the head turns on the neck, cm


@dataclass(frozen=True)
class Frame:
    """One moment. Angles in radians, lengths in cm."""

    expression: Mapping[str, float] = field(default_factory=dict)  # FaceKit weights on top of the rest
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    breath: float = 0.0  # cm the shoulders are lifted
    frame_height: float = 37.0  # cm of the scene the picture is high, at the face
    centre: tuple[float, float] = (0.0, -0.6)  # cm, the scene's point in the middle of the picture
    distance: float = 90.0  # cm from the camera to the face
    tongue: tuple[float, float] = (0.0, 0.0)  # cm its tip is lifted, and brought forward
    seal_cm: float | None = None  # lips in contact touch and gaps up to this close; None: as the weights say

    @property
    def turn(self) -> np.ndarray:
        """(3, 3) rotation of the head."""
        return rotation(self.yaw, self.pitch, self.roll)


class Camera:
    """A lens in front of the face."""

    def __init__(self, frame: Frame, rows: int, columns: int) -> None:
        self.position = np.array([frame.centre[0], frame.centre[1], frame.distance + 8.0])
        self._scale = rows / frame.frame_height * frame.distance
        self._middle = (columns / 2, rows / 2)

    def project(self, world: np.ndarray) -> np.ndarray:
        """(N, 3) cm -> (N, 3) float32: x, y in samples, reciprocal depth."""
        offset = world - self.position.astype(np.float32)
        inverse = -1 / offset[:, 2]
        x = self._middle[0] + offset[:, 0] * inverse * self._scale
        y = self._middle[1] - offset[:, 1] * inverse * self._scale
        return np.stack([x, y, inverse], axis=1).astype(np.float32)


def added(rest: dict[str, float], more: Mapping[str, float]) -> dict[str, float]:
    """`rest` with further weights, in place."""
    for name, weight in more.items():
        rest[name] = rest.get(name, 0.0) + weight
    return rest


def moved(points: np.ndarray, follow: np.ndarray, frame: Frame) -> np.ndarray:
    """Points (N, 3) at rest, turned and shifted as far as each follows (N,) the head."""
    away = (points - PIVOT) @ frame.turn.T + PIVOT + np.array(frame.shift, np.float32)
    result = points + (away - points) * follow[:, None]
    result[:, 1] += frame.breath * (1 - follow)
    return result


def turned(normals: np.ndarray, follow: np.ndarray, frame: Frame) -> np.ndarray:
    """Unit normals (N, 3) likewise."""
    return normalised(normals + (normals @ frame.turn.T - normals) * follow[:, None])
