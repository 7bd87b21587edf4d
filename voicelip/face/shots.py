"""Where one camera shot ends and the next begins."""

from enum import Enum

import cv2
import numpy as np

from voicelip.face.mesh import Region

_THUMBNAIL_PX = 32
_CERTAIN = 30.0  # mean grey difference of two thumbnails that always means a new shot
_POSSIBLE = 8.0  # … that means one if the picture was much calmer just before
_CALMER = 6.0
_MEMORY = 8  # frames
_BLANK_SPREAD = 2.0  # grey levels
_USUAL_SPREAD = 40.0
_PATCH_PX = 24
_OTHER_PATCH = 12.0  # mean grey difference, evenly lit, of two faces at one place; shaken cameras stay below


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
        self._images: list[np.ndarray] = []  # the last two
        self._changes: list[float] = []

    def see(self, image: np.ndarray) -> Cut:
        """Take in the next frame (H, W, 3) uint8; the first one is a cut."""
        grey = _thumbnail(image)
        self._images = [*self._images[-1:], image]
        self.is_blank = float(grey.std()) < _BLANK_SPREAD
        previous, self._previous = self._previous, grey
        if previous is None:
            return Cut.YES
        change = min(_difference(grey, previous), _difference(_evenly_lit(grey), _evenly_lit(previous)))
        stands_out = self._stands_out(change)
        self._changes = [*self._changes[1 - _MEMORY :], change]
        if change > _CERTAIN:
            return Cut.YES
        return Cut.PERHAPS if stands_out else Cut.NO

    def begin(self) -> None:
        """The frame just seen begins a shot."""
        self.number += 1
        self._changes = []

    def looks_the_same(self, region: Region) -> bool:
        """Whether the last two frames show the same in `region`, however bright: a face that is where it was
        may be another's, or the same one's some words later.
        """
        if len(self._images) < 2:
            return False
        before, now = (_evenly_lit(_patch(image, region)) for image in self._images)
        return _difference(before, now) < _OTHER_PATCH

    def _stands_out(self, change: float) -> bool:
        """Whether the picture changed far more than just before: a cut between similar pictures."""
        return len(self._changes) >= _MEMORY // 2 and change > max(_POSSIBLE, _CALMER * max(self._changes))


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def _evenly_lit(grey: np.ndarray) -> np.ndarray:
    """As if the light were always the same: lamps that flicker and fades are no cuts."""
    return _USUAL_SPREAD * (grey - grey.mean()) / max(float(grey.std()), _BLANK_SPREAD)


def _patch(image: np.ndarray, region: Region) -> np.ndarray:
    """(24, 24) float grey of the upper half of a face, as far as it is in the picture: hands and papers come
    before the lower.
    """
    height, width = image.shape[:2]
    half = max(region.side / 2, 1)
    left, top = (
        int(np.clip(place - half, 0, end - 1)) for place, end in ((region.x, width), (region.y, height))
    )
    right, bottom = max(left + 1, int(region.x + half)), max(top + 1, int(region.y))
    part = image[top:bottom, left:right]
    return cv2.resize(part, (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA).mean(axis=2)


def _thumbnail(image: np.ndarray) -> np.ndarray:
    """(32, 32) float grey; of a large frame only every n-th pixel is read: enough, and much faster."""
    step = max(1, min(image.shape[:2]) // 144)
    small = cv2.resize(image[::step, ::step], (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    return small.mean(axis=2)
