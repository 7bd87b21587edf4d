"""From light to a picture: film curve, anti-aliasing and the wall behind the head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit

from .textures import smoothstep

BRIGHTEST = 16.0  # linear light at the end of the film table


@dataclass(frozen=True)
class Backdrop:
    """8-bit sRGB at the top left, top right and bottom of an out-of-focus studio wall."""

    left: tuple[float, float, float] = (176, 184, 192)
    right: tuple[float, float, float] = (120, 132, 146)
    bottom: tuple[float, float, float] = (150, 142, 134)


def _film_curve(light: np.ndarray) -> np.ndarray:
    """Linear light to display values 0..1 with a soft shoulder and a slight toe."""
    a, b, c, d, e = 2.2, 0.06, 2.0, 0.62, 0.16
    mapped = np.clip(light * (a * light + b) / (light * (c * light + d) + e), 0, 1)
    return np.where(mapped <= 0.0031308, 12.92 * mapped, 1.055 * np.power(mapped, 1 / 2.4) - 0.055)


# Sampled evenly in the square root of light, where the eye wants the detail.
FILM = _film_curve(BRIGHTEST * np.linspace(0, 1, 8192) ** 2).astype(np.float32)


@njit(cache=True, fastmath=True)
def expose(samples: np.ndarray, gain: float, film: np.ndarray, wall: np.ndarray, factor: int) -> np.ndarray:
    """Mean display value over factor x factor samples (.., .., 4: RGB, coverage), over the wall (H, W, 3)."""
    height, width = wall.shape[0], wall.shape[1]
    image = np.empty((height, width, 3), np.float32)
    last = film.shape[0] - 1
    share = np.float32(1.0 / (factor * factor))
    for y in range(height):
        for x in range(width):
            covered = np.float32(0)
            r, g, b = np.float32(0), np.float32(0), np.float32(0)
            for sy in range(y * factor, (y + 1) * factor):
                for sx in range(x * factor, (x + 1) * factor):
                    if samples[sy, sx, 3] == 0:
                        continue
                    covered += share
                    r += film[min(int(np.sqrt(max(samples[sy, sx, 0] * gain, 0.0) / BRIGHTEST) * last), last)]
                    g += film[min(int(np.sqrt(max(samples[sy, sx, 1] * gain, 0.0) / BRIGHTEST) * last), last)]
                    b += film[min(int(np.sqrt(max(samples[sy, sx, 2] * gain, 0.0) / BRIGHTEST) * last), last)]
            image[y, x, 0] = r * share + (1 - covered) * wall[y, x, 0]
            image[y, x, 1] = g * share + (1 - covered) * wall[y, x, 1]
            image[y, x, 2] = b * share + (1 - covered) * wall[y, x, 2]
    return image


@lru_cache(maxsize=2)
def backdrop(wall: Backdrop, height: int, width: int) -> np.ndarray:
    """(H, W, 3) float32 display values: corners blended, a soft pool of light behind the head."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / width
    left, right, bottom = (np.array(c, np.float32) / 255 for c in (wall.left, wall.right, wall.bottom))
    top = left + (right - left) * smoothstep(0.0, 1.0, x)[..., None]
    colour = top + (bottom - top) * smoothstep(0.25, 1.1, y)[..., None]
    pool = np.exp(-(((x - 0.42) / 0.42) ** 2 + ((y - 0.40) / 0.45) ** 2))
    vignette = 1 - 0.16 * ((x - 0.5) ** 2 + (y - 0.5) ** 2) * 2
    return (colour * (0.90 + 0.13 * pool)[..., None] * vignette[..., None]).astype(np.float32)
