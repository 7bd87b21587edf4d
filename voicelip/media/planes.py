"""8-bit 4:2:0 pictures kept as they were decoded: parts are converted to RGB and back, the rest is not."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicelip.media.colour import EXACT, FULL, QUICK, SWSCALE_MATRIX
from voicelip.media.picture import Box, Patch, Picture
from voicelip.media.values import ColourTags

FORMATS = ("yuv420p", "yuvj420p")
_MARGIN_PX = 4  # two chroma samples: what interpolation at a part's border looks at
_SIZE_STEP_PX = 64  # sizes of parts are rounded up, since making ready for another size takes long
_SIZES_KEPT = 4


@dataclass(frozen=True)
class Planes:
    """`y` (H, W), `u` and `v` (H/2, W/2) uint8, H and W even."""

    y: np.ndarray
    u: np.ndarray
    v: np.ndarray

    @classmethod
    def of(cls, frame: Any) -> "Planes":
        """The memory of an av.VideoFrame in one of `FORMATS`, not a copy."""
        return cls(*(_array(plane) for plane in frame.planes))

    def part(self, box: Box) -> "Planes":
        """A view of an even box."""
        left, top, right, bottom = box
        halves = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
        return Planes(self.y[top:bottom, left:right], self.u[halves], self.v[halves])

    def copy(self) -> "Planes":
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())

    def write(self, other: "Planes", where: np.ndarray) -> None:
        """Take over `other` of the same size at the pixels `where` (H, W) bool; colour is that of 2x2 pixels,
        any of which will do.
        """
        rows = where[::2] | where[1::2]
        cells = rows[:, ::2] | rows[:, 1::2]
        np.copyto(self.y, other.y, where=where)
        np.copyto(self.u, other.u, where=cells)
        np.copyto(self.v, other.v, where=cells)

    def frame(self, tags: ColourTags) -> Any:
        """A new av.VideoFrame in yuv420p that holds a copy."""
        from av import VideoFrame

        height, width = self.y.shape
        frame = VideoFrame(width, height, "yuv420p")
        frame.colorspace, frame.color_range = tags.matrix, tags.range
        self.fill(frame)
        return frame

    def fill(self, frame: Any) -> None:
        """Copy into an av.VideoFrame of the same size."""
        for mine, plane in zip((self.y, self.u, self.v), frame.planes, strict=True):
            _array(plane)[:] = mine


class PlanarPicture(Picture):
    """A picture in its decoder's planes."""

    def __init__(self, planes: Planes, tags: ColourTags, converter: "PlaneConverter") -> None:
        self.planes = planes
        self.tags = tags
        self.height, self.width = planes.y.shape
        self._converter = converter

    def rgb(self, box: Box | None = None, exact: bool = True) -> np.ndarray:
        left, top, right, bottom = box or (0, 0, self.width, self.height)
        if right <= left or bottom <= top:
            return np.zeros((max(0, bottom - top), max(0, right - left), 3), np.uint8)
        x, y, *ends = self._window((left, top, right, bottom))
        image = self._converter.to_rgb(self.planes.part((x, y, ends[0], ends[1])), self.tags, exact)
        return np.ascontiguousarray(image[top - y : bottom - y, left - x : right - x])

    def with_patch(self, patch: Patch) -> Picture:
        if not patch.changed.any():
            return self
        left, top, right, bottom = self._window(patch.box)
        image = self.rgb((left, top, right, bottom))
        inside = Patch(patch.left - left, patch.top - top, patch.image, patch.changed)
        inside.onto(image)
        where = np.zeros(image.shape[:2], bool)
        x0, y0, x1, y1 = inside.box
        where[y0:y1, x0:x1] = patch.changed
        planes = self.planes.copy()
        planes.part((left, top, right, bottom)).write(self._converter.from_rgb(image, self.tags), where)
        return PlanarPicture(planes, self.tags, self._converter)

    def _window(self, box: Box) -> Box:
        """The even box of a common size around `box` and what interpolation looks at."""
        left, right = _span(box[0], box[2], self.width)
        top, bottom = _span(box[1], box[3], self.height)
        return left, top, right, bottom


class PlaneConverter:
    """Converts pieces of pictures to RGB and back just as the whole would be. Safe to use from any thread.

    Where the colour samples lie between the pixels is only known to decoded frames, and PyAV does not let
    us say it: so frames of other sizes are derived from a decoded one, `sample`, and filled.
    """

    def __init__(self, sample: Any) -> None:
        self._sample = sample
        self._lock = threading.Lock()
        self._mine = threading.local()

    def to_rgb(self, planes: Planes, tags: ColourTags, exact: bool = True) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        height, width = planes.y.shape
        return self._tools(width, height).to_rgb(planes, tags, exact)

    def from_rgb(self, image: np.ndarray, tags: ColourTags) -> Planes:
        """(H, W, 3) uint8 RGB, H and W even → planes."""
        height, width = image.shape[:2]
        return self._tools(width, height).from_rgb(image, tags)

    def _tools(self, width: int, height: int) -> "_Tools":
        tools: dict[tuple[int, int], _Tools] = self._mine.__dict__.setdefault("tools", {})
        if (width, height) not in tools:
            if len(tools) >= _SIZES_KEPT:
                tools.clear()
            with self._lock:  # PyAV changes a frame's tags while it converts it
                tools[width, height] = _Tools(self._sample, width, height)
        return tools[width, height]


class _Tools:
    """One thread's converters, and the frames that they read from, for one size."""

    def __init__(self, sample: Any, width: int, height: int) -> None:
        from av.video.reformatter import VideoReformatter

        self._exact, self._quick, self._back = (VideoReformatter() for _ in range(3))
        # To RGB first: between formats that are the same already nothing would be made.
        self._rgb = VideoReformatter().reformat(sample, width, height, "rgb24", interpolation=QUICK)
        self._yuv = VideoReformatter().reformat(self._rgb, format="yuv420p", interpolation=QUICK)

    def to_rgb(self, planes: Planes, tags: ColourTags, exact: bool) -> np.ndarray:
        planes.fill(self._yuv)
        converted = (self._exact if exact else self._quick).reformat(
            self._yuv,
            format="rgb24",
            src_color_range=tags.range,
            dst_color_range=FULL,
            interpolation=EXACT if exact else QUICK,
            **_matrices(tags),
        )
        return converted.to_ndarray()

    def from_rgb(self, image: np.ndarray, tags: ColourTags) -> Planes:
        _array(self._rgb.planes[0], 3)[:] = image
        converted = self._back.reformat(
            self._rgb,
            format="yuv420p",
            src_color_range=FULL,
            dst_color_range=tags.range,
            interpolation=EXACT,
            **_matrices(tags),
        )
        return Planes.of(converted)


def _matrices(tags: ColourTags) -> dict[str, int]:
    matrix = SWSCALE_MATRIX[tags.matrix]
    return {"src_colorspace": matrix, "dst_colorspace": matrix, "threads": 1}


def _array(plane: Any, channels: int = 1) -> np.ndarray:
    """(H, W) or (H, W, channels) uint8 over a plane's memory."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    seen = rows[: plane.height, : plane.width * channels]
    return seen if channels == 1 else seen.reshape(plane.height, plane.width, channels)


def _span(start: int, stop: int, length: int) -> tuple[int, int]:
    """Even start and stop around the given ones, a margin added, of a common length, within 0 … `length`."""
    low, high = max(0, start // 2 * 2 - _MARGIN_PX), min(length, stop + stop % 2 + _MARGIN_PX)
    high = min(length, low + -(-(high - low) // _SIZE_STEP_PX) * _SIZE_STEP_PX)
    return max(0, high - -(-(high - low) // _SIZE_STEP_PX) * _SIZE_STEP_PX), high
