"""Small tools for painting in texture space."""

from __future__ import annotations

import cv2
import numpy as np

from .mesh import FaceKit
from .rasteriser import rasterise


def linear(*srgb: float) -> np.ndarray:
    """8-bit sRGB values to linear light, float32."""
    value = np.asarray(srgb, np.float32) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between (either order)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def texel_positions(kit: FaceKit, material: str, size: int) -> np.ndarray:
    """Neutral position of every texel of a material's tile: (size, size, 3) float32, row 0 is v = 0."""
    mine = kit.triangle_material == kit.material(material)
    triangles = kit.corner_triangles[mine]
    used = kit.corner_uv[triangles.ravel()]
    uv = kit.corner_uv - np.floor(used.min(axis=0))
    points = np.concatenate([uv * size, np.ones((len(uv), 1), np.float32)], axis=1).astype(np.float32)
    owner, weights, _ = rasterise(points, triangles, size, size)
    corners = kit.vertices[kit.corner_vertex]
    i, j, k = (triangles[owner, c] for c in range(3))
    b, c = weights[..., :1], weights[..., 1:]
    positions = corners[i] * (1 - b - c) + corners[j] * b + corners[k] * c
    empty = (owner < 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    lookup = np.zeros(int(nearest.max()) + 1, np.int64)
    filled = np.flatnonzero(empty.ravel() == 0)
    lookup[nearest.ravel()[filled]] = filled
    return positions.reshape(-1, 3)[lookup[nearest]].astype(np.float32)


def blotches(positions: np.ndarray, rng: np.random.Generator, wavelength: float) -> np.ndarray:
    """Smooth noise of unit variance over 3-D positions (..., 3), seamless across tiles."""
    total = np.zeros(positions.shape[:-1], np.float32)
    waves = 10
    for _ in range(waves):
        axis = rng.normal(size=3).astype(np.float32)
        axis *= np.float32(2 * np.pi / wavelength * rng.uniform(0.6, 1.5)) / np.linalg.norm(axis)
        total += np.sin(positions @ axis + np.float32(rng.uniform(0, 6.3)))
    return total * np.float32(np.sqrt(2 / waves))


def grain(size: int, rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Unit-variance noise (size, size) float32 with features about `sigma` texels wide."""
    noise: np.ndarray = cv2.GaussianBlur(rng.standard_normal((size, size), np.float32), (0, 0), sigma)
    return noise / noise.std()


def mix(base: np.ndarray, colour: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Blend (..., 3) towards one colour by (...) amounts."""
    return base + (colour - base) * amount[..., None]
