"""The reference bank: frames of the person's own clip that show the mouth closed and in the shapes it takes,
and which of them serves when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX
from voicelip.face.points import JAW, LIPS, STABLE
from voicelip.lips.motion import MOTION_POINTS, lip_gap
from voicelip.lips.region import outlines

PARTED_PX = (1.0, 4.0)  # lip gaps, crop px, between which the inner mouth comes to be seen

_RUN_FRAMES = 500  # a longer stretch gets fresh references, since light and pose drift
_OPEN_PX = 3.0  # a lip gap, in crop px, below which a mouth never opened
_MOST_SHAPES = 16
_SAME_SHAPE_PX = 0.4  # RMS over the landmarks
_ODDNESS_PRICE = 0.5  # shape distance, px, that a px of unusual pose costs
_USUAL_SHARE = 0.7  # of the frames, by pose, that may serve
_CRISP_SHARE = 0.75  # of the bank's median, below which a view is blurred
_SHORTEST_OPENING_FRAMES = 3
_POSE = tuple(i for i in range(468) if i not in LIPS + JAW + STABLE)[::9]


@dataclass(frozen=True)
class ReferencePick:
    """For the frames of `span`: source indices of a `closed` view and of `opened` ones, ascending, that
    differ in shape; none when the mouth never opens.
    """

    span: slice
    closed: int
    opened: tuple[int, ...]

    @property
    def never_open(self) -> bool:
        return not self.opened


def pick_references(points: np.ndarray, cuts: Sequence[int] = ()) -> list[ReferencePick]:
    """References for a track; landmarks (T, 478, 2) in crop px, NaN where there is no face. None serves
    beyond the `cuts`, frames that begin a camera shot: light, size and even the person are others there.
    """
    usable = np.isfinite(points[:, 0, 0])
    edges = (np.flatnonzero(np.diff(usable.astype(np.int8))) + 1).tolist()
    picks = []
    for start, stop in pairwise(sorted({0, *edges, *cuts, len(points)})):
        if stop > start and usable[start]:
            pieces = max(1, round((stop - start) / _RUN_FRAMES))
            bounds = np.linspace(start, stop, pieces + 1).astype(int).tolist()
            picks += [_pick(points, slice(*ends)) for ends in pairwise(bounds)]
    return picks


def _pick(points: np.ndarray, span: slice) -> ReferencePick:
    run = points[span]
    mouth = run[:, MOTION_POINTS]
    gap = lip_gap(mouth)
    pose = run[:, _POSE]
    oddness = np.abs(pose - np.median(pose, axis=0)).mean(axis=(1, 2))  # px away from the usual pose
    closed = _best(gap <= np.quantile(gap, 0.1), oddness)
    low, high = np.quantile(gap, [0.85, 0.98])
    if high <= _OPEN_PX:
        return ReferencePick(span, span.start + closed, ())
    first = _best((gap >= low) & (gap <= high), oddness)
    may_serve = (gap > PARTED_PX[0]) & (oddness <= np.quantile(oddness, _USUAL_SHARE))
    shapes = mouth.reshape(len(mouth), -1) / np.sqrt(mouth.shape[1])
    chosen = _unlike(shapes, first, np.where(may_serve, -_ODDNESS_PRICE * oddness, -np.inf))
    return ReferencePick(span, span.start + closed, tuple(span.start + k for k in chosen))


def _unlike(shapes: np.ndarray, first: int, bonus: np.ndarray) -> list[int]:
    """Rows of `shapes` (N, D) that lie far from one another: farthest-point sampling (Gonzalez, 1985)."""
    chosen = [first]
    distance = np.linalg.norm(shapes - shapes[first], axis=1)
    while len(chosen) < _MOST_SHAPES:
        farthest = int((distance + bonus).argmax())
        if not distance[farthest] + bonus[farthest] > _SAME_SHAPE_PX:
            break
        chosen.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(shapes - shapes[farthest], axis=1))
    return sorted(chosen)


def _best(allowed: np.ndarray, oddness: np.ndarray) -> int:
    return int(np.argmin(np.where(allowed, oddness, np.inf)))


def crisp(crops: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    """Which views (96, 96, 3), with landmarks (N, 55, 2), are not blurred by motion: (N,) bool.

    Lips and the skin around them tell, not the teeth, which not every view shows.
    """
    sharpness = np.array([_lip_sharpness(*view) for view in zip(crops, points, strict=True)])
    return sharpness >= _CRISP_SHARE * np.median(sharpness)


def _lip_sharpness(crop: np.ndarray, points: np.ndarray) -> float:
    """Mean squared Laplacian of the grey crop around the outer lip, away from the inner mouth."""
    lips, inside, _ = outlines(points, CROP_PX)
    area = (cv2.dilate(lips, np.ones((9, 9))) > 127) & (cv2.dilate(inside, np.ones((7, 7))) < 128)
    edges = cv2.Laplacian(crop.mean(axis=-1).astype(np.float32), cv2.CV_32F)
    return float((edges[area] ** 2).mean()) if area.any() else 0.0


def openings(gap: np.ndarray) -> np.ndarray:
    """Which opening of the mouth each frame belongs to: (T,) lip gaps → (T,) int from 0.

    Openings part where the lips are nearest each other, so that references change where it is seen least.
    """
    lowest = (gap[1:-1] <= gap[:-2]) & (gap[1:-1] < gap[2:])
    starts = [0]
    for frame in (np.flatnonzero(lowest) + 1).tolist():
        if frame - starts[-1] >= _SHORTEST_OPENING_FRAMES:
            starts.append(frame)
    return np.searchsorted(starts, np.arange(len(gap)), side="right") - 1


def nearest_shape(wanted: np.ndarray, shown: np.ndarray) -> int:
    """Which of the shapes `shown` (N, 55, 2) is nearest to those `wanted` (T, 55, 2), the wide ones counting
    most.
    """
    distance = np.linalg.norm(wanted[:, None] - shown[None], axis=-1).mean(axis=-1)
    weight = np.maximum(lip_gap(wanted), 0.3)
    return int((weight @ distance).argmin())
