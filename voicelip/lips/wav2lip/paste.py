"""The drawn 96 px face back into the frame: as a feathered mouth, or the whole box as published."""

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX
from voicelip.lips.compositor import colour_field

Box = tuple[int, int, int, int]

_BOX_FEATHER = 1 / 24  # of the box's height: the mask must have faded where the drawn half ends


def paste_hard(frame: np.ndarray, box: Box, drawn: np.ndarray) -> np.ndarray:
    """The published paste: `drawn` (96, 96, 3) in 0–1 is cut to whole numbers, enlarged, put over the box."""
    left, top, right, bottom = box
    result = frame.copy()
    result[top:bottom, left:right] = cv2.resize((drawn * 255).astype(np.uint8), (right - left, bottom - top))
    return result


def paste_mouth(
    frame: np.ndarray, box: Box, drawn: np.ndarray, to_frame: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Only the mouth of `drawn`, matched in colour to its surroundings; the rest keeps the frame's own bytes.

    `mask` (96, 96) is the mouth's opacity in crop px, `to_frame` (2, 3) maps crop px to frame px.
    """
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    place = to_frame.copy()
    place[:, 2] -= (left, top)
    area = frame[top:bottom, left:right].astype(np.float32) / 255
    face = cv2.resize(drawn, size, interpolation=cv2.INTER_CUBIC)
    step = colour_field(_crop(area, place), _crop(face, place), mask)
    face = face + cv2.warpAffine(step, place, size, borderMode=cv2.BORDER_REPLICATE)
    alpha = (cv2.warpAffine(mask, place, size) * _drawn_half(size))[..., None]
    blended = np.clip(np.rint((area + alpha * (face - area)) * 255), 0, 255).astype(np.uint8)
    result = frame.copy()
    # Where nothing is blended the source's own bytes stay, untouched by rounding.
    result[top:bottom, left:right] = np.where(alpha > 0, blended, result[top:bottom, left:right])
    return result


def _crop(area: np.ndarray, place: np.ndarray) -> np.ndarray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(area, place, (CROP_PX, CROP_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _drawn_half(size: tuple[int, int]) -> np.ndarray:
    """(h, w) float32: 1 within the lower half, which the network drew unseen; 0 at its border and above."""
    reach = max(1.0, _BOX_FEATHER * size[1])

    def ramp(length: int) -> np.ndarray:
        middle = np.arange(length, dtype=np.float32)
        return np.clip(np.minimum(middle, length - 1 - middle) / reach, 0, 1)

    hidden = size[1] - size[1] // 2
    rows = np.concatenate([np.zeros(size[1] - hidden, np.float32), ramp(hidden)])
    return rows[:, None] * ramp(size[0])[None, :]
