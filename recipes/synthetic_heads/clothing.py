"""A sweater: rings lofted from the neck over the shoulders, so that the head does not float."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator


@dataclass(frozen=True)
class Clothing:
    colour: tuple[float, float, float] = (86, 106, 112)  # 8-bit sRGB
    collar: float = -11.6  # cm, height of its upper edge (chin is at about -8)
    rib: float = 0.10  # contrast of the collar's ribs


@dataclass(frozen=True)
class Strip:
    """A separate piece of geometry with its own vertices."""

    vertices: np.ndarray  # (N, 3) float32
    triangles: np.ndarray  # (F, 3) int32
    tint: np.ndarray  # (N, 3) float32, multiplies the material's colour
    uv: np.ndarray  # (N, 2) float32, in stitches; constant where there is no knit


STITCH = 0.36  # cm
AROUND = 128  # vertices of a ring

# Height below the collar, half width, half depth, centre z: how the loft opens, in cm. None: fit the neck.
PROFILE = (
    (-0.35, 0.62, None), (0.0, 0.78, None), (0.30, 0.70, None), (1.1, 0.60, None), (1.9, 0.62, None),
    (2.25, 0.85, None), (2.7, 1.1, 8.4), (3.6, 0.9, 11.0), (4.9, 0.9, 14.2), (6.4, 0.9, 17.0),
    (8.4, 0.9, 19.0), (11.0, 0.9, 20.2), (15.0, 0.9, 21.0), (24.0, 0.9, 21.0),
)  # fmt: skip


def sweater(skin: np.ndarray, clothing: Clothing, around: int = AROUND) -> Strip:
    """Loft around the neck found in `skin` (N, 3), the vertices of face and back of the head."""
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    rings, tints, knitted = [], [], []
    neck, centre = _section(skin, clothing.collar - 0.8, angle)
    for step, (drop, slack, width) in enumerate(PROFILE):
        tilt = 0.9 * np.cos(angle) if width is None else 0.9 * np.cos(angle) * 0.4
        height = clothing.collar - drop - tilt
        if width is None:
            # The first ring turns inwards, so that the collar has a thickness.
            radius = neck + slack - (0.45 if step == 0 else 0.0)
            x, z = radius * np.sin(angle), centre + radius * np.cos(angle)
        else:
            depth = 6.9 + 0.20 * (width - 8) + 1.2 * np.clip(np.cos(angle), 0, 1) * min(drop / 8, 1.6)
            power = 2 / (2 + 0.6 * min(drop / 6, 1))
            x = width * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
            z = centre - 0.8 + depth * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
        knitted.append(np.stack([x / STITCH, height / STITCH], axis=1) * (width is not None))
        rings.append(np.stack([x, height, z], axis=1))
        ribbed = clothing.rib * np.sin(angle * 72) if width is None else 0 * angle
        tints.append(np.repeat((1 + ribbed)[:, None], 3, axis=1) * (0.55 if step == 0 else 1.0))
    rings_array = _subdivide(np.stack(rings), 4)
    tint_array = np.repeat(np.stack(tints), 4, axis=0)[: len(rings_array)]
    stitches = _subdivide(np.stack(knitted), 4)
    return Strip(
        rings_array.reshape(-1, 3).astype(np.float32),
        grid_triangles(len(rings_array), around, closed=True),
        tint_array.reshape(-1, 3).astype(np.float32),
        stitches.reshape(-1, 2).astype(np.float32),
    )


def _section(skin: np.ndarray, height: float, angle: np.ndarray) -> tuple[np.ndarray, float]:
    """Radius of the neck per angle at a height, and the z of its centre."""
    near = skin[np.abs(skin[:, 1] - height) < 1.2]
    near = near[np.abs(near[:, 0]) < 8.5]
    centre = float((near[:, 2].min() + near[:, 2].max()) / 2)
    theirs = np.arctan2(near[:, 0], near[:, 2] - centre)
    reach = np.hypot(near[:, 0], near[:, 2] - centre)
    gap = np.abs(np.angle(np.exp(1j * (angle[:, None] - theirs[None, :]))))
    weight = np.exp(-((gap / 0.22) ** 2))
    mean = (weight * reach).sum(axis=1) / weight.sum(axis=1)
    return mean, centre


def _subdivide(rings: np.ndarray, times: int) -> np.ndarray:
    """Smooth interpolation between rings (R, A, 3), `times` as many."""
    last = len(rings) - 1
    return PchipInterpolator(np.arange(last + 1), rings, axis=0)(np.linspace(0, last, last * times + 1))


def grid_triangles(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Triangles (F, 3) int32 of a grid of rows x columns vertices, its columns joined if closed."""
    row, column = np.mgrid[0 : rows - 1, 0 : columns if closed else columns - 1]
    a = (row * columns + column).ravel()
    b = (row * columns + (column + 1) % columns).ravel()
    c, d = b + columns, a + columns
    return np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)]).astype(np.int32)
