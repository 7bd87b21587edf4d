"""Pictures whose parts become RGB only when somebody looks at them, and patches that change a part."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import cv2
import numpy as np

Box = tuple[int, int, int, int]  # left, top, right, bottom in px, the last two exclusive


@dataclass(frozen=True)
class Patch:
    """A part of a picture made anew: `image` (h, w, 3) uint8 RGB, its upper left pixel at (`left`, `top`).

    Only where `changed` (h, w) bool is set does it count; elsewhere the picture stays what it was.
    """

    left: int
    top: int
    image: np.ndarray
    changed: np.ndarray

    @property
    def box(self) -> Box:
        height, width = self.changed.shape
        return self.left, self.top, self.left + width, self.top + height

    @classmethod
    def nothing(cls) -> "Patch":
        """Leaves every picture as it is."""
        return cls(0, 0, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), bool))

    def faded(self, picture: "Picture", opacity: float) -> "Patch":
        """The same at `opacity` (0–1) over what `picture` shows there."""
        if opacity >= 1 or not self.changed.any():
            return self
        if opacity <= 0:
            return Patch.nothing()
        mixed = cv2.addWeighted(self.image, opacity, picture.rgb(self.box), 1 - opacity, 0)
        return Patch(self.left, self.top, mixed, self.changed)

    def onto(self, image: np.ndarray) -> None:
        """Write on `image` (H, W, 3) uint8 RGB."""
        left, top, right, bottom = self.box
        if self.changed.any():
            cv2.copyTo(self.image, self.changed.view(np.uint8), image[top:bottom, left:right])


class Picture(ABC):
    """One upright picture of `width` x `height` px; it is never changed."""

    width: int
    height: int

    @abstractmethod
    def rgb(self, box: Box | None = None, exact: bool = True) -> np.ndarray:
        """The part in `box`, by default all: (h, w, 3) uint8 RGB, contiguous, the receiver's own to write on.

        A part has the very pixels that the whole has there. Without `exact` colours are off by up to two
        levels, for a tenth of the time: enough for finding things.
        """

    @abstractmethod
    def with_patch(self, patch: Patch) -> "Picture":
        """This picture with the patch on it. What the patch does not change is kept as it is stored."""


class RgbPicture(Picture):
    """A picture in memory, (H, W, 3) uint8 RGB, which must not be written on any more."""

    def __init__(self, image: np.ndarray) -> None:
        self._image = image
        self.height, self.width = image.shape[:2]

    def rgb(self, box: Box | None = None, exact: bool = True) -> np.ndarray:
        return _part(self._image, box)

    def with_patch(self, patch: Patch) -> Picture:
        image = self._image.copy()
        patch.onto(image)
        return RgbPicture(image)


class ConvertedPicture(Picture):
    """A picture that can only be converted whole: when it is first looked at, and once.

    `convert` gives the upright picture, exactly or quickly as it is asked to.
    """

    def __init__(self, width: int, height: int, convert: Callable[[bool], np.ndarray]) -> None:
        self.width, self.height = width, height
        self._convert = convert
        self._converted: dict[bool, np.ndarray] = {}
        self._lock = Lock()

    def rgb(self, box: Box | None = None, exact: bool = True) -> np.ndarray:
        return _part(self._whole(exact), box)

    def with_patch(self, patch: Patch) -> Picture:
        return RgbPicture(self._whole(True)).with_patch(patch)

    def _whole(self, exact: bool) -> np.ndarray:
        with self._lock:
            if True in self._converted:
                exact = True
            elif exact not in self._converted:
                self._converted = {exact: self._convert(exact)}
            return self._converted[exact]


def _part(image: np.ndarray, box: Box | None) -> np.ndarray:
    left, top, right, bottom = box or (0, 0, image.shape[1], image.shape[0])
    return image[top:bottom, left:right].copy()
