"""The head's geometry: ICT-FaceKit's morphable mesh, split at its texture seams and ready to deform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

# Mesh vertices of the 68 points in iBUG order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, lips 48-67.
LANDMARK_VERTICES = np.array([
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443,
    268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509,
    978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360,
    1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732,
    5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841,
    5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
])  # fmt: skip


@dataclass(frozen=True)
class FaceKit:
    """ICT-FaceKit light. Centimetres, y up, z towards the viewer.

    Geometry lives on `vertices`; drawing uses "corners", one per (vertex, texture coordinate) pair.
    """

    vertices: np.ndarray  # (V, 3) float32, the mean neutral head
    identity_deltas: np.ndarray  # (100, V, 3) float16, unit steps of principal components
    expression_deltas: np.ndarray  # (57, V, 3) float16
    expression_names: tuple[str, ...]
    material_names: tuple[str, ...]
    quads: np.ndarray  # (Q, 4) int32 into vertices
    triangles: np.ndarray  # (F, 3) int32 into vertices
    corner_triangles: np.ndarray  # (F, 3) int32 into corners
    corner_vertex: np.ndarray  # (C,) int32: the vertex of each corner
    corner_uv: np.ndarray  # (C, 2) float32
    triangle_material: np.ndarray  # (F,) int8 into material_names

    def material(self, name: str) -> int:
        return self.material_names.index(name)

    def material_vertices(self, *names: str) -> np.ndarray:
        """Sorted vertex indices used by the named materials."""
        ids = [self.material(name) for name in names]
        return np.unique(self.triangles[np.isin(self.triangle_material, ids)])

    @cached_property
    def edges(self) -> np.ndarray:
        """(E, 2) int32, each triangle edge once."""
        t = self.triangles
        pairs = np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1)
        return np.unique(pairs, axis=0)

    def deform(self, identity: np.ndarray, expression: Mapping[str, float]) -> np.ndarray:
        """(V, 3) float32 for identity coefficients (K <= 100) and expression weights by FaceKit name."""
        result = self.vertices.copy()
        for coefficient, delta in zip(identity, self.identity_deltas, strict=False):
            if coefficient:
                result += np.float32(coefficient) * delta
        for name, weight in expression.items():
            if weight:
                result += np.float32(weight) * self.expression_deltas[self.expression_names.index(name)]
        return result


def load_facekit(path: str | Path) -> FaceKit:
    """Read the arrays of ICT-FaceKit (an .npz: see docs/presenter.md)."""
    with np.load(path) as data:
        quads, quads_uv = data["quads"], data["quads_uv"]
        material = data["quad_material"]
        triangles, kept = triangulate(quads)
        triangles_uv = np.concatenate([quads_uv[:, [0, 1, 2]], quads_uv[:, [0, 2, 3]]])[kept]
        pairs = np.stack([triangles.ravel(), triangles_uv.ravel()], axis=1)
        corners, corner_of = np.unique(pairs, axis=0, return_inverse=True)
        return FaceKit(
            vertices=data["vertices"].astype(np.float32),
            identity_deltas=data["identity_deltas"],
            expression_deltas=data["expression_deltas"],
            expression_names=tuple(str(name) for name in data["expression_names"]),
            material_names=tuple(str(name) for name in data["material_names"]),
            quads=quads,
            triangles=triangles,
            corner_triangles=corner_of.reshape(-1, 3).astype(np.int32),
            corner_vertex=corners[:, 0].astype(np.int32),
            corner_uv=data["uv"][corners[:, 1]].astype(np.float32),
            triangle_material=np.concatenate([material, material])[kept],
        )


def triangulate(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quads (Q, 4) -> triangles (F, 3) and the mask of the 2Q candidates kept (degenerate ones go)."""
    candidates = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    a, b, c = candidates.T
    kept = (a != b) & (b != c) & (a != c)
    return candidates[kept], kept


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3) float32."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.empty_like(vertices)
    for axis in range(3):
        weights = np.repeat(face[:, axis], 3)
        normals[:, axis] = np.bincount(triangles.ravel(), weights, minlength=len(vertices))
    return normalised(normals)


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length one; zero rows stay zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(length, 1e-9)).astype(np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(3, 3) float32; radians. Yaw turns to the viewer's right, pitch looks down, roll tilts to the right."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)
