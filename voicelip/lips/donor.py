"""A rendered open mouth, which belongs to nobody: it lends teeth and the dark behind them to people whose
clip never shows theirs.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX
from voicelip.lips.compositor import ReferenceView
from voicelip.lips.motion import lip_gap
from voicelip.lips.references import PARTED_PX
from voicelip.lips.region import colour_gain, outlines

_INSIDE_BLUR_PX = 0.8
_SCATTER = 0.15  # share of contrast that an inner mouth loses to scattered light


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
    inside *= float(np.clip((lip_gap(target) - PARTED_PX[0]) / (PARTED_PX[1] - PARTED_PX[0]), 0, 1))
    lent = weights * (1 - inside)
    lent[1] += inside
    return lent
