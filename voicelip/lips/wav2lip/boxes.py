"""The upright face box that published Wav2Lip cuts, from Face Mesh landmarks.

The published pipeline takes S3FD's box, which reaches from the forehead to the chin and from cheek to cheek.
The bounding box of the mesh's points covers the same: its highest point (10) lies on the forehead below the
hairline, its lowest (152) on the chin. Padding, clipping and smoothing are then the published ones.
"""

from itertools import pairwise

import numpy as np

from voicelip.face import MouthCrops
from voicelip.lips.wav2lip.options import Sides

_SMOOTHED_FRAMES = 5
_JUMP = 0.3  # a box that moves by more than this share of its width within a frame is in another shot


def face_boxes(crops: MouthCrops, height: int, width: int, pads: Sides, smooth: bool) -> np.ndarray:
    """(T, 4) int64 left, top, right, bottom in frame px, the last two exclusive; zeros without a usable
    face. `pads` are px of the footage, whatever its size: top, bottom, left, right.
    """
    points = np.einsum("tij,tkj->tki", crops.to_frame[:, :, :2], crops.points) + crops.to_frame[:, None, :, 2]
    top, bottom, left, right = pads
    boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    boxes = np.clip(boxes + np.array([-left, -top, right, bottom]), 0, [width, height, width, height])
    result = np.zeros(boxes.shape, np.int64)
    for run in stretches(boxes):
        whole = boxes[run].astype(np.int64)
        result[run] = _smoothed(whole) if smooth else whole
    return result


def stretches(boxes: np.ndarray) -> list[slice]:
    """Runs of frames with a face that is not suddenly elsewhere; `boxes` (T, 4), NaN or zeros without one."""
    usable = boxes[:, 2] > boxes[:, 0]  # false for NaN
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = boxes[:, 2] - boxes[:, 0]
    jumps = np.abs(np.diff(centres, axis=0)).max(axis=1) > _JUMP * sides[1:]
    edges = np.flatnonzero((usable[1:] != usable[:-1]) | jumps) + 1
    return [slice(a, b) for a, b in pairwise([0, *edges.tolist(), len(boxes)]) if b > a and usable[a]]


def _smoothed(boxes: np.ndarray) -> np.ndarray:
    """The published mean over this and the next four boxes, in whole px and in place: the last see smoothed
    ones.
    """
    boxes = boxes.copy()
    last = max(0, len(boxes) - _SMOOTHED_FRAMES)
    for index in range(len(boxes)):
        start = min(index, last)
        boxes[index] = boxes[start : start + _SMOOTHED_FRAMES].mean(axis=0)
    return boxes
