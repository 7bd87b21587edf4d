"""Where in each frame the network looks, and which part of what it draws is the mouth."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from voicelip.face import CROP_PX, MouthCrops
from voicelip.lips.region import blend_mask
from voicelip.lips.wav2lip.boxes import face_boxes, stretches
from voicelip.lips.wav2lip.options import Wav2LipOptions
from voicelip.media import Box

# The mouth in a face's box when nothing is known of the face: centre and radii in box sides.
_MOUTH_XY, _MOUTH_RADII = (0.5, 0.76), (0.3, 0.2)
_FEATHER_PX = 3.0

Mouth = tuple[np.ndarray, np.ndarray]  # crop px to frame px (2, 3), and the opacity (96, 96) in crop px


@dataclass(frozen=True)
class Places:
    """By source frame: the face's `box`, which is empty in frames without one, and its `mouth`."""

    box: Callable[[int], Box]
    mouth: Callable[[int], Mouth]

    def is_usable(self, index: int) -> bool:
        left, top, right, bottom = self.box(index)
        return right - left > 1 and bottom - top > 1


def followed_places(crops: MouthCrops, height: int, width: int, options: Wav2LipOptions) -> Places:
    """Of the face that was followed through the clip."""
    boxes = face_boxes(crops, height, width, options.pads, options.smooth)
    masks = [(run, blend_mask(crops.points[run])) for run in stretches(boxes)]

    def box(index: int) -> Box:
        left, top, right, bottom = boxes[index].tolist()
        return left, top, right, bottom

    def mouth(index: int) -> Mouth:
        return crops.to_frame[index], next(mask for run, mask in masks if run.start <= index < run.stop)

    return Places(box, mouth)


def fixed_places(box: Box) -> Places:
    """One box for all frames, whatever they show."""
    left, top, right, bottom = box
    to_frame = np.array([[(right - left) / CROP_PX, 0, left], [0, (bottom - top) / CROP_PX, top]])
    mask = np.zeros((CROP_PX, CROP_PX), np.uint8)
    centre = tuple(round(CROP_PX * share) for share in _MOUTH_XY)
    radii = tuple(round(CROP_PX * share) for share in _MOUTH_RADII)
    cv2.ellipse(mask, centre, radii, 0, 0, 360, 255, -1)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), _FEATHER_PX)
    return Places(lambda index: box, lambda index: (to_frame, soft))
