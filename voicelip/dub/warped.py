"""Sound read along a time map: at its own pace where the picture is, else slowed at its own pitch."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np

from voicelip.dub.timemap import TimeMap
from voicelip.media.sound_stream import SoundReader
from voicelip.media.tempo import TempoFilter

_AROUND_S = 0.1  # heard before and after a slowed stretch, so that it joins what is there
_LAG_S = 0.015  # by which atempo is early, about
_FADE_S = 0.02


def warped(reader: SoundReader, times: TimeMap, length: int, block: int) -> Iterator[np.ndarray]:
    """`length` samples of the dub's time, in blocks of (C, `block`) at most."""
    rate, made = reader.rate, 0
    source = _Window(reader)
    for first, last, out in _stretches(times, rate, length):
        if made >= length:
            return
        parts: Iterator[np.ndarray]
        if last - first == out:
            parts = (source.read(at, min(at + block, last)) for at in range(first, last, block))
        else:
            parts = iter([_slowed(source, first, last, out)])
        for part in parts:
            part = part[:, : length - made]
            made += part.shape[1]
            yield part


def _stretches(times: TimeMap, rate: int, length: int) -> Iterator[tuple[int, int, int]]:
    """First and past-the-last sample of the source, and how many samples they are to last."""
    knots = [(round(clip * rate), round(dub * rate)) for clip, dub in times.knots]
    for (clip, dub), (next_clip, next_dub) in pairwise(knots):
        yield clip, next_clip, next_dub - dub
    clip, dub = knots[-1]
    if length > dub:
        yield clip, clip + length - dub, length - dub


def _slowed(source: "_Window", first: int, last: int, out: int) -> np.ndarray:
    """(C, `out`) of samples `first` to `last`, faded into what is around them."""
    rate = source.rate
    around, fade = round(_AROUND_S * rate), round(_FADE_S * rate)
    heard = source.read(first - around, last + around)
    factor = Fraction(last - first, out)
    tempo = TempoFilter(rate, len(heard), float(factor))
    slow = np.concatenate([tempo.push(heard), tempo.end()], axis=1)
    start = max(0, round(around / factor) - round(_LAG_S * rate))
    slow = np.pad(slow[:, start : start + out], ((0, 0), (0, max(0, start + out - slow.shape[1]))))
    fade = min(fade, out // 2, around)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    slow[:, :fade] = slow[:, :fade] * ramp + heard[:, around : around + fade] * (1 - ramp)
    end = heard.shape[1] - around
    slow[:, -fade:] = slow[:, -fade:] * ramp[::-1] + heard[:, end - fade : end] * ramp
    return slow


class _Window:
    """A reader of which the last moments may be read again, and the next ones ahead."""

    def __init__(self, reader: SoundReader) -> None:
        self.rate = reader.rate
        self._reader, self._start = reader, 0
        self._kept = np.zeros((reader.channels, 0), np.float32)
        self._around = round(_AROUND_S * reader.rate)

    def read(self, first: int, last: int) -> np.ndarray:
        """Samples `first` to `last`; zeros before the beginning."""
        end = self._start + self._kept.shape[1]
        if last > end:
            self._kept = np.concatenate([self._kept, self._reader.read(last - end)], axis=1)
        got = self._kept[:, max(0, first - self._start) : last - self._start]
        dropped = max(0, last - 2 * self._around - self._start)
        self._kept, self._start = self._kept[:, dropped:], self._start + dropped
        return np.pad(got, ((0, 0), (max(0, -first), 0)))
