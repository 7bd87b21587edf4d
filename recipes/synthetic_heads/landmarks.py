"""Where the 478 points of Face Mesh lie on FaceKit's head: ground truth for any shape, pose and picture.

`face_mesh_points.npz` was derived by `fit_landmarks` and holds, per point, a triangle and weights in it; for
the inner lips a place along the visible rim instead, since the rim runs over other vertices as a mouth opens;
for the jaw a linear correction.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from voicelip.face.points import INNER_LIP, JAW, LEFT_EYE_OUTER, RIGHT_EYE_OUTER, inter_ocular_px

from .lips import Lips
from .mesh import LANDMARK_VERTICES

STORED = Path(__file__).with_name("face_mesh_points.npz")
LOWER_INNER, UPPER_INNER = INNER_LIP[1:10], INNER_LIP[11:][::-1]  # image left to right, without the corners
BRIDGE, CHIN = LANDMARK_VERTICES[27], LANDMARK_VERTICES[8]


@dataclass(frozen=True)
class Correspondence:
    """Where each point lies on the mesh.

    `triangles` (478, 3) and `weights` (478, 3) in them; `upper`, `lower` (9,): shares 0..1 of the inner
    rims, image left to right; `rim_offset` (2,): how far Face Mesh sees these beside the rims, in distances
    of the outer eye corners; `jaw` (30, 137): what is added to the 15 jaw points, from `outline` and 1, both
    with the eyes level and in the same unit.
    """

    triangles: np.ndarray
    weights: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    rim_offset: np.ndarray
    jaw: np.ndarray

    @classmethod
    def load(cls, path: Path = STORED) -> Correspondence:
        with np.load(path, allow_pickle=False) as stored:
            return cls(*(stored[field.name] for field in fields(cls)))

    def save(self, path: Path) -> None:
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        small = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in arrays.items()}
        np.savez_compressed(path, **small)


class MeshPoints:
    """The 478 points on the vertices of one FaceKit."""

    def __init__(self, lips: Lips, stored: Correspondence) -> None:
        self._lips = lips
        self._triangles, self._weights = stored.triangles, stored.weights.astype(np.float64)
        self._upper, self._lower = stored.upper, stored.lower
        self._rim_offset = stored.rim_offset.astype(np.float64)
        self._jaw = stored.jaw.astype(np.float64)

    @property
    def vertices(self) -> np.ndarray:
        """Those that `place` looks at."""
        return np.unique(
            np.concatenate([self._triangles.ravel(), self._lips.loops.ravel(), LANDMARK_VERTICES])
        )

    def place(self, vertices: np.ndarray) -> np.ndarray:
        """(478, 2) float32 px from the projected vertices (V, 2+) of a picture, y down.

        Where the lips touch, upper and lower inner points coincide.
        """
        flat = vertices[:, :2].astype(np.float64)
        points = np.einsum("ijk,ij->ik", flat[self._triangles], self._weights)
        level = eye_frame(points)
        features = np.append(outline(flat, level), 1.0)
        points[list(JAW)] += (self._jaw @ features).reshape(-1, 2) @ level.T
        up = upward(flat)
        upper, lower = self._lips.edges(flat, up)
        above, below = along(upper, self._upper), along(lower, self._lower)
        overlap = np.minimum((above - below) @ up, 0)[:, None] * up / 2
        offset = self._rim_offset * inter_ocular_px(points)
        points[list(UPPER_INNER)] = above - overlap + offset
        points[list(LOWER_INNER)] = below + overlap + offset
        return points.astype(np.float32)


def eye_frame(points: np.ndarray) -> np.ndarray:
    """(2, 2) matrix from units of the outer eye corners' distance, along it and down, to px of `points`."""
    x, y = points[RIGHT_EYE_OUTER] - points[LEFT_EYE_OUTER]
    return np.array([[x, -y], [y, x]])


def outline(vertices: np.ndarray, level: np.ndarray) -> np.ndarray:
    """(136,) the 68 landmark vertices of (V, 2) about their middle, in an `eye_frame`."""
    places = vertices[LANDMARK_VERTICES]
    return ((places - places.mean(axis=0)) @ np.linalg.inv(level).T).ravel()


def upward(vertices: np.ndarray) -> np.ndarray:
    """(2,) unit vector of the head's upward direction in a picture with vertices (V, 2)."""
    way = vertices[BRIDGE] - vertices[CHIN]
    return way / np.linalg.norm(way)


def along(edge: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points (K, 2) at shares 0..1 of a rim's columns (C, 2)."""
    place = share * (len(edge) - 1)
    first = np.minimum(place.astype(int), len(edge) - 2)
    part = (place - first)[:, None]
    return edge[first] * (1 - part) + edge[first + 1] * part
