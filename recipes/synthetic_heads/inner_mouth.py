"""What lies behind the lips: teeth one by one, gums, a tongue that moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from .mesh import FaceKit
from .textures import linear, smoothstep

FIRST_OF_TONGUE = 16593  # FaceKit's vertices from here on, among those of gums and tongue
_GUMS = (176.0, 88.0, 86.0)  # the material's own colour, 8-bit sRGB
_BACKS = (5.0, 9.75)  # z in cm from where the tongue is fixed to where its tip lies


@dataclass(frozen=True)
class InnerMouth:
    """How one person's teeth, gums and tongue differ from FaceKit's. Colours are 8-bit sRGB albedos."""

    teeth_width: float = 1.0  # of each tooth about its own middle; below one there are gaps
    teeth_length: float = 1.0
    crooked: float = 0.0  # cm and radians/2 by which single teeth stand out of line
    uneven: float = 0.0  # contrast of shade from tooth to tooth
    missing: int = -1  # number of a tooth, or none
    recessed: float = 0.0  # cm the rows lie further back than FaceKit's
    lowered: float = 0.0  # cm the upper row hangs lower
    gums: tuple[float, float, float] = _GUMS
    tongue: tuple[float, float, float] = _GUMS
    rooted: float = 0.0  # how much darker and yellower teeth are towards the gums
    seed: int = 0


class MouthParts:
    """Teeth and tongue of one FaceKit."""

    def __init__(self, kit: FaceKit) -> None:
        self._count = len(kit.vertices)
        self._rest = kit.vertices
        self._gums = kit.material_vertices("M_GumsTongue")
        self._tongue = self._gums[self._gums >= FIRST_OF_TONGUE]
        self._tongue = self._tongue[kit.vertices[self._tongue, 1] < -2.5]
        self.teeth = _pieces(kit, "M_Teeth")
        fixed, tip = _BACKS
        along = smoothstep(fixed, tip, kit.vertices[self._tongue, 2])
        self._bend = (along**1.6)[:, None].astype(np.float32)

    def displacement(self, mouth: InnerMouth) -> np.ndarray:
        """(V, 3) cm to add to a head at rest."""
        rng = np.random.default_rng(mouth.seed)
        result = np.zeros((self._count, 3), np.float32)
        for number, tooth in enumerate(self.teeth):
            points = self._rest[tooth]
            middle = points.mean(axis=0)
            is_upper = middle[1] > -3.3
            size = np.array([mouth.teeth_width, mouth.teeth_length, mouth.teeth_width])
            roots = np.array([0, 0.8 if is_upper else -0.8, 0])
            anchor = middle + roots  # teeth grow from the gums
            moved = anchor + (points - anchor) * size
            tilt, out = rng.normal(0, 0.5 * mouth.crooked), rng.normal(0, mouth.crooked)
            moved[:, 0] += -tilt * (points[:, 1] - anchor[1])
            moved[:, 2] += out + 0.5 * rng.normal(0, mouth.crooked) * (points[:, 0] - middle[0])
            moved[:, 1] += rng.normal(0, 0.6 * mouth.crooked)
            if number == mouth.missing:
                moved = middle + (points - middle) * 0.02 + 0.75 * roots - np.array([0, 0, 0.6])
            result[tooth] = moved - points
        rows = np.concatenate([*self.teeth, self._gums[self._gums < FIRST_OF_TONGUE]])
        result[rows, 2] -= mouth.recessed
        upper = rows[self._rest[rows, 1] > -3.6]
        result[upper, 1] -= mouth.lowered * smoothstep(-3.6, -3.2, self._rest[upper, 1])
        return result

    def move_tongue(self, shape: np.ndarray, lift: float, out: float) -> None:
        """Raise the tip by `lift` cm and bring it `out` cm towards the lips, in place."""
        shape[self._tongue, 1:] += self._bend * np.array([lift, out], np.float32)
        shape[self._tongue, 1] -= (
            np.float32(0.35 * out) * self._bend[:, 0] ** 3
        )  # over the lower teeth, then down

    def tints(self, mouth: InnerMouth) -> np.ndarray:
        """(V, 3) factors of the materials' colours."""
        rng = np.random.default_rng(mouth.seed + 1)
        result = np.ones((self._count, 3), np.float32)
        own = linear(*_GUMS)
        result[self._gums] = linear(*mouth.gums) / own
        result[self._tongue] = linear(*mouth.tongue) / own
        for tooth in self.teeth:
            result[tooth] = 1 + mouth.uneven * rng.normal(0, 1) * np.array([0.7, 1.0, 1.5])
            root = np.abs(self._rest[tooth, 1] + 3.4)  # yellower and darker towards the gums
            darker = mouth.rooted * np.array([0.4, 0.6, 1.0])
            result[tooth] *= 1 - smoothstep(0.3, 1.1, root)[:, None] * darker
        return np.clip(result, 0.2, 1.5)


def _pieces(kit: FaceKit, material: str) -> list[np.ndarray]:
    """Vertices of each connected piece of a material, image left to right, upper ones first."""
    triangles = kit.triangles[kit.triangle_material == kit.material(material)]
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    size = len(kit.vertices)
    _, label = connected_components(csr_matrix((np.ones(len(ends)), ends.T), (size, size)), directed=False)
    used = np.unique(triangles)
    pieces = [used[label[used] == piece] for piece in np.unique(label[used])]
    middles = [kit.vertices[piece].mean(axis=0) for piece in pieces]
    order = sorted(range(len(pieces)), key=lambda i: (middles[i][1] < -3.3, middles[i][0]))
    return [pieces[i] for i in order]
