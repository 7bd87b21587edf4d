"""What there is to judge a talking face by: numbers and small pictures, wherever they were taken from."""

from dataclasses import dataclass

import numpy as np

CROP_PX = 128
PX_PER_IOD = 70.5  # px of a crop for the distance of the outer eye corners


@dataclass(frozen=True)
class FaceEvidence:
    """One face through some seconds of a video.

    `points` (T, 478, 2) float32 are Face Mesh's landmarks in px of the video, NaN in frames without a face.
    `crops` (N, 2, 128, 128, 3) uint8 RGB show the mouth and what is around it, upright and at one size, each
    time in two frames on end: `crop_frames` (N,) and those after them. `crop_to_frame` (N, 2, 3) maps crop px
    to the video's; `crop_points` (N, 478, 2) float32 are the first one's landmarks in crop px.
    `opening` (T,) is how far the lips are apart, NaN without a face, and `expected` (T,) how far they would
    be by the sound alone, None where there is none.
    """

    fps: float
    points: np.ndarray
    crops: np.ndarray
    crop_frames: np.ndarray
    crop_to_frame: np.ndarray
    crop_points: np.ndarray
    opening: np.ndarray
    expected: np.ndarray | None
