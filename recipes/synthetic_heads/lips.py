"""The lips where they meet: edge loops around the mouth, contact without gaps, and the visible opening."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from .mesh import FaceKit
from .textures import smoothstep

# The middle of the upper lip on edge loops around the mouth, from the red of the lip to its inside.
LOOP_STARTS = (5522, 5527, 5526, 5533, 5532, 5531, 5534)
RIM = 3  # the loop along which the resting lips meet
SOFT_CM = 0.55  # how far from the rim a lip gives way
STICKY_CM = (0.09, 0.20)  # lips nearer than the first stay together; beyond the second they are free


class Lips:
    """Edge loops (R, N) of the mouth, column for column from the middle of the upper lip to image right."""

    def __init__(self, kit: FaceKit) -> None:
        neighbours = _neighbours(kit.quads)
        self.loops = np.array([_loop(neighbours, kit, start) for start in LOOP_STARTS])
        rim = kit.vertices[self.loops[RIM]]
        right, left = int(rim[:, 0].argmax()), int(rim[:, 0].argmin())
        count = len(rim)
        self.corners = (left, right)
        self.upper = np.r_[left + 1 : count, 0:right]  # columns from image left to image right
        self.lower = np.arange(left - 1, right, -1)
        self._prepare_contact(kit)

    def _prepare_contact(self, kit: FaceKit) -> None:
        """How much each vertex gives way (V,), and to which lip it belongs: 1 upper, -1 lower."""
        rest = kit.vertices
        ends = rest[self.loops[RIM][[*self.corners]]]
        self._half_width = float(ends[:, 0].max())
        inside = np.unique(
            np.concatenate([kit.material_vertices("M_Face", "M_BackHead"), self.loops.ravel()])
        )
        x, y, z = rest[inside].T
        middle = self._contact(rest, np.clip(x, ends[:, 0].min(), ends[:, 0].max()))
        reach = np.exp(-(((y - middle) / SOFT_CM) ** 2))
        near = smoothstep(1.15, 0.95, np.abs(x) / self._half_width) * smoothstep(8.5, 9.6, z)
        self.vertices = inside[reach * near > 0.01]
        kept = np.isin(inside, self.vertices)
        self._give = (reach * near)[kept].astype(np.float32)
        self._side = np.where(y > middle, 1.0, -1.0)[kept].astype(np.float32)
        self._side[np.isin(self.vertices, self.loops[:, self.upper])] = 1
        self._side[np.isin(self.vertices, self.loops[:, self.lower])] = -1

    def edges(self, shape: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Visible rims: (U, D) lowest points of the upper lip's columns and (L, D) highest of the lower's.

        `shape` (V, D) in space or in a picture; `up` (D,) is the head's upward direction there.
        """
        places = shape[self.loops]  # (R, N, D)
        height = places @ up
        upper = np.take_along_axis(places, height.argmin(0)[None, :, None], 0)[0]
        lower = np.take_along_axis(places, height.argmax(0)[None, :, None], 0)[0]
        return upper[self.upper], lower[self.lower]

    def _contact(self, shape: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Height of the line between the lips at x."""
        upper, lower = self.edges(shape, np.array([0, 1, 0], np.float32))
        return (np.interp(x, upper[:, 0], upper[:, 1]) + np.interp(x, lower[:, 0], lower[:, 1])) / 2

    def seal(self, shape: np.ndarray, closed: float = 0.0) -> None:
        """Let lips in contact touch, in place: (V, 3) cm. None runs through the other, none leaves a slit.

        closed: gaps up to so many cm are closed as well, as lips do that are pressed together.
        """
        for _ in range(2):  # the rim moves a little sideways on its loops
            upper, lower = self.edges(shape, np.array([0, 1, 0], np.float32))
            ends = shape[self.loops[RIM][[*self.corners]], 0]
            x = np.linspace(ends[0], ends[1], 64)
            gap = np.interp(x, upper[:, 0], upper[:, 1]) - np.interp(x, lower[:, 0], lower[:, 1])
            low, high = STICKY_CM[0] + closed, STICKY_CM[1] + 1.5 * closed
            wanted = gap * smoothstep(low, high, gap)
            amount = np.interp(shape[self.vertices, 0], x, gap - wanted) / 2
            shape[self.vertices, 1] -= self._side * self._give * amount


def _neighbours(quads: np.ndarray) -> dict[int, dict[int, set[int]]]:
    """For each vertex its neighbours, and for each of these the quads on their common edge."""
    found: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for index, quad in enumerate(quads.tolist()):
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            found[a][b].add(index)
            found[b][a].add(index)
    return found


def _loop(neighbours: dict[int, dict[int, set[int]]], kit: FaceKit, start: int) -> list[int]:
    """The closed edge loop through `start` that sets off to image right."""
    path = [start, max(neighbours[start], key=lambda v: kit.vertices[v, 0])]
    while path[-1] != start:
        before, here = path[-2:]
        beside = neighbours[here][before]
        across = [v for v, quads in neighbours[here].items() if v != before and not quads & beside]
        if len(across) != 1 or len(path) > 200:
            raise ValueError("this mesh is not ICT-FaceKit: its lips have no closed loops")
        path.append(across[0])
    return path[:-1]
