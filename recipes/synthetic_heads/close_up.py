"""The lower half of a face, drawn fast: many frames of one person, each with another mouth.

`Renderer` draws whole heads; this draws the same people from the same parts without eyes, ears and skull, on
a mesh of a third of the size, with light that is asked for anew in every frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import shading
from .clothing import sweater
from .film import FILM, backdrop, expose
from .hair import grow
from .head import HeadSpec, colours, lamps, openness
from .inner_mouth import MouthParts
from .landmarks import Correspondence, MeshPoints
from .lighting import WRAP, diffuse, irradiance, smoothing_matrix, sphere_directions
from .lips import Lips
from .mesh import LANDMARK_VERTICES, FaceKit, vertex_normals
from .rasteriser import rasterise, visibility
from .skin import SkinPainter
from .textures import smoothstep
from .view import PIVOT, Camera, Frame, moved, turned

ROOM = 1.62  # height of a picture in distances of the outer eye corners; a mouth crop is 1.3 high
BIAS = 0.12  # cm a point is lifted off its surface before asking what it sees
MIDDLE = np.array([0.0, -4.0, 7.0], np.float32)  # of what is drawn, cm
_BOX_LOW, _BOX_HIGH = (-9.3, -15.0, -3.5), (9.3, 2.9, 14.0)  # cm: what a mouth crop can show
_MATERIALS = (
    ("M_Face", shading.FACE), ("M_BackHead", shading.BACK), ("M_GumsTongue", shading.GUMS),
    ("M_Teeth", shading.TEETH),
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """One frame: `image` (H, W, 3) uint8 RGB and `points` (478, 2) float32, its Face Mesh landmarks in px."""

    image: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Sitter:
    """What is worked out once for a person."""

    spec: HeadSpec
    neutral: np.ndarray  # (V, 3) of the whole mesh, without an expression
    textures: tuple[np.ndarray, np.ndarray]
    tints: np.ndarray  # (V', 3)
    triangles: np.ndarray  # (F, 3) of what is drawn
    materials: np.ndarray  # (F,)
    extra_table: np.ndarray  # (N, ATTRIBUTES): cloth and hair, lit at rest
    extra_follow: np.ndarray  # (N,)
    shadow: np.ndarray  # (D, V') what hair and cloth leave to be seen, or (D, 1) ones


class CloseUp:
    """Draws lower faces of one FaceKit. Not for sharing between threads."""

    def __init__(
        self, kit: FaceKit, *, texture_size: int = 384, directions: int = 32, shadow_size: int = 96
    ) -> None:
        self._kit = kit
        sphere = sphere_directions(directions)
        self._directions = sphere[sphere[:, 2] > -0.45]  # light from behind the head reaches nothing in view
        self._asked = len(self._directions) / len(sphere)
        self._shadow_size = shadow_size
        self._painter = SkinPainter(kit, texture_size)
        self._lips, self._parts = Lips(kit), MouthParts(kit)
        self._points = MeshPoints(self._lips, Correspondence.load())
        self._cut(kit)

    def _cut(self, kit: FaceKit) -> None:
        """Keep the triangles in the box, and number their vertices and corners anew."""
        codes = np.full(len(kit.material_names), -1, np.int8)
        for name, code in _MATERIALS:
            codes[kit.material(name)] = code
        material = codes[kit.triangle_material]
        inside = _in_box(kit.vertices)
        shown = (material >= 0) & inside[kit.triangles].all(axis=1)
        self._material = material[shown]
        self._drawn, solid = np.unique(kit.triangles[shown], return_inverse=True)
        self._solid = solid.reshape(-1, 3).astype(np.int32)
        corners, corner_solid = np.unique(kit.corner_triangles[shown], return_inverse=True)
        self._corner_solid = corner_solid.reshape(-1, 3).astype(np.int32)
        self._corner_vertex = np.searchsorted(self._drawn, kit.corner_vertex[corners])
        back = np.zeros(len(kit.corner_uv), bool)
        back[np.unique(kit.corner_triangles[material == shading.BACK])] = True
        self._uv = (kit.corner_uv - back[:, None] * np.array([1, 0], np.float32))[corners]
        height = kit.vertices[:, 1] + 0.35 * kit.vertices[:, 2]
        self._follow_all = smoothstep(-14.5, -7.8, height).astype(np.float32)
        self._follow = self._follow_all[self._drawn]
        x, y, z = kit.vertices[self._drawn].T
        in_mouth = np.isin(self._drawn, kit.material_vertices("M_GumsTongue", "M_Teeth", "M_BackHead"))
        by_mouth = (np.abs(x) < 5) & (np.abs(y + 2.5) < 6) & (z > 0)
        self._moving = (in_mouth | by_mouth).astype(np.float32)  # shadows at rest do not hold there
        edges = np.unique(np.sort(self._solid[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
        self._smooth = smoothing_matrix(edges, len(self._drawn))
        self._enamel = np.flatnonzero(np.isin(self._drawn, kit.material_vertices("M_Teeth")))
        self._needed = np.unique(np.concatenate([self._drawn, self._points.vertices]))
        self._deltas = kit.expression_deltas[:, self._needed].astype(np.float32)

    def sit(self, spec: HeadSpec) -> Sitter:
        """Everything about a person that does not change from frame to frame."""
        neutral = self._kit.deform(np.array(spec.identity), dict(spec.rest))
        neutral += self._parts.displacement(spec.mouth)
        narrower = 1 - spec.slim_neck * (1 - self._follow_all)
        neutral[:, 0] *= narrower
        neutral[:, 2] = PIVOT[2] + (neutral[:, 2] - PIVOT[2]) * (1 + narrower) / 2
        table, triangles, materials, follow, shadow = self._around(spec, neutral)
        count = len(self._corner_vertex)
        return Sitter(
            spec, neutral, self._paint(spec), self._parts.tints(spec.mouth)[self._drawn],
            np.concatenate([self._corner_solid, triangles + count]).astype(np.int32),
            np.concatenate([self._material, materials]), table, follow, shadow,
        )  # fmt: skip

    def _paint(self, spec: HeadSpec) -> tuple[np.ndarray, np.ndarray]:
        textures = self._painter.paint(spec.skin)
        return textures.face, textures.back

    def _around(
        self, spec: HeadSpec, neutral: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Cloth and hair: table, triangles, materials, share in the head's turn, and what they leave open."""
        cloth = sweater(neutral[self._kit.material_vertices("M_Face", "M_BackHead")], spec.clothing)
        strands = grow(neutral, self._kit, spec.hair)
        vertices = np.concatenate([cloth.vertices, strands.vertices])
        normals = np.concatenate([vertex_normals(cloth.vertices, cloth.triangles), strands.normals])
        split, drawn = len(cloth.vertices), len(self._drawn)
        triangles = np.concatenate([cloth.triangles, strands.triangles + split])
        materials = np.concatenate(
            [np.full(len(cloth.triangles), shading.CLOTH, np.int8), strands.material.astype(np.int8)]
        )
        near = _in_box(vertices)
        casters = np.concatenate([cloth.triangles, strands.casters + split])
        casters = np.concatenate([self._solid, casters[near[casters].any(axis=1)] + drawn])
        shown = near[triangles].any(axis=1)
        body = neutral[self._drawn]
        seen = visibility(
            np.concatenate([body, vertices]) - MIDDLE,
            np.concatenate([vertex_normals(body, self._solid), normals]).astype(np.float32),
            casters.astype(np.int32), self._directions, self._shadow_size, BIAS,
        )  # fmt: skip
        table = np.zeros((len(vertices), shading.ATTRIBUTES), np.float32)
        table[:, :3], table[:, 3:6] = vertices, normals
        radiance = self._asked * spec.light.radiance(self._directions)
        table[:, 6:9] = irradiance(normals, seen[:, drawn:], self._directions, radiance, WRAP)
        table[:, 14] = openness(seen[:, drawn:], self._asked)
        table[:split, 9:11], table[:split, 11:14] = cloth.uv, cloth.tint
        table[split:, 9], table[split:, 11:14] = strands.tint, strands.tangents
        table[split:, 14] *= strands.outside
        table[split:, 6:9] *= strands.outside[:, None] ** 1.3
        follow = smoothstep(-17.0, -6.0, vertices[:, 1] + 0.35 * vertices[:, 2])
        follow[:split] = 0
        follow[split:] = np.maximum(follow[split:], 0.25)
        shadow = seen[:, :drawn] if len(strands.vertices) else np.ones((len(seen), 1), np.float32)
        return table, triangles[shown], materials[shown], follow.astype(np.float32), shadow

    def aim(self, sitter: Sitter, frames: list[Frame]) -> list[Frame]:
        """The frames with the camera on the mouth, so near that the crop and some room fill the picture."""
        middle = frames[len(frames) // 2]
        posed = moved(sitter.neutral[LANDMARK_VERTICES], np.ones(68, np.float32), middle)
        eyes = float(np.linalg.norm(posed[36] - posed[45]))
        x, y, _ = posed[48:60].mean(axis=0)
        centre = (float(x), float(y) - 0.11 * eyes)  # a crop shows more of the chin than of the nose
        return [replace(frame, centre=centre, frame_height=ROOM * eyes) for frame in frames]

    def shoot(self, sitter: Sitter, frame: Frame, height: int, width: int, supersample: int = 1) -> Shot:
        """The frame as a camera without faults sees it; same arguments, same picture."""
        spec = sitter.spec
        shape = self._shape(sitter, frame)
        body = shape[self._drawn]
        normals = vertex_normals(body, self._solid)
        seen = visibility(
            body - MIDDLE, normals, self._solid, self._directions, self._shadow_size, BIAS
        )  # fmt: skip
        seen = np.minimum(seen, np.maximum(sitter.shadow, self._moving))
        table = self._table(sitter, frame, body, normals, seen)
        rows, columns = height * supersample, width * supersample
        camera = Camera(frame, rows, columns)
        points = camera.project(table[:, :3])
        owner, weights, _ = rasterise(points, sitter.triangles, rows, columns)
        none = np.zeros((1, 1, 3), np.float32)
        samples = shading.shade(
            owner, weights, sitter.triangles, sitter.materials, table, *sitter.textures, none,
            np.zeros((2, 3)), np.ones(6), colours(spec), lamps(spec.light), camera.position,
        )  # fmt: skip
        wall = backdrop(spec.backdrop, height, width)
        exposed = expose(samples, np.float32(0.40 * spec.exposure), FILM, wall, supersample)
        image = np.clip(exposed * 255 + 0.5, 0, 255).astype(np.uint8)
        everywhere = camera.project(moved(shape, self._follow_all, frame))[:, :2] / supersample - 0.5
        return Shot(image, self._points.place(everywhere))

    def _shape(self, sitter: Sitter, frame: Frame) -> np.ndarray:
        """(V, 3) of the whole mesh; what is neither drawn nor a landmark keeps still."""
        names = self._kit.expression_names
        offset = np.zeros((len(self._needed), 3), np.float32)
        for name, weight in frame.expression.items():
            if weight:
                offset += np.float32(weight) * self._deltas[names.index(name)]
        shape = sitter.neutral.copy()
        shape[self._needed] += offset
        self._parts.move_tongue(shape, *frame.tongue)
        if frame.seal_cm is not None:
            self._lips.seal(shape, frame.seal_cm)
        return shape

    def _table(
        self, sitter: Sitter, frame: Frame, body: np.ndarray, normals: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """(C + N, ATTRIBUTES): the mesh's corners, then cloth and hair."""
        facing = self._directions @ frame.turn.T  # the light turns the other way
        radiance = self._asked * sitter.spec.light.radiance(facing)
        on_head = irradiance(normals, seen, self._directions, radiance, WRAP)
        light = diffuse(on_head, self._smooth)
        light[self._enamel] = on_head[self._enamel]
        corner = self._corner_vertex
        table = np.empty((len(corner) + len(sitter.extra_table), shading.ATTRIBUTES), np.float32)
        head, extra = table[: len(corner)], table[len(corner) :]
        head[:, 0:3] = moved(body, self._follow, frame)[corner]
        head[:, 3:6] = turned(normals, self._follow, frame)[corner]
        head[:, 6:9], head[:, 9:11] = light[corner], self._uv
        head[:, 11:14], head[:, 14] = sitter.tints[corner], openness(seen, self._asked)[corner]
        extra[:] = sitter.extra_table
        extra[:, :3] = moved(sitter.extra_table[:, :3], sitter.extra_follow, frame)
        return table


def _in_box(vertices: np.ndarray) -> np.ndarray:
    """(N,) bool."""
    inside: np.ndarray = np.all((vertices > np.array(_BOX_LOW)) & (vertices < np.array(_BOX_HIGH)), axis=1)
    return inside
