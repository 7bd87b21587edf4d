"""The dubbed speech of a whole clip as one long sound, put together where it is asked for."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicelip.dub.job import CueState
from voicelip.dub.takes import Spoken, Takes, stretched
from voicelip.dub.timemap import TimeMap
from voicelip.dub.turns import Turn
from voicelip.media import Audio

_KEPT = 6  # cues, ready at the track's rate


@dataclass(frozen=True)
class Placed:
    """A cue's speech: its first sample on the track, and how many there are at most."""

    cue: CueState
    first: int
    longest: int


class SpeechTrack:
    """(N,) float32 at `rate`, silent where nobody speaks."""

    def __init__(self, cues: Sequence[CueState], takes: Takes, rate: int) -> None:
        self._takes, self.rate = takes, rate
        self._placed = sorted((self._place(cue) for cue in cues if cue.fit), key=lambda each: each.first)
        self._sound: Callable[[CueState], np.ndarray] = _remembered(self._make)

    @property
    def end(self) -> int:
        """The sample after the last one that is heard."""
        return max((each.first + len(self._sound(each.cue)) for each in self._placed), default=0)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples `start` up to, not including, `stop`."""
        block = np.zeros(stop - start, np.float32)
        for each in self._placed:
            if each.first >= stop:
                break
            if each.first + each.longest <= start:
                continue
            sound = self._sound(each.cue)
            first, last = max(each.first, start), min(each.first + len(sound), stop)
            if first < last:
                block[first - start : last - start] += sound[first - each.first : last - each.first]
        return block

    def pieces(self) -> Iterator[tuple[int, np.ndarray]]:
        """Every cue's first sample and its sound."""
        return ((each.first, self._sound(each.cue)) for each in self._placed)

    def _place(self, cue: CueState) -> Placed:
        assert cue.fit is not None
        spoken = self._spoken(cue)
        before = -(-spoken.first * self.rate // spoken.rate)
        first = round(cue.fit.start_s * self.rate) - before
        return Placed(cue, first, -(-len(spoken.samples) * self.rate // spoken.rate))

    def _spoken(self, cue: CueState) -> Spoken:
        assert cue.take is not None
        assert cue.fit is not None
        return stretched(self._takes.spoken(cue.take), cue.fit.stretch)

    def _make(self, cue: CueState) -> np.ndarray:
        spoken = self._spoken(cue)
        return Audio(spoken.samples, spoken.rate).resampled(self.rate).samples


def _remembered(make: Callable[[CueState], np.ndarray]) -> Callable[[CueState], np.ndarray]:
    """The same, keeping the latest few; cues are told apart by their numbers."""
    known: dict[int, CueState] = {}

    @functools.lru_cache(_KEPT)
    def made(number: int) -> np.ndarray:
        return make(known[number])

    def sound(cue: CueState) -> np.ndarray:
        known[cue.number] = cue
        return made(cue.number)

    return sound


def turns(cues: Sequence[CueState]) -> tuple[Turn, ...]:
    """Who is heard when, in order of time."""
    heard = [Turn(cue.speaker, cue.fit.start_s, cue.fit.end_s) for cue in cues if cue.fit]
    return tuple(sorted(heard, key=lambda turn: (turn.start_s, turn.speaker)))


def slots(cues: Sequence[CueState], times: TimeMap) -> list[tuple[float, float]]:
    """The subtitles' times and those of their speech, in seconds of the dub."""
    meant = [(float(times.output(cue.start_s)), float(times.output(cue.end_s))) for cue in cues]
    return [*meant, *((cue.fit.start_s, cue.fit.end_s) for cue in cues if cue.fit)]


def write_stem(path: Path, track: SpeechTrack, samples: int) -> np.ndarray:
    """The track as a file of raw float32, read where it is needed; silence takes no room on most disks."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        for first, sound in track.pieces():
            start = max(0, first)
            stop = min(first + len(sound), samples)
            if stop <= start:
                continue
            file.seek(4 * start)
            file.write(np.ascontiguousarray(track.read(start, stop), dtype="<f4").tobytes())
        file.truncate(4 * max(1, samples))
    return np.memmap(path, dtype="<f4", mode="r")
