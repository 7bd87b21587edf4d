"""Where one camera shot ends and the next begins."""

from enum import Enum

import cv2
import numpy as np

_THUMBNAIL_PX = 32
_CERTAIN = 30.0  # mean grey difference of two thumbnails that always means a new shot
_POSSIBLE = 8.0  # … that means one if the picture was much calmer just before
_CALMER = 6.0
_MEMORY = 8  # frames
_BLANK_SPREAD = 2.0  # grey levels


class Cut(Enum):
    """Whether a frame begins a new shot, as far as the picture as a whole tells."""

    NO = 0
    PERHAPS = 1
    YES = 2


class ShotFinder:
    """Watches for cuts; `number` is the present shot, from 0, `is_blank` that the frame shows nothing."""

    def __init__(self) -> None:
        self.number = -1
        self.is_blank = False
        self._previous: np.ndarray | None = None
        self._changes: list[float] = []

    def see(self, image: np.ndarray) -> Cut:
        """Take in the next frame (H, W, 3) uint8; the first one is a cut."""
        grey = _thumbnail(image)
        self.is_blank = float(grey.std()) < _BLANK_SPREAD
        previous, self._previous = self._previous, grey
        if previous is None:
            return Cut.YES
        change = float(np.abs(grey - previous).mean())
        stands_out = self._stands_out(change)
        self._changes = [*self._changes[1 - _MEMORY :], change]
        if change > _CERTAIN:
            return Cut.YES
        return Cut.PERHAPS if stands_out else Cut.NO

    def begin(self) -> None:
        """The frame just seen begins a shot."""
        self.number += 1
        self._changes = []

    def _stands_out(self, change: float) -> bool:
        """Whether the picture changed far more than just before: a cut between similar pictures."""
        return len(self._changes) >= _MEMORY // 2 and change > max(_POSSIBLE, _CALMER * max(self._changes))


def _thumbnail(image: np.ndarray) -> np.ndarray:
    """(32, 32) float grey; of a large frame only every n-th pixel is read: enough, and much faster."""
    step = max(1, min(image.shape[:2]) // 144)
    small = cv2.resize(image[::step, ::step], (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    return small.mean(axis=2)
