"""A small visible mark, "AI", in a picture's upper left corner; all other pixels stay as they are."""

import functools

import cv2
import numpy as np

from voicelip.media.picture import Patch, Picture

_TEXT = "AI"
_HEIGHT, _MARGIN = 0.07, 0.03  # of the picture's shorter side
_SMALLEST_PX = 14
_FINER = 8  # drawn so many times larger, for smooth edges
_LETTERS = 0.62  # of the mark's height
_GROUND = 0.65  # how dark the ground behind the letters is


def labelled(picture: Picture) -> Picture:
    """The picture with the mark on it; one too small for it to be read stays as it is."""
    ground, letters = _drawn(min(picture.width, picture.height))
    height, width = ground.shape
    margin = round(_MARGIN * min(picture.width, picture.height) / 2) * 2
    box = (margin, margin, margin + width, margin + height)
    if box[2] > picture.width or box[3] > picture.height:
        return picture
    below = picture.rgb(box).astype(np.float32)
    dark = below * (1 - _GROUND * ground[..., None])
    image = dark + letters[..., None] * (255 - dark)
    return picture.with_patch(Patch(margin, margin, np.rint(image).astype(np.uint8), ground > 0))


@functools.lru_cache(maxsize=4)
def _drawn(side: int) -> tuple[np.ndarray, np.ndarray]:
    """How opaque ground and letters are, each (h, w) float32 in 0–1, of even size, for a picture's side."""
    height = max(_SMALLEST_PX, round(_HEIGHT * side / 2) * 2)
    font, tall = cv2.FONT_HERSHEY_DUPLEX, height * _FINER
    scale = cv2.getFontScaleFromHeight(font, round(_LETTERS * tall))
    stroke = max(1, tall // 12)
    (text_px, _), _ = cv2.getTextSize(_TEXT, font, scale, stroke)
    width = round((text_px / _FINER + 0.5 * height) / 2) * 2
    ground = np.zeros((tall, width * _FINER), np.uint8)
    letters = np.zeros_like(ground)
    radius = tall // 4
    cv2.rectangle(ground, (radius, 0), (ground.shape[1] - 1 - radius, tall - 1), 255, -1)
    cv2.rectangle(ground, (0, radius), (ground.shape[1] - 1, tall - 1 - radius), 255, -1)
    for x in (radius, ground.shape[1] - 1 - radius):
        for y in (radius, tall - 1 - radius):
            cv2.circle(ground, (x, y), radius, 255, -1)
    start = ((ground.shape[1] - text_px) // 2, round(tall * (1 + _LETTERS) / 2))
    cv2.putText(letters, _TEXT, start, font, scale, 255, stroke, cv2.LINE_AA)
    size = (width, height)
    fine = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (ground, letters)]
    return fine[0].astype(np.float32) / 255, fine[1].astype(np.float32) / 255
