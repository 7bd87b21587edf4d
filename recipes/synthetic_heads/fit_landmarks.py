"""Find where Face Mesh's 478 points lie on FaceKit's head, from what the network sees on rendered heads.

    python -m recipes.synthetic_heads.fit_landmarks --facekit ict_facekit.npz [-o face_mesh_points.npz]

Random people make the mouths of speech at random angles; each point gets the triangle and the weights in it
that come nearest to its detections, in the mean of squares. The inner lips get places along the visible rim,
from open mouths. Jaw points depend on the face's whole outline, which Face Mesh knows and one triangle does
not: they get a ridge-regularised linear correction by the 68 landmark vertices. The last fifth of the people
is held out and gives the printed distances, in px of a mouth crop (74 between the outer eye corners).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.face.crop import PX_PER_IOD
from voicelip.face.points import INNER_LIP, JAW, LEFT_EYE_OUTER, NOSE_BASE, OUTER_LIP, RIGHT_EYE_OUTER, STABLE
from voicelip.face.tracker import FaceTracker

from .head import Renderer
from .landmarks import (
    LOWER_INNER,
    STORED,
    UPPER_INNER,
    Correspondence,
    MeshPoints,
    along,
    eye_frame,
    outline,
    upward,
)
from .lips import Lips
from .mesh import LANDMARK_VERTICES, FaceKit, load_facekit
from .people import random_spec
from .talkers import takes

_IRIS = range(468, 478)
_FARTHEST_PX = 6.0  # a detection farther off counts as this
_RIDGE = 0.02
GROUPS: dict[str, Sequence[int]] = {
    "outer lips": OUTER_LIP, "inner lips": INNER_LIP, "jaw": JAW, "stable": STABLE, "nose": NOSE_BASE,
    "all": range(478),
}  # fmt: skip
_OPEN_PX = 3.0  # gap from which on a mouth tells where its rim is seen
_PICTURE_PX = 448


@dataclass(frozen=True)
class Sightings:
    """F pictures, all scaled to 74 px between the outer eye corners."""

    detected: np.ndarray  # (F, 478, 2)
    vertices: np.ndarray  # (F, V, 2)
    person: np.ndarray  # (F,)

    def of(self, chosen: np.ndarray) -> Sightings:
        return Sightings(self.detected[chosen], self.vertices[chosen], self.person[chosen])


def look(kit: FaceKit, people: int, frames: int, seed: int) -> Sightings:
    """Render and detect."""
    renderer = Renderer(kit, texture_size=1024, directions=40, shadow_size=128)
    tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
    detected, vertices, person = [], [], []
    for number in range(people):
        rng = np.random.default_rng((seed, number))
        spec = random_spec(rng)
        spec = replace(spec, hair=replace(spec.hair, style="none"))
        for frame in takes(16, rng)[:frames]:
            near = replace(frame, frame_height=28.0, distance=90.0)
            picture = renderer.render(spec, near, _PICTURE_PX, _PICTURE_PX)
            faces = tracker.candidates(picture.image)
            if not faces:
                continue
            found = faces[0].mesh.points[:, :2].astype(np.float64)
            scale = PX_PER_IOD / np.linalg.norm(found[LEFT_EYE_OUTER] - found[RIGHT_EYE_OUTER])
            detected.append(found * scale)
            vertices.append((picture.vertices[:, :2] - 0.5) * scale)  # whole coordinates are pixel centres
            person.append(number)
        print(f"{number + 1}/{people} people", flush=True)
    return Sightings(np.array(detected), np.array(vertices, np.float32), np.array(person))


def fit(kit: FaceKit, lips: Lips, seen: Sightings) -> Correspondence:
    """The correspondence that explains the detections best."""
    triangles, weights = np.zeros((478, 3), np.int32), np.zeros((478, 3), np.float32)
    for point in range(478):
        names = ("M_ScleraLeft", "M_ScleraRight") if point in _IRIS else ("M_Face",)
        triangles[point], weights[point] = _best_triangle(kit, names, seen, point)
    upper = _places(lips, seen, UPPER_INNER, 0)
    lower = _places(lips, seen, LOWER_INNER, 1)
    none, no_jaw = np.zeros(2), np.zeros((2 * len(JAW), 2 * len(LANDMARK_VERTICES) + 1))
    plain = Correspondence(triangles, weights, upper, lower, none, no_jaw)
    missing = seen.detected - np.array([MeshPoints(lips, plain).place(v) for v in seen.vertices])
    offset = missing[:, UPPER_INNER + LOWER_INNER].mean(axis=(0, 1)) / PX_PER_IOD
    return replace(plain, rim_offset=offset, jaw=_jaw_correction(seen, missing[:, list(JAW)]))


def _best_triangle(
    kit: FaceKit, names: tuple[str, ...], seen: Sightings, point: int
) -> tuple[np.ndarray, np.ndarray]:
    candidates = kit.material_vertices(*names)
    target = seen.detected[:, point]
    squares = ((seen.vertices[:, candidates] - target[:, None]) ** 2).sum(axis=-1)
    near = candidates[np.argsort(np.minimum(squares, _FARTHEST_PX**2).mean(axis=0))[:4]]
    mine = np.isin(kit.triangle_material, [kit.material(name) for name in names])
    around = kit.triangles[mine & np.isin(kit.triangles, near).any(axis=1)]
    options = [_weights(seen.vertices[:, triangle].astype(np.float64), target) for triangle in around]
    best = int(np.argmin([error for _, error in options]))
    return around[best], options[best][0]


def _weights(corners: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights (3,) of (F, 3, 2) corners, none negative, that come nearest to (F, 2), and the mean square."""
    sides = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1).reshape(-1, 2)
    free = np.linalg.lstsq(sides, (target - corners[:, 0]).ravel(), rcond=None)[0]
    weights = np.clip([1 - free.sum(), *free], 0, None)
    weights /= weights.sum()
    error = ((np.einsum("fij,i->fj", corners, weights) - target) ** 2).sum(axis=1).mean()
    return weights, float(error)


def _places(lips: Lips, seen: Sightings, points: tuple[int, ...], which: int) -> np.ndarray:
    """Shares (9,) along the upper (0) or lower (1) rim, the same on both sides of the middle."""
    shares = np.linspace(0, 1, 361)
    gap = seen.detected[:, INNER_LIP[5], 1] - seen.detected[:, INNER_LIP[15], 1]
    opened = seen.of(gap > _OPEN_PX)
    rims = [along(lips.edges(v, upward(v))[which], shares) for v in opened.vertices]
    errors = [((rims - opened.detected[:, None, point]) ** 2).sum(axis=-1).mean(axis=0) for point in points]
    best = shares[np.argmin(errors, axis=1)]
    return (best + 1 - best[::-1]) / 2


def _jaw_correction(seen: Sightings, missing: np.ndarray) -> np.ndarray:
    """(30, 137) ridge regression of `missing` (F, 15, 2) on the outlines, in eye frames."""
    levels = [eye_frame(points) for points in seen.detected]
    wanted = np.array(
        [(m @ np.linalg.inv(level).T).ravel() for m, level in zip(missing, levels, strict=True)]
    )
    known = np.array([outline(v, level) for v, level in zip(seen.vertices, levels, strict=True)])
    known_mean, wanted_mean = known.mean(axis=0), wanted.mean(axis=0)
    rows = known - known_mean
    weights = np.linalg.solve(
        rows.T @ rows + _RIDGE * np.eye(rows.shape[1]), rows.T @ (wanted - wanted_mean)
    ).T
    return np.concatenate([weights, (wanted_mean - weights @ known_mean)[:, None]], axis=1)


def report(lips: Lips, seen: Sightings, found: Correspondence) -> None:
    """Distances to detections, as they are and without each person's and each picture's own mean offset."""
    placed = np.array([MeshPoints(lips, found).place(v) for v in seen.vertices])
    away = placed - seen.detected
    steady = away - away[:, list(STABLE)].mean(axis=1, keepdims=True)
    for person in np.unique(seen.person):
        steady[seen.person == person] -= steady[seen.person == person].mean(axis=0)
    for name, group in GROUPS.items():
        chosen = list(group)
        lengths, moves = (np.linalg.norm(e[:, chosen], axis=-1) for e in (away, steady))
        x, y = away[:, chosen].mean(axis=(0, 1))
        print(f"{name}: median {np.median(lengths):.2f} px, 90 % {np.quantile(lengths, 0.9):.2f} px, "
              f"mean offset {x:.2f} {y:.2f}; movement alone {np.median(moves):.2f} px")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--facekit", type=Path, required=True, help="ICT-FaceKit as .npz (docs/presenter.md)")
    parser.add_argument("-o", "--output", type=Path, default=STORED)
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--frames", type=int, default=5, help="of each person")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    kit = load_facekit(args.facekit)
    lips = Lips(kit)
    seen = look(kit, args.people, args.frames, args.seed)
    is_held_out = seen.person >= 0.8 * args.people
    found = fit(kit, lips, seen.of(~is_held_out))
    report(lips, seen.of(is_held_out), found)
    found.save(args.output)


if __name__ == "__main__":
    main()
