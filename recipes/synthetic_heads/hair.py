"""Hair as ribbons of strands over a padded skull, or a cap over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates

from . import shading
from .clothing import grid_triangles
from .mesh import FaceKit, normalised, vertex_normals
from .textures import smoothstep

HAIRLINE_LIFT = 37.5  # degrees above the skull's middle, on the forehead
CENTRE = np.array([0.0, 3.6, 0.4], np.float32)  # middle of the skull, cm


@dataclass(frozen=True)
class Hair:
    style: str = "long"  # long, cap, none
    colour: tuple[float, float, float] = (78, 50, 34)  # 8-bit sRGB
    cap_colour: tuple[float, float, float] = (120, 60, 60)
    length: float = -13.2  # cm, height of the ends
    part: float = -1.6  # cm, x of the parting
    volume: float = 1.0  # cm the hair stands off the skull
    frame: float = 56.0  # degrees from straight ahead at which the front hair hangs
    wave: float = 0.25  # cm
    strands: int = 5200
    skull_rows: int = 90  # of the map that the hair lies on
    seed: int = 0


@dataclass(frozen=True)
class Strands:
    """Geometry of what covers the scalp, with what the shader needs per vertex."""

    vertices: np.ndarray  # (N, 3) float32
    normals: np.ndarray  # (N, 3) float32
    tangents: np.ndarray  # (N, 3) float32: along the strand (hair) or tint (cap)
    tint: np.ndarray  # (N,) float32
    outside: np.ndarray  # (N,) float32, 0 under other hair .. 1 on top
    triangles: np.ndarray  # (F, 3) int32
    material: np.ndarray  # (F,) int8
    casters: np.ndarray  # (K, 3) int32, the first K triangles: they throw shadows


def grow(head: np.ndarray, kit: FaceKit, hair: Hair) -> Strands:
    """Hair for the head (V, 3) as it is at rest."""
    if hair.style == "long":
        return _long_hair(_Skull(head, kit, hair.skull_rows, 2 * hair.skull_rows), hair)
    if hair.style == "cap":
        return _cap(_Skull(head, kit, hair.skull_rows, 2 * hair.skull_rows), hair)
    return _nothing()


class _Skull:
    """Distance from the centre to the skin (ears included) in any direction above the jaw."""

    def __init__(self, head: np.ndarray, kit: FaceKit, rows: int, columns: int) -> None:
        points = head[kit.material_vertices("M_Face", "M_BackHead")] - CENTRE
        radius = np.linalg.norm(points, axis=1)
        keep = (radius > 6.0) & (points[:, 1] > -12)
        points, radius = points[keep], radius[keep]
        tilt = np.linspace(0, np.pi, rows)[:, None]
        turn = np.linspace(-np.pi, np.pi, columns)[None, :]
        grid = np.stack(
            [np.sin(tilt) * np.sin(turn), np.cos(tilt) + 0 * turn, np.sin(tilt) * np.cos(turn)], -1
        ).reshape(-1, 3)
        towards = (points / radius[:, None]).astype(np.float32).T
        # A mean that leans towards the farthest points: ears must stay under the hair.
        lean = np.exp(0.9 * (radius - radius.mean())).astype(np.float32)
        weighed = np.stack([lean * radius, lean], axis=1).astype(np.float32)
        parts = []
        for some in np.array_split(grid.astype(np.float32), rows):  # all at once would fill the memory
            parts.append(np.exp(60 * (some @ towards - 1)) @ weighed)
        sums = np.concatenate(parts)
        mean = sums[:, 0] / sums[:, 1]
        self._map = mean.reshape(rows, columns).astype(np.float32)

    def radius(self, direction: np.ndarray) -> np.ndarray:
        """(..., 3) unit -> (...) cm."""
        rows, columns = self._map.shape
        v = np.arccos(np.clip(direction[..., 1], -1, 1)) / np.pi * (rows - 1)
        u = (np.arctan2(direction[..., 0], direction[..., 2]) / (2 * np.pi) + 0.5) * (columns - 1)
        return map_coordinates(self._map, [v, u], order=1, mode="nearest")


def _outward(points: np.ndarray) -> np.ndarray:
    """Unit directions away from the skull's centre, and below it from the vertical axis."""
    core = np.broadcast_to(CENTRE, points.shape).copy()
    core[..., 1] = np.minimum(points[..., 1], CENTRE[1])
    return normalised(points - core)


def _slerp(start: np.ndarray, end: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Great-circle path between unit vectors (S, 3), at t (T,): (S, T, 3)."""
    angle = np.arccos(np.clip((start * end).sum(-1), -0.999, 0.999))[:, None]
    a, b = np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle)
    return a[..., None] * start[:, None] + b[..., None] * end[:, None]


def _paths(
    skull: _Skull, hair: Hair, along: np.ndarray, side: np.ndarray, layer: np.ndarray,
    rng: np.random.Generator, steps: int, hairline: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Strands from the parting over the side of the head and straight down: (S, steps, 3).

    along: 0 at the forehead .. 1 at the crown; side: -1 or 1; layer: 0 on the skin .. 1 outermost;
    hairline: NaN, or the share 0..1 of the way from the parting to the temple where the strand grows.
    """
    count = len(along)
    back = np.interp(along, [0, 1], [0.82, -0.55])
    beside = hair.part / 12 + 0.012 * side
    root = normalised(np.stack([beside, np.full(count, 0.74), back], axis=1))
    if hairline is not None:
        grows = ~np.isnan(hairline)
        root[grows] = _hairline(hair, hairline[grows], side[grows], rng)
    around = np.radians(np.interp(along, [0, 0.15, 1], [hair.frame, hair.frame + 14, 176]))
    fall = normalised(np.stack([side * np.sin(around), np.full(count, -0.02), np.cos(around)], 1))
    cut = steps * 6 // 10
    t = np.linspace(0, 1, cut)
    over = _slerp(root, fall, t)
    rise = np.interp(t, [0, 0.12, 0.45, 1], [0.25, 0.75, 1.25, 1.0])
    lift = hair.volume * (0.30 + 0.55 * layer)[:, None] * rise
    upper = CENTRE + over * (skull.radius(over) + lift)[..., None]
    drop = np.linspace(0, 1, steps - cut + 1)[1:]
    ends = hair.length + rng.normal(0, 0.35, count) * (layer > 0.1)
    start = upper[:, -1]
    lower = np.repeat(start[:, None], len(drop), axis=1)
    lower[..., 1] += drop * (ends - start[:, 1])[:, None]
    outward = normalised(start * np.array([1, 0, 1], np.float32))
    swell = 0.9 * np.sin(np.pi * np.clip(drop * 1.1, 0, 1)) - 1.6 * drop**2
    lower += outward[:, None] * (swell * (0.4 + 0.6 * layer[:, None]))[..., None]
    path = np.concatenate([upper, lower], axis=1)
    smooth = gaussian_filter1d(path, 2.0, axis=1, mode="nearest")
    path += (smooth - path) * smoothstep(0.1, 0.3, np.linspace(0, 1, steps))[:, None]
    phase = around[:, None] * 2.2 + path[..., 1] * 0.55 + rng.normal(0, 0.25, (count, 1))
    path += outward[:, None] * (hair.wave * np.sin(phase) * np.linspace(0, 1, steps))[..., None]
    return path.astype(np.float32)


def _hairline(hair: Hair, share: np.ndarray, side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Roots on the forehead: unit directions (S, 3)."""
    turn = hair.part / 12 + side * np.radians(40) * share
    lift = np.radians(HAIRLINE_LIFT) - np.radians(10) * share**2 + rng.normal(0, 0.022, len(share))
    return normalised(np.stack([np.cos(lift) * np.sin(turn), np.sin(lift), np.cos(lift) * np.cos(turn)], 1))


def _long_hair(skull: _Skull, hair: Hair, steps: int = 30) -> Strands:
    rng = np.random.default_rng(hair.seed)
    under = _under_layer(skull, hair, steps)
    count = hair.strands
    along = rng.uniform(0, 1, count) ** 0.85
    side = np.where(rng.uniform(size=count) < 0.5, -1.0, 1.0)
    layer = rng.uniform(0.15, 1, count) ** 0.6
    hairline = np.full(count, np.nan)
    front = rng.uniform(size=count) < 0.20
    hairline[front] = rng.uniform(0, 1, front.sum())
    along[front] = 0.16 * hairline[front] + rng.uniform(0, 0.05, front.sum())
    layer[front] *= 0.8
    path = _paths(skull, hair, along, side, layer, rng, steps, hairline)
    path = _clumped(path, along, side, rng)
    outward = _outward(path)
    tangent = normalised(np.gradient(path, axis=1))
    across = normalised(np.cross(tangent, outward))
    # Turned half-way to the viewer, so that strands on the silhouette are not seen edge-on.
    towards = normalised(np.cross(tangent, np.array([0, 0, 1], np.float32)))
    towards *= np.sign((towards * across).sum(-1, keepdims=True) + 1e-6)
    across = normalised(across + 0.9 * towards)
    taper = np.interp(np.linspace(0, 1, steps), [0, 0.1, 0.8, 1], [0.5, 1, 0.9, 0.25])
    half = (rng.uniform(0.035, 0.085, count)[:, None] * taper)[..., None]
    ribbon = np.stack([path - across * half, path + across * half], axis=2)  # (S, T, 2, 3)
    bulge = np.stack([outward - 0.35 * across, outward + 0.35 * across], axis=2)
    base = np.arange(count)[:, None, None] * steps * 2
    triangles = (grid_triangles(steps, 2, closed=False)[None] + base).reshape(-1, 3)
    tint = np.repeat(np.clip(rng.normal(1, 0.16, count), 0.6, 1.5), steps * 2)
    outside = np.repeat(0.38 + 0.62 * layer, steps * 2)
    vertices = ribbon.reshape(-1, 3)
    own = len(under.vertices)
    return Strands(
        np.concatenate([under.vertices, vertices]).astype(np.float32),
        np.concatenate([under.normals, normalised(bulge).reshape(-1, 3)]).astype(np.float32),
        np.concatenate([under.tangents, np.repeat(tangent, 2, axis=1).reshape(-1, 3)]).astype(np.float32),
        np.concatenate([under.tint, tint]).astype(np.float32),
        np.concatenate([under.outside, outside]).astype(np.float32),
        np.concatenate([under.triangles, triangles + own]).astype(np.int32),
        np.full(len(under.triangles) + len(triangles), shading.HAIR, np.int8),
        under.triangles,
    )


def _clumped(path: np.ndarray, along: np.ndarray, side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Neighbouring strands (S, T, 3) share a slow wander, as locks of hair do; roots stay."""
    locks, steps = 46, path.shape[1]
    lock = np.minimum((along * locks / 2).astype(int), locks // 2 - 1) + (side > 0) * (locks // 2)
    wander = gaussian_filter1d(rng.normal(0, 1, (locks, steps, 2)), 5, axis=1)
    wander *= np.linspace(0, 1, steps)[:, None] / wander.std()
    own = gaussian_filter1d(rng.normal(0, 1, (len(path), steps, 2)), 4, axis=1)
    own *= np.linspace(0, 1, steps)[:, None] / own.std()
    outward = _outward(path)
    sideways = np.cross(outward, [0.0, 1.0, 0.0])
    amount = 0.16 * wander[lock] + 0.07 * own
    return (path + amount[..., :1] * outward + 1.5 * amount[..., 1:] * sideways).astype(np.float32)


def _under_layer(skull: _Skull, hair: Hair, steps: int, sheets: int = 90) -> Strands:
    """A closed dark sheet under the strands, so that no skin shows between them; it casts the shadows."""
    rng = np.random.default_rng(0)
    parts = []
    still = Hair(**{**hair.__dict__, "wave": 0.0, "length": hair.length + 0.3})
    for side in (-1.0, 1.0):
        along = np.linspace(0.012, 1, sheets)
        path = _paths(skull, still, along, np.full(sheets, side), np.full(sheets, 0.05), rng, steps)
        parts.append(path)
    vertices = np.concatenate([p.reshape(-1, 3) for p in parts])
    one = grid_triangles(sheets, steps, closed=False)
    triangles = np.concatenate([one, one + sheets * steps]).astype(np.int32)
    normals = vertex_normals(vertices, triangles)
    flip = np.sign((_outward(vertices) * normals).sum(1, keepdims=True))
    tangents = np.concatenate([normalised(np.gradient(p, axis=1)).reshape(-1, 3) for p in parts])
    size = len(vertices)
    return Strands(
        vertices, normals * flip, tangents, np.full(size, 0.8), np.full(size, 0.50),
        triangles, np.full(len(triangles), shading.HAIR, np.int8), triangles,
    )  # fmt: skip


def _cap(skull: _Skull, hair: Hair, rows: int = 48, columns: int = 160) -> Strands:
    """A knitted beanie, its folded brim above the brows and over the tops of the ears."""
    turn = np.linspace(-np.pi, np.pi, columns, endpoint=False)[None, :]
    depth = np.linspace(0, 1, rows)[:, None]
    brim = np.radians(66 + 18 * smoothstep(0.3, -0.8, np.cos(turn)) + 6 * np.sin(turn) ** 2)
    tilt = depth * brim
    flat = np.sin(tilt)
    direction = np.stack([flat * np.sin(turn), np.cos(tilt), flat * np.cos(turn)], axis=-1)
    fold = smoothstep(0.74, 0.77, depth)
    thick = 0.55 + hair.volume * 0.5 * np.cos(depth * np.pi / 2) + 0.35 * fold
    thick = np.where(depth > 0.985, 0.15, thick)
    knit = 0.05 * np.sin(turn * 90) * np.minimum(1, depth * 3)
    radius = skull.radius(direction.astype(np.float32)) + thick + knit
    vertices = (CENTRE + direction * radius[..., None]).reshape(-1, 3).astype(np.float32)
    triangles = grid_triangles(rows, columns, closed=True)
    normals = vertex_normals(vertices, triangles)
    normals *= np.sign(((vertices - CENTRE) * normals).sum(1, keepdims=True))
    shade = 1 + 0.18 * np.sin(turn * 90) - 0.25 * np.exp(-(((depth - 0.755) / 0.012) ** 2))
    tint = np.repeat(shade.reshape(-1, 1), 3, axis=1)
    size = len(vertices)
    return Strands(
        vertices, normals, tint.astype(np.float32), np.ones(size, np.float32), np.ones(size, np.float32),
        triangles, np.full(len(triangles), shading.CAP, np.int8), triangles,
    )  # fmt: skip


def _nothing() -> Strands:
    none = np.zeros((0, 3), np.float32)
    triangles = np.zeros((0, 3), np.int32)
    return Strands(none, none, none, none[:, 0], none[:, 0], triangles, np.zeros(0, np.int8), triangles)
