"""A head: what it looks like (`HeadSpec`), what it does now (`Frame`), and its picture (`Renderer`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter

from . import shading
from .clothing import AROUND, Clothing, Strip, sweater
from .eyes import Eyes, eye_centres, paint_iris
from .film import FILM, Backdrop, backdrop, expose
from .hair import Hair, Strands, grow
from .inner_mouth import InnerMouth, MouthParts
from .lighting import WRAP, Light, diffuse, irradiance, smoothing_matrix, sphere_directions
from .lips import Lips
from .mesh import LANDMARK_VERTICES, FaceKit, normalised, vertex_normals
from .rasteriser import rasterise, visibility
from .skin import Skin, SkinPainter
from .textures import linear, smoothstep
from .view import PIVOT, Camera, Frame, added, moved, turned

BIAS = 0.16  # cm a point is lifted off its surface before asking what it sees
ALPHA_MATERIALS = ("M_EyeLashes", "M_EyeOcclusion")
UNUSED_MATERIALS = ("M_LacrimalFluid", "M_EyeBlend", "M_IrisLeft", "M_IrisRight")


@dataclass(frozen=True)
class HeadSpec:
    """Everything that stays the same in a person and their studio."""

    identity: tuple[float, ...] = ()  # coefficients of FaceKit's principal components
    skin: Skin = field(default_factory=Skin)
    eyes: Eyes = field(default_factory=Eyes)
    hair: Hair = field(default_factory=Hair)
    clothing: Clothing = field(default_factory=Clothing)
    teeth: tuple[float, float, float] = (226, 216, 198)
    mouth: InnerMouth = field(default_factory=InnerMouth)
    light: Light = field(default_factory=Light)
    exposure: float = 1.0
    backdrop: Backdrop = field(default_factory=Backdrop)
    slim_neck: float = 0.0  # share taken off the neck's width
    rest: tuple[tuple[str, float], ...] = ()  # expression weights the face has at rest


@dataclass(frozen=True)
class Picture:
    image: np.ndarray  # (H, W, 3) uint8 RGB
    landmarks: np.ndarray  # (68, 2) float32 pixels, iBUG order
    vertices: np.ndarray  # (V, 3) float32: x, y in pixels and depth in cm, every vertex of FaceKit


@dataclass(frozen=True)
class _Person:
    """What is worked out once for a spec."""

    neutral: np.ndarray  # (V, 3)
    textures: tuple[np.ndarray, np.ndarray]
    iris: np.ndarray
    extra: Strip  # clothes, then strands, with OPEN and tint in `extra_rest`
    triangles: np.ndarray  # (F, 3) all that is drawn: bare skin, cloth, hair; into corners, then `extra`
    materials: np.ndarray  # (F,) int8
    one_sided: np.ndarray  # (F,) bool: not worth drawing from behind
    extra_table: np.ndarray  # (N, ATTRIBUTES) float32, lit at rest
    extra_follow: np.ndarray  # (N,) how much each vertex follows the head
    colours: np.ndarray  # (10, 4)
    seen: np.ndarray  # (D, V), at rest
    tints: np.ndarray  # (V, 3) of teeth, gums and tongue


class Renderer:
    """Draws heads from one FaceKit. Not for sharing between threads."""

    def __init__(
        self, kit: FaceKit, *, texture_size: int = 2048, directions: int = 72, shadow_size: int = 224
    ) -> None:
        self.kit = kit
        self.directions = sphere_directions(directions)
        self.shadow_size = shadow_size
        self._painter = SkinPainter(kit, texture_size)
        self._centres = eye_centres(kit)
        self._split_materials()
        self._teeth = kit.material_vertices("M_Teeth")
        self._lips = Lips(kit)
        self._parts = MouthParts(kit)
        self._smooth = smoothing_matrix(kit.edges, len(kit.vertices))
        self._spec: HeadSpec | None = None
        self._person: _Person | None = None

    def render(self, spec: HeadSpec, frame: Frame, height: int, width: int, supersample: int = 2) -> Picture:
        """The head as (height, width, 3) uint8 RGB with its landmarks; same arguments, same picture."""
        person = self._prepare(spec)
        rows, columns = height * supersample, width * supersample
        expression = added(dict(spec.rest), frame.expression)
        shape = self._shape(spec, expression)
        self._parts.move_tongue(shape, *frame.tongue)
        if frame.seal_cm is not None:
            self._lips.seal(shape, frame.seal_cm)
        normals = vertex_normals(shape, self._solid)
        seen = self._look_around(shape, normals, expression, person)
        world, turned, light = self._pose(shape, normals, seen, spec, frame)
        table = self._table(world, turned, light, seen, spec, person, frame)
        camera = Camera(frame, rows, columns)
        points = camera.project(table[:, :3])
        triangles, materials = self._in_view(person, table, camera)
        owner, weights, nearest = rasterise(points, triangles, rows, columns)
        samples = shading.shade(
            owner, weights, triangles, materials, table, *person.textures, person.iris, self._centres,
            spec.eyes.look(), person.colours, lamps(spec.light), camera.position,
        )  # fmt: skip
        self._blend(samples, nearest, points, spec)
        on_vertices = camera.project(world) / np.array([supersample, supersample, 1], np.float32)
        on_vertices[:, 2] = 1 / on_vertices[:, 2]
        image = _develop(samples, spec, supersample)
        return Picture(image, on_vertices[LANDMARK_VERTICES, :2], on_vertices)

    def _split_materials(self) -> None:
        kit, names = self.kit, self.kit.material_names
        codes = np.full(len(names), -1, np.int8)
        for name, code in (
            ("M_Face", shading.FACE), ("M_BackHead", shading.BACK), ("M_GumsTongue", shading.GUMS),
            ("M_Teeth", shading.TEETH), ("M_ScleraLeft", shading.EYE), ("M_ScleraRight", shading.EYE),
            ("M_EyeLashes", shading.LASH), ("M_EyeOcclusion", shading.EYE_SHADE),
        ):  # fmt: skip
            codes[kit.material(name)] = code
        code = codes[kit.triangle_material]
        solid = (code >= 0) & (code < shading.LASH)
        self._solid, self._corner_solid = kit.triangles[solid], kit.corner_triangles[solid]
        self._solid_material = code[solid]
        order = (shading.EYE_SHADE, shading.LASH)  # lashes lie over the lids' shadow
        layered = np.concatenate([np.flatnonzero(code == layer) for layer in order])
        self._layers, self._layer_material = kit.corner_triangles[layered], code[layered]
        tile = np.zeros_like(kit.corner_uv)
        tile[np.unique(kit.corner_triangles[code == shading.BACK])] = (1, 0)
        self._tinted = np.unique(kit.corner_triangles[np.isin(code, (shading.GUMS, shading.TEETH))])
        self._uv = kit.corner_uv - tile
        self._uv[np.unique(kit.corner_triangles[code == shading.LASH])] = self._lash_uv(code)[0]
        shades = np.unique(kit.corner_triangles[code == shading.EYE_SHADE])
        v = kit.corner_uv[shades, 1]
        self._uv[shades, 1] = 0.85 * smoothstep(0.50, 1.0, v) + 0.35 * smoothstep(0.16, 0.0, v)
        h = kit.vertices[:, 1] + 0.35 * kit.vertices[:, 2]
        self._follow = smoothstep(-14.5, -7.8, h).astype(np.float32)

    def _lash_uv(self, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Per lash corner: along the lid from the nose outwards 0..1, and out from the root 0..1."""
        kit = self.kit
        corners = np.unique(kit.corner_triangles[code == shading.LASH])
        u, v = (kit.corner_uv[corners] - [6, 0]).T
        along = np.where(u > 0.5, (u - 0.51) / 0.479, 1 - (u - 0.0117) / 0.479)
        out = (0.98767 - v) % 0.16663
        out = np.where(out > 0.16, 0, out) / 0.14
        out = np.where(v < 0.5, 1.7 * out, out)  # the lower lashes are short
        return np.stack([np.clip(along, 0, 1), out], axis=1), corners

    def _prepare(self, spec: HeadSpec) -> _Person:
        if self._person is None or self._spec != spec:
            self._person = self._make_person(spec)
            self._spec = spec
        return self._person

    def _shape(self, spec: HeadSpec, expression: Mapping[str, float]) -> np.ndarray:
        shape = self.kit.deform(np.array(spec.identity), expression) + self._parts.displacement(spec.mouth)
        narrower = 1 - spec.slim_neck * (1 - self._follow)
        shape[:, 0] *= narrower
        shape[:, 2] = PIVOT[2] + (shape[:, 2] - PIVOT[2]) * (1 + narrower) / 2
        return shape

    def _make_person(self, spec: HeadSpec) -> _Person:
        kit = self.kit
        neutral = self._shape(spec, dict(spec.rest))
        skin = neutral[kit.material_vertices("M_Face", "M_BackHead")]
        cloth = sweater(skin, spec.clothing)
        strands = grow(neutral, kit, spec.hair)
        extra = _joined(cloth, strands)
        count = len(cloth.vertices)
        normals = np.concatenate([vertex_normals(cloth.vertices, cloth.triangles), strands.normals])
        table = np.zeros((len(extra.vertices), shading.ATTRIBUTES), np.float32)
        table[:, :3], table[:, 3:6] = extra.vertices, normals
        every = np.concatenate([neutral, extra.vertices])
        body_normals = vertex_normals(neutral, self._solid)
        above = neutral[:, 1] + 0.15 * (neutral[:, 2] + 1.5) - spec.clothing.collar
        bare = above[self._solid].min(axis=1) > -0.8
        casters = np.concatenate([
            self._solid[bare], cloth.triangles + len(neutral), strands.casters + len(neutral) + count
        ])  # fmt: skip
        middle = every.mean(axis=0) * 0 + PIVOT
        seen = visibility(
            every - middle, np.concatenate([body_normals, normals]), casters, self.directions,
            self.shadow_size * 2, BIAS,
        )  # fmt: skip
        radiance = spec.light.radiance(self.directions)
        light = irradiance(normals, seen[:, len(neutral) :], self.directions, radiance, WRAP)
        light[:count] = _smoothed(light[:count])
        table[:, 6:9] = light
        table[:count, 9:11], table[:count, 11:14] = cloth.uv, cloth.tint
        table[count:, 11:14] = strands.tangents
        table[count:, 9] = strands.tint
        table[:, 14] = openness(seen[:, len(neutral) :])
        table[count:, 14] *= strands.outside
        table[count:, 6:9] *= strands.outside[:, None] ** 1.3
        height = extra.vertices[:, 1] + 0.35 * extra.vertices[:, 2]
        follow = smoothstep(-17.0, -6.0, height)
        follow[:count] = 0
        follow[count:] = np.maximum(follow[count:], 0.25)
        textures = self._painter.paint(spec.skin)
        triangles = np.concatenate([self._corner_solid[bare], extra.triangles + len(kit.corner_vertex)])
        cloth_material = np.full(len(cloth.triangles), shading.CLOTH, np.int8)
        materials = np.concatenate([self._solid_material[bare], cloth_material, strands.material])
        one_sided = np.zeros(len(triangles), bool)
        one_sided[len(triangles) - len(strands.triangles) + len(strands.casters) :] = True
        return _Person(
            neutral, (textures.face, textures.back), paint_iris(spec.eyes), extra,
            triangles, materials, one_sided, table,
            follow.astype(np.float32), colours(spec), seen[:, : len(neutral)],
            self._parts.tints(spec.mouth),
        )  # fmt: skip

    def _look_around(
        self, shape: np.ndarray, normals: np.ndarray, expression: Mapping[str, float], person: _Person
    ) -> np.ndarray:
        """(D, V): what each vertex sees. Asked anew only when the face's shape is far from its rest."""
        if np.abs(shape - person.neutral).max() < 0.35 or _only_lids_moved(shape - person.neutral, self.kit):
            return person.seen
        seen = visibility(
            shape - PIVOT, normals, self._solid, self.directions, self.shadow_size, BIAS
        )  # fmt: skip
        return np.minimum(seen, np.maximum(person.seen, self._in_mouth))

    @property
    def _in_mouth(self) -> np.ndarray:
        inside = np.zeros(len(self.kit.vertices), np.float32)
        inside[self.kit.material_vertices("M_GumsTongue", "M_Teeth", "M_BackHead")] = 1
        x, y, z = self.kit.vertices.T
        inside[(np.abs(x) < 5) & (np.abs(y + 2.5) < 6) & (z > 0)] = 1
        return inside

    def _pose(
        self, shape: np.ndarray, normals: np.ndarray, seen: np.ndarray, spec: HeadSpec, frame: Frame
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # The sphere of directions stays with the head, so the light turns the other way.
        facing = self.directions @ frame.turn.T
        on_head = irradiance(normals, seen, self.directions, spec.light.radiance(facing), WRAP)
        light = diffuse(on_head, self._smooth)
        light[self._teeth] = on_head[self._teeth]  # enamel is small: red would run off to the buried roots
        return moved(shape, self._follow, frame), turned(normals, self._follow, frame), light

    def _table(
        self, world: np.ndarray, normals: np.ndarray, light: np.ndarray, seen: np.ndarray,
        spec: HeadSpec, person: _Person, frame: Frame,
    ) -> np.ndarray:  # fmt: skip
        """(C + N, ATTRIBUTES): FaceKit's corners, then the extra vertices."""
        corner = self.kit.corner_vertex
        table = np.empty((len(corner) + len(person.extra_table), shading.ATTRIBUTES), np.float32)
        head = table[: len(corner)]
        head[:, 0:3], head[:, 3:6], head[:, 6:9] = world[corner], normals[corner], light[corner]
        head[:, 9:11], head[:, 11:14] = self._uv, self.kit.vertices[corner]
        head[self._tinted, 11:14] = person.tints[corner[self._tinted]]
        head[:, 14] = openness(seen)[corner]
        table[len(corner) :] = person.extra_table
        table[len(corner) :, :3] = moved(person.extra_table[:, :3], person.extra_follow, frame)
        return table

    def _in_view(self, person: _Person, table: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Triangles (F, 3) and materials (F,) to draw: without strands that turn their back."""
        first = person.triangles[:, 0]
        away = np.einsum("ij,ij->i", table[first, 3:6], camera.position - table[first, 0:3]) < -20
        shown = ~(away & person.one_sided)
        return person.triangles[shown], person.materials[shown]

    def _blend(self, samples: np.ndarray, nearest: np.ndarray, points: np.ndarray, spec: HeadSpec) -> None:
        shading.blend_layers(
            samples, nearest, points, self._layers, self._layer_material, self._uv,
            linear(24, 17, 15), 0.75,
        )  # fmt: skip


def _smoothed(light: np.ndarray, around: int = AROUND) -> np.ndarray:
    """Light on lofted cloth (rings * around, 3), without the specks of a coarse shadow test."""
    rings = light.reshape(-1, around, 3)
    return gaussian_filter(rings, (0.8, 1.5, 0), mode=("nearest", "wrap", "nearest")).reshape(-1, 3)


def openness(seen: np.ndarray, asked: float = 1.0) -> np.ndarray:
    """0 (buried) .. 1 (free): a flat free surface sees half of the sphere, of which a share was asked."""
    return np.clip(seen.mean(axis=0) * asked / 0.5, 0, 1)


def _only_lids_moved(delta: np.ndarray, kit: FaceKit) -> bool:
    moved = kit.vertices[np.abs(delta).max(axis=1) > 0.15]
    return len(moved) == 0 or bool(moved[:, 1].min() > 1.0)


def _joined(cloth: Strip, strands: Strands) -> Strip:
    return Strip(
        np.concatenate([cloth.vertices, strands.vertices]),
        np.concatenate([cloth.triangles, strands.triangles + len(cloth.vertices)]),
        cloth.tint,
        cloth.uv,
    )


def colours(spec: HeadSpec) -> np.ndarray:
    table = np.zeros((10, 4))
    table[shading.GUMS] = [*linear(176, 88, 86), 0.42]
    table[shading.TEETH] = [*linear(*spec.teeth), 0.34]
    table[shading.HAIR] = [*linear(*spec.hair.colour), 0.5]
    table[shading.CLOTH] = [*linear(*spec.clothing.colour), 0.9]
    table[shading.CAP] = [*linear(*spec.hair.cap_colour), 0.9]
    return table


def lamps(light: Light) -> np.ndarray:
    """(L, 8) float64 for the shader: direction, irradiance, how much the lamp's size blurs a highlight."""
    rows = []
    for lamp in light.lamps:
        solid_angle = 2 * np.pi / lamp.sharpness * (1 - np.exp(-2 * lamp.sharpness))
        rows.append([*normalised(np.array(lamp.direction)), *(np.array(lamp.colour) * solid_angle),
                     0.25 / lamp.sharpness, 0.0])  # fmt: skip
    return np.array(rows, np.float64)


def _develop(samples: np.ndarray, spec: HeadSpec, supersample: int) -> np.ndarray:
    """Exposure, film curve, downsampling, backdrop: (H, W, 3) uint8."""
    height, width = samples.shape[0] // supersample, samples.shape[1] // supersample
    wall = backdrop(spec.backdrop, height, width)
    image = expose(samples, np.float32(0.40 * spec.exposure), FILM, wall, supersample)
    noise = np.random.default_rng(0).random((height, width), np.float32)  # dither: no bands on the wall
    return np.clip(image * 255 + noise[..., None], 0, 255).astype(np.uint8)
