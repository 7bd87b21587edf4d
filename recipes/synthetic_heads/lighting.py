"""Soft studio light: every vertex sums a sphere of light seen past the head's own shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix, diags

from .mesh import normalised

# Red light travels further under skin: its cosine wraps further round the terminator and diffuses wider.
WRAP = np.array([0.32, 0.16, 0.10], np.float32)
DIFFUSION_STEPS = (7, 3, 2)


@dataclass(frozen=True)
class Lamp:
    """A soft box infinitely far away."""

    direction: tuple[float, float, float]  # towards the lamp, world axes
    colour: tuple[float, float, float]  # linear RGB at its centre
    sharpness: float = 7.0  # larger is a smaller lamp


@dataclass(frozen=True)
class Light:
    """Lamps plus a sky-to-floor gradient."""

    lamps: tuple[Lamp, ...] = (
        Lamp((-0.62, 0.55, 0.70), (6.3, 5.75, 5.2), 7.0),
        Lamp((0.85, 0.15, 0.62), (1.55, 1.7, 1.9), 4.0),
        Lamp((0.80, 0.55, -0.75), (4.2, 4.4, 4.9), 9.0),
        Lamp((-0.85, 0.35, -0.70), (2.4, 2.1, 1.9), 9.0),
    )
    sky: tuple[float, float, float] = (0.52, 0.55, 0.60)
    floor: tuple[float, float, float] = (0.36, 0.30, 0.27)

    def radiance(self, directions: np.ndarray) -> np.ndarray:
        """Light arriving from each direction: (D, 3) float32 -> (D, 3) float32."""
        up = directions[:, 1:2] * 0.5 + 0.5
        total = up * np.array(self.sky) + (1 - up) * np.array(self.floor)
        for lamp in self.lamps:
            towards = normalised(np.array(lamp.direction))
            lobe = np.exp(lamp.sharpness * (directions @ towards - 1))
            total = total + lobe[:, None] * np.array(lamp.colour)
        return total.astype(np.float32)


def sphere_directions(count: int) -> np.ndarray:
    """Evenly spread unit directions (count, 3) float32 (a Fibonacci spiral)."""
    index = np.arange(count) + 0.5
    height = 1 - 2 * index / count
    turn = np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], axis=1).astype(np.float32)


@njit(cache=True, fastmath=True)
def irradiance(
    normals: np.ndarray, seen: np.ndarray, directions: np.ndarray, radiance: np.ndarray, wrap: np.ndarray
) -> np.ndarray:
    """Light on each vertex (V, 3) float32; seen is (D, V), 1 where the direction is open."""
    count = normals.shape[0]
    total = np.zeros((count, 3), np.float32)
    share = np.float32(4.0 / directions.shape[0])
    for d in range(directions.shape[0]):
        dx, dy, dz = directions[d]
        for v in range(count):
            open_share = seen[d, v]
            if open_share == 0:
                continue
            cosine = normals[v, 0] * dx + normals[v, 1] * dy + normals[v, 2] * dz
            for c in range(3):
                lit = (cosine + wrap[c]) / ((1 + wrap[c]) * (1 + wrap[c]))
                if lit > 0:
                    total[v, c] += share * lit * open_share * radiance[d, c]
    return total


def smoothing_matrix(edges: np.ndarray, count: int) -> csr_matrix:
    """(V, V) operator that replaces a vertex value by the mean of itself and its neighbours."""
    both = np.concatenate([edges, edges[:, ::-1], np.repeat(np.arange(count)[:, None], 2, axis=1)])
    adjacency = csr_matrix((np.ones(len(both), np.float32), (both[:, 0], both[:, 1])), (count, count))
    return diags(1 / np.asarray(adjacency.sum(axis=1)).ravel()).astype(np.float32) @ adjacency


def diffuse(light: np.ndarray, smooth: csr_matrix) -> np.ndarray:
    """Subsurface scattering, cheaply: each colour of (V, 3) light spreads over the mesh by its own reach."""
    result = np.empty_like(light)
    for channel, steps in enumerate(DIFFUSION_STEPS):
        values = light[:, channel]
        for _ in range(steps):
            values = smooth @ values
        result[:, channel] = values
    return result
