"""The drawn 96 px face back into the frame: as a feathered mouth, or the whole box as published."""

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX
from voicelip.lips.compositor import colour_field
from voicelip.media import Box, Patch

_BOX_FEATHER = 1 / 24  # of the box's height: the mask must have faded where the drawn half ends


def paste_hard(area: np.ndarray, box: Box, drawn: np.ndarray) -> Patch:
    """The published paste: `drawn` (96, 96, 3) in 0–1 is cut to whole numbers, enlarged, put over the box.

    `area` (h, w, 3) uint8 is what the frame shows in the box.
    """
    height, width = area.shape[:2]
    image = cv2.resize((drawn * 255).astype(np.uint8), (width, height))
    return Patch(box[0], box[1], image, np.ones((height, width), bool))


def paste_mouth(
    area: np.ndarray, box: Box, drawn: np.ndarray, to_frame: np.ndarray, mask: np.ndarray
) -> Patch:
    """Only the mouth of `drawn`, matched in colour to its surroundings; the rest keeps the frame's own bytes.

    `area` (h, w, 3) uint8 is what the frame shows in the box, `mask` (96, 96) the mouth's opacity in crop px,
    `to_frame` (2, 3) maps crop px to frame px.
    """
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    place = to_frame.copy()
    place[:, 2] -= (left, top)
    seen = area.astype(np.float32) / 255
    face = cv2.resize(drawn, size, interpolation=cv2.INTER_CUBIC)
    step = colour_field(_crop(seen, place), _crop(face, place), mask)
    face = face + cv2.warpAffine(step, place, size, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask, place, size) * _drawn_half(size)
    blended = np.clip(np.rint((seen + alpha[..., None] * (face - seen)) * 255), 0, 255).astype(np.uint8)
    return Patch(left, top, blended, alpha > 0)


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
