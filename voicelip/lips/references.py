"""What a mouth is made from: frames of the person's own clip that show it closed and open, or a rendered
open mouth.

The rendered mouth belongs to nobody. It lends teeth and the dark behind them to people whose clip never
shows theirs.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX
from voicelip.face.points import JAW, LIPS, STABLE
from voicelip.lips.compositor import ReferenceView
from voicelip.lips.motion import MOTION_POINTS, lip_gap
from voicelip.lips.region import colour_gain, outlines

_RUN_FRAMES = 500  # a longer stretch gets fresh references, since light and pose drift
_INSIDE_BLUR_PX = 0.8
_SCATTER = 0.15  # share of contrast that an inner mouth loses to scattered light
_PARTED_PX = (1.0, 4.0)  # lip gaps, crop px, between which the donor comes in: lips that touch show nothing
_OPEN_PX = 3.0  # a lip gap, in crop px, below which a mouth never opened
_POSE = tuple(i for i in range(468) if i not in LIPS + JAW + STABLE)[::9]


@dataclass(frozen=True)
class ReferencePick:
    """For the frames of `span`: source indices of a `closed` and an `opened` view (equal when the mouth
    never opens).
    """

    span: slice
    closed: int
    opened: int

    @property
    def never_open(self) -> bool:
        return self.closed == self.opened


@dataclass(frozen=True)
class Donor:
    """An open mouth of nobody: `image` (S, S, 3) uint8 RGB, a mouth crop at S px, and its `points` (55, 2)
    in crop px.
    """

    image: np.ndarray
    points: np.ndarray

    @classmethod
    def load(cls, path: Path) -> "Donor":
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["image"], stored["points"])

    def lit_like(self, view: ReferenceView, size_px: int) -> ReferenceView:
        """The donor in the light of `view`, for footage whose own mouth crop is `size_px` wide.

        It is no larger than that, since a picture read with steps of more than a pixel flickers, and softer
        than rendered: lenses and skin scatter light into a mouth.
        """
        side = min(size_px, len(self.image))
        gain = colour_gain(view.crop, _resized(self.image, CROP_PX).astype(np.float32) / 255)
        lit = _resized(self.image, side) * gain
        lit = np.clip(lit + _SCATTER * (lit.mean((0, 1)) - lit), 0, 255).astype(np.uint8)
        scale = side / CROP_PX
        to_image = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
        return ReferenceView(lit, to_image, _resized(lit, CROP_PX).astype(np.float32) / 255)


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def lend_inside(weights: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Blend weights (3, 96, 96) with the inner mouth of `target` (55, 2) given wholly to the donor.

    The renderer learned from people who show their teeth sooner or later; left to itself it mixes lip colour
    over borrowed ones.
    """
    inside = cv2.GaussianBlur(outlines(target, CROP_PX)[1].astype(np.float32) / 255, (0, 0), _INSIDE_BLUR_PX)
    inside *= float(np.clip((lip_gap(target) - _PARTED_PX[0]) / (_PARTED_PX[1] - _PARTED_PX[0]), 0, 1))
    lent = weights * (1 - inside)
    lent[1] += inside
    return lent


def pick_references(points: np.ndarray) -> list[ReferencePick]:
    """References for a track; landmarks (T, 478, 2) in crop px, NaN where there is no face."""
    usable = np.isfinite(points[:, 0, 0])
    edges = (np.flatnonzero(np.diff(usable.astype(np.int8))) + 1).tolist()
    picks = []
    for start, stop in pairwise([0, *edges, len(points)]):
        if stop > start and usable[start]:
            pieces = max(1, round((stop - start) / _RUN_FRAMES))
            bounds = np.linspace(start, stop, pieces + 1).astype(int).tolist()
            picks += [_pick(points, slice(*ends)) for ends in pairwise(bounds)]
    return picks


def _pick(points: np.ndarray, span: slice) -> ReferencePick:
    run = points[span]
    gap = lip_gap(run[:, MOTION_POINTS])
    pose = run[:, _POSE]
    oddness = np.abs(pose - np.median(pose, axis=0)).mean(axis=(1, 2))  # px away from the usual pose
    closed = _best(gap <= np.quantile(gap, 0.2), oddness)
    low, high = np.quantile(gap, [0.85, 0.98])
    opened = _best((gap >= low) & (gap <= high), oddness) if high > _OPEN_PX else closed
    return ReferencePick(span, span.start + closed, span.start + opened)


def _best(allowed: np.ndarray, oddness: np.ndarray) -> int:
    return int(np.argmin(np.where(allowed, oddness, np.inf)))
