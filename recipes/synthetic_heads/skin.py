"""Skin painted in texture space: tone, blush, lips, brows, pores; baked once for an identity."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from .facial_hair import FacialHair, scalp
from .mesh import LANDMARK_VERTICES, FaceKit
from .textures import blotches, grain, linear, mix, smoothstep, texel_positions

CHANNELS = 5  # linear R, G, B, gloss (0..1), height (cm)
OUTER_LIPS = range(48, 60)
CUPID = 0.0028  # of the tile: how far the peaks of the upper lip stand over its middle


@dataclass(frozen=True)
class Skin:
    """How a person's skin is painted. Colours are 8-bit sRGB albedos."""

    tone: tuple[float, float, float] = (226, 178, 155)
    lips: tuple[float, float, float] = (198, 112, 106)
    lip_gloss: float = 0.55
    blush: float = 0.5
    freckles: float = 0.0
    stubble: float = 0.0
    beard: float = 0.0  # grown, on chin and jaw
    moustache: float = 0.0
    folds: float = 0.0  # lines from the nose to the corners of the mouth and under the lip
    moles: int = 0
    blotchy: float = 1.0  # contrast of uneven tone and redness
    scalp: float = 0.7  # how much cropped hair, in the brows' colour, shows on the scalp
    brows: tuple[float, float, float] = (74, 50, 38)
    brow_density: float = 1.0
    brow_height: float = -0.15  # cm, up
    brow_arch: float = 0.0  # cm, the inner end lifted over the rest
    eyeliner: float = 0.5
    seed: int = 0


@dataclass(frozen=True)
class SkinTextures:
    face: np.ndarray  # (S, S, CHANNELS) float32, row 0 is v = 0
    back: np.ndarray  # (S // 2, S // 2, CHANNELS) float32


class SkinPainter:
    """Paints skins for one mesh; what does not depend on the person is worked out once."""

    def __init__(self, kit: FaceKit, size: int) -> None:
        self.size = size
        self.face = texel_positions(kit, "M_Face", size)
        self.back = texel_positions(kit, "M_BackHead", size // 2)
        self.points = kit.vertices[LANDMARK_VERTICES]
        self.uv = landmark_uv(kit) * size
        self.lips = self._lip_depth()
        self._hair = FacialHair(self.face, self.points, self.uv)

    def paint(self, skin: Skin) -> SkinTextures:
        rng = np.random.default_rng(skin.seed)
        face = self._base(self.face, skin, np.random.default_rng(skin.seed + 1))
        back = self._base(self.back, skin, np.random.default_rng(skin.seed + 1))
        self._blush(face, skin)
        self._pores(face, rng)
        self._freckles(face, skin, rng)
        self._hair.stubble(face, skin, rng)
        self._folds(face, skin)
        self._moles(face, skin)
        self._hair.beard(face, skin)
        self._lips(face, skin, rng)
        self._eyes(face, skin)
        self._hair.brows(face, skin, rng)
        scalp(face, self.face, skin, rng)
        scalp(back, self.back, skin, rng)
        self._cavities(back)
        return SkinTextures(face, back)

    def _base(self, positions: np.ndarray, skin: Skin, rng: np.random.Generator) -> np.ndarray:
        tone = linear(*skin.tone)
        texture = np.zeros((*positions.shape[:2], CHANNELS), np.float32)
        wide, fine = blotches(positions, rng, 7.0), blotches(positions, rng, 1.3)
        shade = 1 + skin.blotchy * (0.030 * wide + 0.018 * fine)
        texture[..., :3] = tone * shade[..., None]
        redness = 0.035 * blotches(positions, rng, 3.6) + 0.018 * blotches(positions, rng, 1.0)
        redness *= skin.blotchy
        texture[..., :3] *= 1 + redness[..., None] * np.array([0.25, -0.6, -0.6], np.float32)
        texture[..., 3] = 0.42
        return texture

    def _near(self, landmark: np.ndarray, reach: tuple[float, float, float]) -> np.ndarray:
        offset = (self.face - landmark) / np.array(reach, np.float32)
        return np.exp(-0.5 * (offset**2).sum(axis=-1))

    def _blush(self, face: np.ndarray, skin: Skin) -> None:
        points, tone = self.points, linear(*skin.tone)
        red = tone * np.array([1.02, 0.62, 0.62], np.float32)
        for side, (eye, mouth) in ((-1, (36, 48)), (1, (45, 54))):
            apple = 0.56 * points[eye] + 0.44 * points[mouth] + np.array([side * 0.6, 0, 0], np.float32)
            face[..., :3] = mix(face[..., :3], red, 0.62 * skin.blush * self._near(apple, (2.2, 1.5, 2.5)))
        face[..., :3] = mix(face[..., :3], red, 0.55 * skin.blush * self._near(points[30], (1.4, 1.0, 1.5)))
        face[..., :3] = mix(face[..., :3], red, 0.30 * skin.blush * self._near(points[8], (1.6, 1.2, 2.0)))
        ears = smoothstep(8.0, 9.0, np.abs(self.face[..., 0])) * smoothstep(4.5, 2.5, self.face[..., 2])
        face[..., :3] = mix(face[..., :3], red, 0.5 * ears)
        oily = self._near(points[30], (1.3, 2.5, 1.5)) + self._near(points[27] + [0, 4, 0], (3.5, 2.2, 4))
        face[..., 3] += 0.16 * np.clip(oily, 0, 1)

    def _pores(self, face: np.ndarray, rng: np.random.Generator) -> None:
        scale = self.size / 2048
        fine = grain(self.size, rng, 1.1 * scale + 0.35)
        folds = grain(self.size, rng, 2.6 * scale + 0.35)
        face[..., 4] = 0.0028 * fine + 0.0050 * folds
        face[..., :3] *= (1 + 0.018 * fine + 0.015 * folds)[..., None]
        face[..., 3] *= np.clip(1 + 0.16 * grain(self.size, rng, 5 * scale + 0.35), 0.4, 1.6)

    def _freckles(self, face: np.ndarray, skin: Skin, rng: np.random.Generator) -> None:
        if skin.freckles <= 0:
            return
        spots = smoothstep(1.7, 2.6, grain(self.size, rng, 3.2 * self.size / 2048))
        where = self._near(self.points[29] + [0, -0.5, 0], (4.0, 2.0, 4.0))
        brown = linear(*skin.tone) * np.array([0.62, 0.45, 0.36], np.float32)
        face[..., :3] = mix(face[..., :3], brown, skin.freckles * 0.8 * spots * where)

    def _folds(self, face: np.ndarray, skin: Skin) -> None:
        if skin.folds <= 0:
            return
        unit, uv = self.size / 2048, self.uv
        depth = np.zeros((self.size, self.size), np.float32)
        for side, wing, corner in ((-1, 31, 48), (1, 35, 54)):
            start = uv[wing] + [side * 36 * unit, 26 * unit]
            end = uv[corner] + [side * 62 * unit, 22 * unit]
            bow = (start + end) / 2 + [side * 12 * unit, 10 * unit]
            curve = CubicSpline([0, 0.5, 1], np.stack([start, bow, end]), axis=0)(np.linspace(0, 1, 40))
            soft, sharp = self._line(curve, 46 * unit), self._line(curve, 14 * unit)
            depth = np.maximum(depth, 0.7 * soft + 0.4 * sharp)
        steps = np.linspace(-1, 1, 20)[:, None]
        under = uv[57] - [0, 58 * unit] + steps * [75 * unit, 0] - steps**2 * [0, 12 * unit]
        depth = np.maximum(depth, 0.7 * self._line(under, 40 * unit))
        face[..., :3] *= 1 - skin.folds * depth[..., None] * np.array([0.13, 0.21, 0.23], np.float32)
        face[..., 4] -= 0.03 * skin.folds * depth

    def _line(self, curve: np.ndarray, width: float) -> np.ndarray:
        """(S, S) 0..1, highest on a curve (N, 2) in texels, fading at its ends."""
        canvas = np.zeros((self.size, self.size), np.float32)
        for k, (a, b) in enumerate(itertools.pairwise(curve)):
            ink = float(np.sin(np.pi * (k + 0.7) / len(curve)) ** 0.6)
            ends = [tuple(int(c) for c in np.round(p * 16)) for p in (a, b)]
            cv2.line(canvas, ends[0], ends[1], ink, 1, cv2.LINE_8, 4)
        blurred = cv2.GaussianBlur(canvas, (0, 0), width / 2)
        return blurred / max(float(blurred.max()), 1e-6)

    def _moles(self, face: np.ndarray, skin: Skin) -> None:
        rng = np.random.default_rng(skin.seed + 3)
        mouth = self.points[48:60].mean(axis=0)
        brown = linear(*skin.tone) * np.array([0.36, 0.24, 0.2], np.float32)
        for _ in range(skin.moles):
            place = mouth + np.array([rng.uniform(-5.5, 5.5), rng.uniform(-4, 4), 0], np.float32)
            size = rng.uniform(0.06, 0.17)
            away = np.hypot(self.face[..., 0] - place[0], self.face[..., 1] - place[1])
            spot = smoothstep(1.5 * size, 0.6 * size, away) * (self.face[..., 2] > 3)
            face[..., :3] = mix(face[..., :3], brown, rng.uniform(0.3, 0.8) * spot)

    def _lip_depth(self) -> np.ndarray:
        """Signed distance in texels to the vermilion border, positive on the lips."""
        ring = self.uv[list(OUTER_LIPS)].copy()
        ring[[2, 4], 1] += CUPID * self.size
        ring[3, 1] -= CUPID * self.size
        border = closed_curve(ring, 240)
        inside = np.zeros((self.size, self.size), np.uint8)
        cv2.fillPoly(inside, [np.round(border * 16).astype(np.int32)], 1, shift=4)
        inner = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
        return inner - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)

    def _lips(self, face: np.ndarray, skin: Skin, rng: np.random.Generator) -> None:
        unit = self.size / 2048
        wobble = grain(self.size, rng, 9 * unit + 0.3) * 0.8 * unit
        depth = self.lips + wobble
        amount = smoothstep(-1 * unit, 15 * unit, depth)
        colour = linear(*skin.lips)
        u = np.arange(self.size, dtype=np.float32)[None, :]
        bend = 6 * unit * grain(self.size, rng, 10 * unit + 0.3)
        creases = np.sin((u + bend) * (2 * np.pi / (7.5 * unit)))
        deep = smoothstep(20 * unit, 70 * unit, depth)
        painted = colour * (1 + 0.06 * creases[..., None]) * (1 - 0.18 * deep[..., None])
        face[..., :3] = face[..., :3] * (1 - amount[..., None]) + painted * amount[..., None]
        face[..., 3] += (skin.lip_gloss - face[..., 3]) * amount
        face[..., 4] += (0.007 * creases - face[..., 4] * 0.6) * amount
        rim = np.exp(-((depth + 9 * unit) ** 2) / (2 * (7 * unit) ** 2))
        face[..., :3] *= 1 + 0.05 * rim[..., None]

    def _eyes(self, face: np.ndarray, skin: Skin) -> None:
        unit = self.size / 2048
        for start in (36, 42):
            ring = closed_curve(self.uv[start : start + 6], 120)
            canvas = np.ones((self.size, self.size), np.uint8)
            cv2.fillPoly(canvas, [np.round(ring).astype(np.int32)], 0)
            cv2.polylines(canvas, [np.round(ring).astype(np.int32)], True, 0)
            away = cv2.distanceTransform(canvas, cv2.DIST_L2, 5)
            centre = ring.mean(axis=0)
            upper = smoothstep(-4 * unit, 8 * unit, np.arange(self.size)[:, None] - centre[1])
            socket = np.exp(-((away / (95 * unit)) ** 2))
            shadow = linear(*skin.tone) * np.array([0.60, 0.44, 0.44], np.float32)
            face[..., :3] = mix(face[..., :3], shadow, 0.32 * socket)
            rim = np.exp(-((away / (7 * unit)) ** 2))
            pink = linear(*skin.tone) * np.array([0.95, 0.55, 0.52], np.float32)
            face[..., :3] = mix(face[..., :3], pink, 0.5 * rim * (1 - upper))
            line = np.exp(-((away / (9 * unit)) ** 2)) * (0.25 + 0.75 * upper)
            face[..., :3] = mix(face[..., :3], linear(38, 26, 24), skin.eyeliner * line)
            face[..., 3] = np.maximum(face[..., 3], 0.5 * rim)

    def _cavities(self, back: np.ndarray) -> None:
        """The mouth's lining and the eye sockets share the back tile: wet and red."""
        size = back.shape[0]
        v, u = np.mgrid[0:size, 0:size].astype(np.float32) / size
        lining = (((u - 0.125) / 0.125) ** 2 + ((v - 0.845) / 0.155) ** 2 < 1) | ((u > 0.71) & (v > 0.83))
        back[lining, :3] = linear(150, 62, 58)
        back[lining, 3] = 0.7


def landmark_uv(kit: FaceKit) -> np.ndarray:
    """Texture coordinates (68, 2) of the landmark vertices on the face tile."""
    face = np.unique(kit.corner_triangles[kit.triangle_material == kit.material("M_Face")])
    corner = {int(kit.corner_vertex[c]): c for c in face}
    return np.stack([kit.corner_uv[corner[int(v)]] for v in LANDMARK_VERTICES])


def closed_curve(points: np.ndarray, count: int) -> np.ndarray:
    """`count` points of a smooth closed curve through the given ones (N, 2)."""
    ring = np.concatenate([points, points[:1]])
    steps = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    curve = CubicSpline(steps, ring, axis=0, bc_type="periodic")
    return curve(np.linspace(0, steps[-1], count, endpoint=False))
