"""The display matrix: how a stored picture must be turned and mirrored to stand upright."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Orientation:
    """Steps from the stored to the upright picture, applied in this order."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def rotation(self) -> int:
        """The rotation part in degrees counter-clockwise: 0, 90, 180 or 270."""
        if self.transpose:
            return 90 if self.mirror_y else 270
        return 180 if self.mirror_y else 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after turning."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) stored picture as a contiguous upright one."""
        if self == Orientation():
            return image
        turned = image.transpose(1, 0, 2) if self.transpose else image
        turned = turned[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]
        return np.ascontiguousarray(turned)


def orientation_of(frame: Any) -> Orientation:
    """The orientation that a decoded frame (av.VideoFrame) carries; angles go to the nearest right angle."""
    kinds = _side_data_kinds()
    data = frame.side_data.get(kinds.DISPLAYMATRIX)
    if data is None:
        return Orientation()
    return _from_matrix(np.frombuffer(bytes(data)[:36], dtype=np.int32).reshape(3, 3))


@functools.cache
def _side_data_kinds() -> Any:
    """PyAV's enumeration of side data, made to bear kinds that it has no name for.

    FFmpeg 8 attaches EXIF (31) to the pictures of phones and cameras; PyAV 18 knows kinds up to 27 and would
    raise ValueError for the whole frame.
    """
    from av.sidedata.sidedata import Type

    def unnamed(cls: Any, value: int) -> Any:
        kind = object.__new__(cls)
        kind._name_, kind._value_ = f"UNNAMED_{value}", value
        return kind

    Type._missing_ = classmethod(unnamed)  # type: ignore[assignment, method-assign]
    return Type


def _from_matrix(matrix: np.ndarray) -> Orientation:
    # FFmpeg's rows map a stored point: x' = a x + c y, y' = b x + d y, with y pointing down.
    (a, b, _), (c, d, _), _ = matrix.astype(np.int64)
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transpose=True, mirror_x=bool(c < 0), mirror_y=bool(b < 0))
    return Orientation(mirror_x=bool(a < 0), mirror_y=bool(d < 0))
