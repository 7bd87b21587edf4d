"""From the 68 points of FAN (and dlib, and 300-W) to the 478 of Face Mesh.

A mean face of Face Mesh's points is turned and scaled until its own 68 places lie on the given ones (weak
perspective), and then bent: the differences that remain are carried to all points by a biharmonic spline
(r in three dimensions, with an affine part). So lips and eyes follow the 68, and what they do not show, such
as the forehead, follows the head.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from voicelip import hub

POINTS = 68
JAW = slice(0, 17)  # in the 2-D convention the visible outline, not fixed places of the skin

# Which Face Mesh points each of the 68 lies on, or amid, in the order of the 68. Checked with a detector that
# was trained on 300-W (dlib's) on GRID: mean distance to these places 0.02 inter-ocular distances.
_JAW = ((127,), (234,), (93, 132), (132, 58), (58, 172), (136,), (150, 149), (176, 148), (152,),
        (377, 400), (378, 379), (365,), (288, 397), (361, 288), (323, 361), (454,), (356,))  # fmt: skip
_BROWS = ((70,), (63,), (105, 66), (66, 107), (107,), (336,), (336, 296), (296, 334), (293,), (300,))
_NOSE = ((168,), (6, 197), (195,), (4,), (75, 98), (97,), (2,), (326,), (305, 327))
_EYES = (
    (33,),
    (159, 160),
    (158,),
    (133,),
    (153,),
    (144,),
    (362,),
    (385,),
    (386, 387),
    (263,),
    (373,),
    (380,),
)
_OUTER_LIP = (
    (61,),
    (39, 40),
    (37,),
    (0,),
    (267,),
    (269, 270),
    (291,),
    (321, 405),
    (314,),
    (17,),
    (84,),
    (91, 181),
)
_INNER_LIP = ((78,), (82,), (13,), (312,), (308,), (317,), (14,), (87,))
_MESH_PLACES: tuple[tuple[int, ...], ...] = _JAW + _BROWS + _NOSE + _EYES + _OUTER_LIP + _INNER_LIP
_STIFFNESS = 1e-3  # ridge on the spline: it passes this near to the points, in inter-ocular distances


@dataclass(frozen=True)
class MeshFitter:
    """Fits `template` (478, 3), a mean face in inter-ocular distances, y down, z away from the camera."""

    template: np.ndarray

    @classmethod
    def load(cls) -> "MeshFitter":
        """With the mean face that ships with voicelip."""
        return cls(np.load(hub.pretrained("face_mesh_template.npz"))["points"].astype(np.float64))

    def fit(self, points: np.ndarray) -> np.ndarray:
        """`points` (68, 2), or (68, 3) with depth, in px → (478, 3) float32 in px."""
        has_depth = points.shape[1] == 3
        posed = self._posed(points)
        rest = np.zeros((POINTS, 3))
        rest[:, : points.shape[1]] = points - sixty_eight(posed)[:, : points.shape[1]]
        if not has_depth:
            rest[:, 2] = 0
        return (posed + self._spread @ rest).astype(np.float32)

    def _posed(self, points: np.ndarray) -> np.ndarray:
        """The template turned, scaled and moved onto `points`, by least squares."""
        used = np.ones(POINTS, bool)
        used[JAW] = points.shape[1] == 3
        source, target = sixty_eight(self.template)[used], points[used]
        centre = source.mean(axis=0)
        solved, *_ = np.linalg.lstsq(source - centre, target - target.mean(axis=0), rcond=None)
        axes = solved.T[:2]
        left, singular, right = np.linalg.svd(axes, full_matrices=False)
        across = left @ right  # the nearest two rows of a rotation
        rotation = np.vstack([across, np.cross(across[0], across[1])])
        placed = singular.mean() * (self.template - centre) @ rotation.T
        placed[:, :2] += target[:, :2].mean(axis=0)
        if points.shape[1] == 3:
            placed[:, 2] += target[:, 2].mean()
        return placed

    @cached_property
    def _spread(self) -> np.ndarray:
        """(478, 68): how far each mesh point goes along with each of the 68."""
        knots = sixty_eight(self.template)
        system = np.zeros((POINTS + 4, POINTS + 4))
        system[:POINTS, :POINTS] = _distances(knots, knots) - _STIFFNESS * np.eye(POINTS)
        system[:POINTS, POINTS:] = _affine(knots)
        system[POINTS:, :POINTS] = _affine(knots).T
        basis = np.hstack([_distances(self.template, knots), _affine(self.template)])
        return np.linalg.solve(system, basis.T)[:POINTS].T


def sixty_eight(mesh: np.ndarray) -> np.ndarray:
    """The 68 points of a face's mesh points: (…, 478, D) → (…, 68, D)."""
    return np.stack([mesh[..., list(places), :].mean(axis=-2) for places in _MESH_PLACES], axis=-2)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None] - b[None], axis=-1)


def _affine(points: np.ndarray) -> np.ndarray:
    return np.hstack([np.ones((len(points), 1)), points])
