"""A small upright picture of one face, the same size whatever the footage: what judging a face looks at."""

import cv2
import numpy as np

from voicelip.face.points import LEFT_EYE_OUTER, RIGHT_EYE_OUTER

PORTRAIT_PX = 96
PORTRAIT_IOD_PX = 40.0  # distance of the outer eye corners
_EYES_XY = (48.0, 33.6)  # where the middle between them lies
_LARGEST_OVERSAMPLING = 3


def portrait(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(96, 96, 3) uint8 of the face with landmarks `points` (478, 2+) in `image` (H, W, 3), eyes level."""
    left, right = points[[LEFT_EYE_OUTER, RIGHT_EYE_OUTER], :2].astype(np.float64)
    along = (right - left) / PORTRAIT_IOD_PX
    # warpAffine reads single pixels, so a large face is drawn larger first and then averaged down.
    times = int(np.clip(np.floor(np.hypot(*along) + 0.5), 1, _LARGEST_OVERSAMPLING))
    along = along / times
    to_frame = np.array([[along[0], -along[1], 0.0], [along[1], along[0], 0.0]])
    offset = (times - 1) / 2
    to_frame[:, 2] = (left + right) / 2 - to_frame[:, :2] @ (np.array(_EYES_XY) * times + offset)
    side = PORTRAIT_PX * times
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(image, to_frame, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if times == 1:
        return drawn
    return cv2.resize(drawn, (PORTRAIT_PX, PORTRAIT_PX), interpolation=cv2.INTER_AREA)


def places(cell_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the middles of square cells lie: (x, y) from amid the eyes, in inter-ocular distances."""
    middles = np.arange(PORTRAIT_PX // cell_px) * cell_px + cell_px / 2
    y, x = np.meshgrid(middles, middles, indexing="ij")
    return (x - _EYES_XY[0]) / PORTRAIT_IOD_PX, (y - _EYES_XY[1]) / PORTRAIT_IOD_PX
