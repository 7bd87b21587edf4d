"""An inaudible watermark in speech: Perth's (Resemble AI 2025), put in and looked for in bounded memory.

Perth changes the levels of a spectrogram below 2 kHz by what one network says, and another network hears
that. It was made for 32 kHz and 2048-point frames every 320 samples. The same bins and frames come of 512
points every 80 samples at 8 kHz, so only that little is computed here, and what the mark changes is added to
the sound at its own rate: all above 2 kHz stays as it was.

The mark carries no message. It says that some software put in Perth's mark, as voicelip does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from voicelip.media import Audio
from voicelip.trust import perth

_BLOCK_S, _CONTEXT_S = 20, 1  # whole seconds: a whole number of frames and samples at every rate
# What the network says of unmarked speech, -0.25 in the mean, wavers more in a moment than in a minute: the
# mean over so many seconds has to reach so much (marked speech: 6). The last is for whole recordings.
# Chosen on the recordings of recipes/benchmark_watermark.py, see docs/trust.md.
_NEEDED = {0.3: 5.8, 1.0: 4.5, 3.0: 3.5, 6.0: 2.3, 8.0: 1.9}
_WINDOWS_S = (3.0, 6.0)  # with these a marked sentence is found beside unmarked ones
_STRICTER = 1.5  # for the best of many speeds
_LEAST_FRAMES = 30
# Held tones and chords, which have a mark's effect on the network, change less than this within 0.1 s, in dB
# of the middle bin; noise alone 4.8, marked speech 20 dB above noise 6.6 and more.
_LEAST_CHANGE_DB, _CHANGE_FRAMES = 5.2, 10
_SILENT = perth.level(-90.0)
_EASE_S = 0.005  # in which the mark gives way where it would exceed the sound's peak
_SPEEDS = tuple(round(1 + step / 50, 2) for step in range(-6, 7) if step)
_SEARCHED_S, _TRIED_S = 12, 4
_DETUNED, _DETUNED_S = (0.92, 1.08), 6

_TOO_LITTLE = "the speech is too short or too quiet to carry the inaudible watermark"


@dataclass(frozen=True)
class Found:
    """How surely a mark was heard: from 0 to 1, at 0.5 and above it counts as found; `speed` is by how much
    the sound was hastened since it was marked, `start_s` where the surest stretch begins.
    """

    score: float
    speed: float = 1.0
    start_s: float = 0.0

    @property
    def is_found(self) -> bool:
        return self.score >= 0.5


@dataclass(frozen=True)
class Marked:
    """Sound with the mark in it; `warnings` say so if it cannot carry one."""

    audio: Audio
    warnings: tuple[str, ...] = ()


def mark(audio: Audio) -> Marked:
    """`audio` with the mark; no sample exceeds the largest there was."""
    marker = Marker(audio.sample_rate, peak_of(audio))
    pieces = list(marker.mark([audio.samples]))
    samples = np.concatenate(pieces) if pieces else audio.samples
    return Marked(Audio(samples, audio.sample_rate), marker.warnings)


def peak_of(audio: Audio) -> float:
    """The largest sample's size."""
    samples = audio.samples
    return float(max(samples.max(), -samples.min())) if len(samples) else 0.0


class Marker:
    """Marks one sound as it comes, some 20 s at a time; the result does not depend on how it is cut.

    `peak` is the size of sample that the mark will not make anything exceed.
    """

    def __init__(self, sample_rate: int, peak: float = 1.0) -> None:
        self._rate, self._peak = sample_rate, peak
        self._heard = _Heard()

    def mark(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """`blocks` (N,) float32 of any lengths as others with the mark, as many samples in all."""
        for piece, own in _pieces(blocks, self._rate):
            low = _lowered(piece, self._rate)
            spectrum = perth.spectrum(low)
            change = perth.sound(perth.change(spectrum), len(low))
            self._heard.add(perth.spectrum(low + change), own, self._rate)
            raised = Audio(change, perth.RATE).resampled(self._rate).samples[: len(piece)]
            raised = np.pad(raised, (0, len(piece) - len(raised)))
            yield _within(piece, raised, self._peak, self._rate)[own]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with what was marked so far, judged by listening to it."""
        return () if self._heard.best().score >= 0.5 else (_TOO_LITTLE,)


def find(audio: Audio) -> Found:
    """Look for the mark in a sound, also one that was played faster or slower by up to 12 %."""
    return find_in([audio.samples], audio.sample_rate)


def find_in(blocks: Iterable[np.ndarray], sample_rate: int) -> Found:
    """The same, block by block (N,) float32 mono."""
    heard = _Heard()
    surest, busiest = _Kept(), _Kept()
    for piece, own in _pieces(blocks, sample_rate):
        low = _lowered(piece, sample_rate)
        alone = _Heard()
        alone.add(perth.spectrum(low), own, sample_rate)
        heard.join(alone)
        surest.keep(low, alone.best().score)
        busiest.keep(low, float((low**2).sum()))
    found = heard.best().confirmed(surest.low, 1.0)
    if found.is_found or not len(busiest.low):
        return found
    return max(found, _at_another_speed(busiest.low), key=lambda each: each.score)


def _at_another_speed(low: np.ndarray) -> Found:
    """`low` (N,) at 8 kHz: some seconds of it, brought back to what they were before they were hastened. A
    few of them say at which speed that is to be tried.
    """
    few = _middle(low, _TRIED_S)
    speed = max(_SPEEDS, key=lambda each: _heard(_hastened(few, 1 / each)).mean())
    slowed = _hastened(_middle(low, _SEARCHED_S), 1 / speed)
    heard = _Heard()
    heard.add(perth.spectrum(slowed), slice(0, len(slowed)), perth.RATE)
    return heard.best(_STRICTER).confirmed(slowed, speed)


def _middle(low: np.ndarray, seconds: float) -> np.ndarray:
    middle, half = len(low) // 2, int(seconds * perth.RATE) // 2
    return low[max(0, middle - half) : middle + half]


def _heard(low: np.ndarray) -> np.ndarray:
    return perth.heard(perth.levels(perth.spectrum(low)))


def _hastened(samples: np.ndarray, speed: float) -> np.ndarray:
    places = np.arange(int(len(samples) / speed)) * speed
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


class _Kept:
    """The piece of sound (N,) at 8 kHz that counted most so far."""

    def __init__(self) -> None:
        self.low, self._most = np.zeros(0, np.float32), 0.0

    def keep(self, low: np.ndarray, counted: float) -> None:
        if counted > self._most:
            self.low, self._most = low, counted


@dataclass(frozen=True)
class _Stretch:
    """Frames from `start` on, of which the network says `said` in the mean; `needed` would count as found."""

    start: int
    said: float
    needed: float

    @property
    def score(self) -> float:
        return float(np.clip(self.said / self.needed / 2, 0, 1))

    def confirmed(self, low: np.ndarray, speed: float) -> Found:
        """What the network says of the same sound `low` (N,) detuned, where no mark can be heard, counts
        twice against it: music can resemble the mark at any speed.
        """
        start_s = self.start / perth.FRAMES_PER_S
        if self.score < 0.5:
            return Found(self.score, speed, start_s)
        detuned = [_heard(_hastened(_middle(low, _DETUNED_S), by)).mean() for by in _DETUNED]
        said = self.said - 2 * max(0.0, float(np.mean(detuned)))
        return Found(_Stretch(self.start, said, self.needed).score, speed, start_s)


class _Heard:
    """What the network said of each frame so far, a few bytes for each."""

    def __init__(self) -> None:
        self._said: list[np.ndarray] = []
        self._change: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []

    def add(self, spectrum: np.ndarray, own: slice, rate: int) -> None:
        """The frames (128, T) of a piece of sound, of which the samples `own` at `rate` are new."""
        levels = perth.levels(spectrum)
        start = own.start * perth.FRAMES_PER_S // rate
        stop = -(-own.stop * perth.FRAMES_PER_S // rate)
        self._said.append(perth.heard(levels)[start:stop])
        self._change.append(_change(levels[0])[start:stop])
        self._counts.append((levels[0].mean(axis=0) > _SILENT)[start:stop])

    def join(self, other: "_Heard") -> None:
        """What came after this."""
        self._said += other._said
        self._change += other._change
        self._counts += other._counts

    def best(self, strictness: float = 1.0) -> _Stretch:
        """The surest stretch; digital silence does not count."""
        nothing = _Stretch(0, 0.0, 1.0)
        if not self._said:
            return nothing
        said, change, counts = map(np.concatenate, (self._said, self._change, self._counts))
        windows = [slice(0, len(said))]
        for length in (int(seconds * perth.FRAMES_PER_S) for seconds in _WINDOWS_S):
            windows += [slice(at, at + length) for at in range(0, len(said) - length + 1, length // 2)]
        found = [nothing]
        for part in windows:
            chosen = counts[part]
            frames = int(chosen.sum())
            if frames >= _LEAST_FRAMES and change[part][chosen].mean() >= _LEAST_CHANGE_DB:
                needed = float(np.interp(frames / perth.FRAMES_PER_S, list(_NEEDED), list(_NEEDED.values())))
                found.append(_Stretch(part.start, float(said[part][chosen].mean()), needed * strictness))
        return max(found, key=lambda stretch: stretch.said / stretch.needed)


def _change(levels: np.ndarray) -> np.ndarray:
    """(128, T) → (T,) by how many dB the middle bin differs from what it was a moment before."""
    before = np.pad(levels, ((0, 0), (_CHANGE_FRAMES, 0)), mode="edge")[:, : levels.shape[1]]
    return np.median(np.abs(levels - before), axis=0) * perth.RANGE_DB


def _pieces(blocks: Iterable[np.ndarray], rate: int) -> Iterator[tuple[np.ndarray, slice]]:
    """`blocks` (N,) of any lengths as pieces of some seconds, each with what is around it, and where in the
    piece that is which it stands for.
    """
    block, context = _BLOCK_S * rate, _CONTEXT_S * rate
    kept, before = np.zeros(0, np.float32), 0
    for samples in blocks:
        for part in _parts(samples, block):
            kept = np.concatenate([kept, part])
            while len(kept) > before + block + context:
                yield kept[: before + block + context], slice(before, before + block)
                kept = kept[before + block - context :]
                before = context
    if len(kept) > before:
        yield kept, slice(before, len(kept))


def _parts(samples: np.ndarray, length: int) -> Iterator[np.ndarray]:
    return (samples[start : start + length] for start in range(0, len(samples), length))


def _lowered(samples: np.ndarray, rate: int) -> np.ndarray:
    return Audio(samples, rate).resampled(perth.RATE).samples


def _within(samples: np.ndarray, change: np.ndarray, peak: float, rate: int) -> np.ndarray:
    """The sum of both, `change` being made smaller around the places where the sum would exceed `peak`."""
    total = samples + change
    over = np.abs(total) > peak
    if not over.any():
        return total
    room = np.ones(len(total), np.float32)
    room[over] = np.clip((peak - np.abs(samples[over])) / np.abs(change[over]), 0, 1)
    return samples + change * _eased(room, max(1, round(_EASE_S * rate)))


def _eased(room: np.ndarray, reach: int) -> np.ndarray:
    """`room` (N,) made smooth and nowhere larger: the mean of the minima around each place."""
    least, width = np.pad(room, 2 * reach, constant_values=1), 1
    while width < 2 * reach + 1:
        step = min(width, 2 * reach + 1 - width)
        least = np.minimum(least[:-step], least[step:])
        width += step
    sums = np.cumsum(np.pad(least, (1, 0)), dtype=np.float64)
    means = (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)
    return means.astype(np.float32)
