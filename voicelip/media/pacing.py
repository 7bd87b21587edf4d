"""Fitting a clip's length to the speech: back and forth, hold, cut, or keep."""

from collections.abc import Iterator
from itertools import islice
from typing import Literal

from voicelip.errors import UnreadableMediaError
from voicelip.media.clip import Clip
from voicelip.media.values import Frame

WhenShort = Literal["bounce", "hold"]
WhenLong = Literal["cut", "keep"]


def paced_length(available: int, wanted: int, when_long: WhenLong = "cut") -> int:
    """How many frames come out when a clip of `available` frames meets a speech of `wanted`."""
    return max(wanted, available) if when_long == "keep" else wanted


def source_index(position: int, available: int, when_short: WhenShort = "bounce") -> int:
    """Which of `available` source frames is shown at output frame `position`."""
    if position < available:
        return position
    if when_short == "hold" or available == 1:
        return available - 1
    place = position % (2 * available - 2)
    return min(place, 2 * available - 2 - place)


def source_indices(
    available: int, wanted: int, when_short: WhenShort = "bounce", when_long: WhenLong = "cut"
) -> Iterator[int]:
    """The source frame of every output frame: 0 … n-1, then n-2 … 1, 0, 1 … (bounce) or n-1, n-1 … (hold)."""
    length = paced_length(available, wanted, when_long)
    return (source_index(position, available, when_short) for position in range(length))


def paced_frames(
    clip: Clip, wanted: int, when_short: WhenShort = "bounce", when_long: WhenLong = "cut"
) -> Iterator[Frame]:
    """The frames of `source_indices`, in constant memory; `Frame.index` is the source index.

    A clip that turns out damaged is as long as what could be read of it.
    """
    length = paced_length(clip.info.frame_count, wanted, when_long)
    available = 0
    for frame in clip.frames(0, min(length, clip.info.frame_count)):
        available += 1
        yield frame
    if available == 0 and length > 0:
        raise UnreadableMediaError(f"{clip.path}: no picture in it can be decoded; export it again")
    missing = paced_length(available, wanted, when_long) - available
    if missing > 0:
        again = (
            _bounce(clip, available)
            if when_short == "bounce" and available > 1
            else _hold(clip, available - 1)
        )
        yield from islice(again, missing)


def _hold(clip: Clip, index: int) -> Iterator[Frame]:
    for held in clip.frames(index, index + 1):
        while True:
            yield Frame(held.index, held.time_s, held.picture)


def _bounce(clip: Clip, available: int) -> Iterator[Frame]:
    while True:
        yield from clip.frames_backwards(available - 2)
        yield from clip.frames(1, available)
