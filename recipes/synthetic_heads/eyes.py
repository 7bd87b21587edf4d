"""Irises painted in polar coordinates, and where the eyeballs sit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import FaceKit
from .textures import linear


@dataclass(frozen=True)
class Eyes:
    """8-bit sRGB albedos; radii as sines of the angle from the eye's axis."""

    iris: tuple[float, float, float] = (104, 74, 50)
    inner: tuple[float, float, float] = (150, 108, 66)
    sclera: tuple[float, float, float] = (226, 219, 214)
    iris_radius: float = 0.405
    pupil_radius: float = 0.155
    redness: float = 0.45
    seed: int = 0

    def look(self) -> np.ndarray:
        """The numbers the shader wants: (6,) float64."""
        return np.array([self.iris_radius, self.pupil_radius, *linear(*self.sclera), self.redness])


def paint_iris(eyes: Eyes, rays: int = 512, rings: int = 48) -> np.ndarray:
    """(rings, rays, 3) float32 linear albedo; row 0 is the centre of the pupil."""
    rng = np.random.default_rng(eyes.seed)
    angle = np.linspace(0, 2 * np.pi, rays, endpoint=False)[None, :]
    radius = np.linspace(0, 1, rings)[:, None]
    fibres = np.zeros((rings, rays))
    for waves in (11, 19, 31, 47, 61, 83, 107):
        drift = rng.uniform(-1.5, 1.5) * radius
        fibres += np.sin(waves * angle + drift + rng.uniform(0, 6.3)) * rng.uniform(0.5, 1)
    fibres /= fibres.std()
    ring = np.exp(-(((radius - 0.47 - 0.03 * np.sin(9 * angle)) / 0.13) ** 2))
    colour = linear(*eyes.iris) + (linear(*eyes.inner) - linear(*eyes.iris)) * ring[..., None]
    return (colour * np.clip(1.15 + 0.24 * fibres, 0.3, 2)[..., None]).astype(np.float32)


def eye_centres(kit: FaceKit) -> np.ndarray:
    """Rest-pose centres of the left (x > 0) and right eyeball, (2, 3) float64."""
    centres = []
    for name in ("M_ScleraLeft", "M_ScleraRight"):
        points = kit.vertices[kit.material_vertices(name)]
        low, high = points.min(axis=0), points.max(axis=0)
        centre = (low + high) / 2
        radius = (high[:2] - low[:2]).mean() / 2  # depth is lengthened by the cornea
        centre[2] = low[2] + radius
        centres.append(centre)
    return np.array(centres, np.float64)
