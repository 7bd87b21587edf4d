"""Hair painted on skin: brows, stubble, beards, a cropped scalp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from .textures import blotches, grain, linear, mix, smoothstep

if TYPE_CHECKING:
    from .skin import Skin


class FacialHair:
    """Paints on the face tile (S, S, CHANNELS) of one mesh, in place."""

    def __init__(self, positions: np.ndarray, points: np.ndarray, uv: np.ndarray) -> None:
        """`positions` (S, S, 3) of texels in cm; `points` (68, 3) cm and `uv` (68, 2) texels of landmarks."""
        self.face, self.points, self.uv = positions, points, uv
        self.size = len(positions)

    def brows(self, face: np.ndarray, skin: Skin, rng: np.random.Generator) -> None:
        unit = self.size / 2048
        up = skin.brow_height * 75 * unit
        strength = np.zeros((self.size, self.size), np.float32)
        for ids, outward in (((21, 20, 19, 18, 17), -1), ((22, 23, 24, 25, 26), 1)):
            tilt = np.linspace(1, -0.3, 5)[:, None] * [0, (skin.brow_arch - 0.22) * 75 * unit]
            curve = CubicSpline(np.linspace(0, 1, 5), self.uv[list(ids)] + tilt, axis=0)
            hairs = np.zeros((self.size, self.size), np.uint8)
            for _ in range(int(480 * skin.brow_density)):
                self._brow_hair(hairs, curve, outward, up, unit, rng)
            strength = np.maximum(strength, hairs.astype(np.float32) / 255)
        haze = cv2.GaussianBlur(strength, (0, 0), 7 * unit)
        amount = np.clip(0.80 * cv2.GaussianBlur(strength, (0, 0), 0.7 * unit + 0.2) + 0.36 * haze, 0, 0.88)
        face[..., :3] = mix(face[..., :3], linear(*skin.brows) * 0.75, amount)
        face[..., 3] *= 1 - 0.6 * amount
        face[..., 4] += 0.012 * strength

    @staticmethod
    def _brow_hair(
        canvas: np.ndarray, curve: CubicSpline, outward: int, up: float, unit: float, rng: np.random.Generator
    ) -> None:
        along = rng.beta(1.15, 1.1)
        thickness = 26 * unit * np.interp(along, [0, 0.12, 0.55, 1], [0.42, 0.95, 0.85, 0.18])
        across = rng.uniform(-1, 1)
        root = curve(along) + np.array([0, up + across * thickness - 6 * unit])
        slope = curve(along, 1)
        lean = np.arctan2(slope[1], abs(slope[0])) - 0.25 * max(across, 0)
        lean += np.interp(along, [0, 0.15, 0.5, 1], [1.15, 0.7, 0.3, 0.05])
        length = unit * rng.uniform(26, 48) * np.interp(along, [0, 0.2, 1], [0.6, 1, 0.7])
        step = np.array([outward * np.cos(lean), np.sin(lean)]) * length / 2
        droop = np.array([outward * np.cos(lean - 0.4), np.sin(lean - 0.4)]) * length / 2
        path = np.stack([root, root + step, root + step + droop])
        ink = int(rng.uniform(110, 235))
        cv2.polylines(canvas, [np.round(path * 16).astype(np.int32)], False, ink, max(1, round(1.7 * unit)),
                      cv2.LINE_AA, 4)  # fmt: skip

    def stubble(self, face: np.ndarray, skin: Skin, rng: np.random.Generator) -> None:
        if skin.stubble <= 0:
            return
        x, y, z = np.moveaxis(self.face, -1, 0)
        mouth, jaw = self.points[48:60].mean(axis=0), self.points[8]
        below = smoothstep(mouth[1] + 2.6, mouth[1] + 0.8, y - 0.22 * np.maximum(np.abs(x) - 2.6, 0) * 2)
        above = smoothstep(jaw[1] - 4.0, jaw[1] - 0.5, y) * smoothstep(0.5, 2.5, z)
        hairs = np.clip(0.55 + 0.45 * grain(self.size, rng, 1.2 * self.size / 2048 + 0.3), 0, 1.4)
        dark = linear(*skin.brows) * 0.5 + linear(*skin.tone) * 0.12
        face[..., :3] = mix(face[..., :3], dark, np.clip(skin.stubble * 0.62 * below * above * hairs, 0, 0.9))

    def beard(self, face: np.ndarray, skin: Skin) -> None:
        """Hair too long to show skin between: dark, matt, rough."""
        if skin.beard <= 0 and skin.moustache <= 0:
            return
        rng = np.random.default_rng(skin.seed + 2)
        unit = self.size / 2048
        x, y, z = np.moveaxis(self.face, -1, 0)
        mouth, jaw, nose = self.points[48:60].mean(axis=0), self.points[8], self.points[33]
        ragged = 0.35 * blotches(self.face, rng, 0.9)
        line = mouth[1] - 1.4 + 0.55 * np.maximum(np.abs(x) - 2.2, 0) + ragged
        chin = smoothstep(0.35, -0.35, y - line) * smoothstep(jaw[1] - 3.5, jaw[1] - 0.8, y) * (z > 0.5)
        lip = smoothstep(-0.2, 0.25, y - (mouth[1] + 0.25 - 0.3 * np.abs(x) + 0.4 * ragged))
        lip *= smoothstep(0.1, -0.5, y - (nose[1] - 0.1 * np.abs(x))) * smoothstep(3.3, 2.5, np.abs(x))
        sides = smoothstep(0.7, 0.1, np.abs(np.abs(x) - 3.0 - 0.15 * (mouth[1] - y)))
        sides *= smoothstep(0.8, 0.2, y - mouth[1]) * smoothstep(-2.0, -1.2, y - mouth[1])
        where = np.maximum(np.maximum(skin.beard * chin, skin.moustache * lip),
                           min(skin.beard, skin.moustache) * sides)  # fmt: skip
        hairs = 0.84 + 0.10 * grain(self.size, rng, 3 * unit + 0.2) + 0.07 * grain(self.size, rng, 14 * unit)
        amount = np.clip(cv2.GaussianBlur(where, (0, 0), 8 * unit) * hairs, 0, 0.95)
        colour = linear(*skin.brows) * (1.1 + 0.18 * grain(self.size, rng, 4 * unit + 0.2)[..., None])
        face[..., :3] += (np.maximum(colour, 0.004) - face[..., :3]) * amount[..., None]
        face[..., 3] *= 1 - 0.6 * amount
        face[..., 4] += 0.010 * amount * grain(self.size, rng, 6 * unit + 0.3)


def scalp(texture: np.ndarray, positions: np.ndarray, skin: Skin, rng: np.random.Generator) -> None:
    x, y, z = np.moveaxis(positions, -1, 0)
    line = np.interp(z, [-9, -3, -1, 2, 5, 8, 10], [-6.5, -5.5, 0, 3.5, 6.8, 9.3, 10.2])
    line = line + 0.2 * blotches(positions, rng, 1.2) + 20 * smoothstep(8.3, 8.7, np.abs(x)) * (y < 5)
    hairs = np.clip(0.95 + 0.25 * (1 - skin.scalp) * grain(len(texture), rng, 0.9), 0, 1.2)
    amount = np.clip(skin.scalp * smoothstep(-0.5, 0.7, y - line) * hairs, 0, 0.95)
    texture[..., :3] = mix(texture[..., :3], linear(*skin.brows) * 0.6, amount)
    texture[..., 3] *= 1 - 0.5 * amount
