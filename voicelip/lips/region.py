"""Which part of the crop is regenerated, and the drawings that tell the renderer the shape of a mouth."""

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX
from voicelip.face.points import INNER_LIP, JAW, NOSE_BASE, OUTER_LIP

_CHIN_MARGIN_PX, _CHEEK_MARGIN_PX = (
    4.0,
    -6.0,
)  # below the chin there is room; beside the jaw, hair and background begin
_BORDER_PX = 6
_FEATHER_PX = 2.5
_SUBPIXEL_BITS = 4
_LIP_POINTS = len(OUTER_LIP)
_MOUTH_POINTS = len(OUTER_LIP) + len(INNER_LIP)


def blend_mask(points: np.ndarray) -> np.ndarray:
    """Opacity of the regenerated mouth over the source; landmarks (T, 478, 2) of a run in crop px → (96, 96)
    float32.

    One mask serves the whole run, so its edge stands still. It reaches from the base of the nose to just
    below the lowest chin and fades towards the crop's border.
    """
    jaw = np.median(points[:, JAW], axis=0)
    jaw[:, 1] = np.quantile(points[:, JAW, 1], 0.95, axis=0)
    centre = np.median(points[:, OUTER_LIP].mean(axis=1), axis=0)
    outward = jaw - centre
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    jaw = jaw + outward * np.interp(outward[:, 1:], [0.3, 0.9], [_CHEEK_MARGIN_PX, _CHIN_MARGIN_PX])
    nose = np.median(points[:, NOSE_BASE[::-1]], axis=0) + np.array([0, 1.0])
    mask = _fill(np.vstack((jaw, nose)), CROP_PX)
    mask = cv2.erode(mask, np.ones((3, 3), np.uint8))
    mask[:_BORDER_PX] = mask[-_BORDER_PX:] = 0
    mask[:, :_BORDER_PX] = mask[:, -_BORDER_PX:] = 0
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), _FEATHER_PX)


def hidden(mask: np.ndarray) -> np.ndarray:
    """The part of the crop that the renderer must not see: (96, 96) blend mask → (96, 96) float32 of 0 and
    1.
    """
    return (mask > 0.02).astype(np.float32)


def colour_gain(crop: np.ndarray, donor: np.ndarray) -> np.ndarray:
    """(3,) factor that gives another person's mouth, `donor`, the light of `crop`; both (96, 96, 3)."""
    area = (slice(20, 80), slice(20, 76))
    return np.clip((crop[area].mean((0, 1)) + 1e-3) / (donor[area].mean((0, 1)) + 1e-3), 0.4, 2.5)


def outlines(points: np.ndarray, size: int = CROP_PX // 2) -> np.ndarray:
    """Filled outer lip, inner mouth and jaw; `points` (55, 2) as `MOTION_POINTS` in crop px → (3, size,
    size) uint8.
    """
    scale = size / CROP_PX
    placed = (points + 0.5) * scale - 0.5
    rings = (placed[:_LIP_POINTS], placed[_LIP_POINTS:_MOUTH_POINTS], placed[_MOUTH_POINTS:])
    return np.stack([_fill(ring, size) for ring in rings])


def _fill(ring: np.ndarray, size: int) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    fixed = np.round(np.clip(ring, -size, 2 * size) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    return canvas
