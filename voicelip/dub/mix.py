"""The sound of a dub: its speech over the background, block by block, at a loudness that is asked for."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicelip.dub.level import LoudnessMeter, held_down
from voicelip.dub.room_tone import RoomTone
from voicelip.dub.speech_track import SpeechTrack
from voicelip.dub.timemap import TimeMap
from voicelip.dub.warped import warped
from voicelip.media.sound_stream import SoundReader
from voicelip.speech import loudness

RATE = 48_000
BLOCK = RATE  # samples handled at once
DUCKED_DB = -24.0  # of the original under the dub
FADE_S = 0.15
EARLY_S, LATE_S = 0.1, 0.25  # by which the original's speech may miss its subtitle
BRIDGED_S = 0.7  # between two cues the original does not come up for less
_FAINTEST_LUFS = -45.0  # a quieter original says nothing about how loud speech should be

Mark = Callable[[Iterator[np.ndarray], int], Iterator[np.ndarray]]
Heard = Callable[[int], None]


@dataclass(frozen=True)
class Bed:
    """What is under the speech: the clip's own sound, ducked where somebody is dubbed, or a track that has
    no speech in it and stays as it is.
    """

    path: Path
    is_original: bool


@dataclass(frozen=True)
class Scene:
    """What goes for all sound of a dub."""

    times: TimeMap
    samples: int  # at 48 kHz, as long as the picture
    channels: int
    slots_s: Sequence[tuple[float, float]]  # of cues and of their speech, in the dub's time


@dataclass(frozen=True)
class Listened:
    """What the original sounds like: its loudness, and its room."""

    lufs: float
    tone: RoomTone

    @property
    def speech_gain(self) -> float:
        """What brings speech at −16 LUFS to the original's loudness."""
        if self.lufs < _FAINTEST_LUFS:
            return 1.0
        return float(10 ** ((self.lufs - loudness.LUFS) / 20))


def listened(original: Path | None, channels: int, heard: Heard = lambda samples: None) -> Listened:
    """Hear the clip's own sound to its end."""
    meter, tone = LoudnessMeter(RATE, channels), RoomTone(RATE, channels)
    if original is not None:
        done = 0
        for block in SoundReader(original, RATE, channels).blocks(BLOCK):
            meter.add(block)
            tone.add(block)
            done += BLOCK
            heard(done)
    # Of speech in two channels each has half.
    return Listened(meter.lufs - 10 * np.log10(channels), tone)


def mixed(speech: SpeechTrack, bed: Bed | None, scene: Scene, original: Listened) -> Iterator[np.ndarray]:
    """(C, N) float32 blocks at 48 kHz."""
    curve = _Curve(ducked(scene.slots_s)) if bed and bed.is_original else None
    under = _blocks(bed, scene)
    at = 0
    for spoken in _spoken(speech, scene.samples, original.speech_gain):
        count = len(spoken)
        block = under(count)
        if curve is not None:
            down = curve.at(at, count)
            gains = 10 ** (DUCKED_DB / 20 * down)
            block = block * gains + original.tone.read(at, count) * np.sqrt(1 - gains**2)
        yield (block + spoken).astype(np.float32)
        at += count


def marked(blocks: Iterator[np.ndarray], mark: Mark) -> Iterator[np.ndarray]:
    """(C, N) blocks with the watermark that `mark` puts into the middle of their channels, in all alike.

    The whole mix bears it, not the speech alone: beside an unmarked background it would soon be lost.
    """
    waiting: deque[np.ndarray] = deque()

    def middles() -> Iterator[np.ndarray]:
        for block in blocks:
            waiting.append(block)
            yield block.mean(axis=0)

    held = np.zeros((1, 0), np.float32)
    for middle in mark(middles(), RATE):
        count = len(middle)
        while held.shape[1] < count:
            block = waiting.popleft()
            held = np.concatenate([held, block], axis=1) if held.shape[1] else block
        block, held = held[:, :count], held[:, count:]
        yield (block + (middle - block.mean(axis=0))).astype(np.float32)


def levelled(
    measured: Callable[[], Iterator[np.ndarray]],
    made: Callable[[], Iterator[np.ndarray]],
    channels: int,
    lufs: float,
    heard: Heard,
) -> Iterator[np.ndarray]:
    """The blocks of `made` at `lufs`, peaks held below −1 dBTP, going by those of `measured`: the same, but
    what costs time and changes no loudness may be missing.
    """
    meter, done = LoudnessMeter(RATE, channels), 0
    for block in measured():
        meter.add(block)
        done += block.shape[1]
        heard(done)
    gain = np.float32(10 ** ((lufs - meter.lufs) / 20)) if np.isfinite(meter.lufs) else np.float32(1)
    yield from held_down((block * gain for block in made()), RATE)


def original_track(path: Path, scene: Scene) -> Iterator[np.ndarray]:
    """The clip's own sound in the dub's time."""
    return warped(SoundReader(path, RATE, scene.channels), scene.times, scene.samples, BLOCK)


def ducked(slots_s: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Where the original is kept down: around every slot, and between near ones."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(slots_s):
        start, end = start - EARLY_S, end + LATE_S
        if found and start - found[-1][1] < BRIDGED_S:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def original_heard(slots_s: Sequence[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """Where the original comes through at its own level, between what is ducked."""
    edges = [0.0, *(edge for span in ducked(slots_s) for edge in span), end_s]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]


class _Curve:
    """0 where the original is heard, 1 where it is kept down, eased between."""

    def __init__(self, spans_s: Sequence[tuple[float, float]]) -> None:
        corners = [(start - FADE_S, start, end, end + FADE_S) for start, end in spans_s]
        self._times = np.array([time for four in corners for time in four] or [0.0]) * RATE
        self._values = np.array([0.0, 1.0, 1.0, 0.0] * len(corners) or [0.0])

    def at(self, start: int, count: int) -> np.ndarray:
        linear = np.interp(np.arange(start, start + count), self._times, self._values)
        return 0.5 - 0.5 * np.cos(np.pi * linear)


def _spoken(speech: SpeechTrack, samples: int, gain: float) -> Iterator[np.ndarray]:
    for start in range(0, samples, BLOCK):
        yield speech.read(start, min(start + BLOCK, samples)) * np.float32(gain)


def _blocks(bed: Bed | None, scene: Scene) -> Callable[[int], np.ndarray]:
    """A function that gives the next so many samples of what is under the speech."""
    if bed is None:
        return lambda count: np.zeros((scene.channels, count), np.float32)
    reader = SoundReader(bed.path, RATE, scene.channels)
    if scene.times.is_identity:
        return reader.read
    source = warped(reader, scene.times, scene.samples, BLOCK)
    waiting = [np.zeros((scene.channels, 0), np.float32)]

    def read(count: int) -> np.ndarray:
        while waiting[0].shape[1] < count:
            silence = np.zeros((scene.channels, count), np.float32)
            waiting[0] = np.concatenate([waiting[0], next(source, silence)], axis=1)
        block, waiting[0] = waiting[0][:, :count], waiting[0][:, count:]
        return block

    return read
