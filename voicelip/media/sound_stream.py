"""Sound of any length, read a block at a time, at any rate, in one or two channels."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import Any

import numpy as np

from voicelip.errors import OutputError, UnreadableMediaError
from voicelip.media.container import open_container
from voicelip.media.failures import check_input, reading
from voicelip.media.sound import GAP_S, LONGEST_GAP_S, decoded_frames, picture_start_s, samples_of
from voicelip.media.values import Audio


class SoundReader:
    """The first sound track of a file from the first picture on; silence before it, in its holes, and after.

    Memory does not grow with the length. Closing it, or reading to the end, lets go of the file.
    """

    def __init__(self, path: str | Path, rate: int, channels: int) -> None:
        self.path, self.rate, self.channels = Path(path), rate, channels
        check_input(self.path)
        self._blocks = _blocks(self.path, rate, channels)
        self._waiting = np.zeros((channels, 0), np.float32)
        self.ended = False

    def read(self, count: int) -> np.ndarray:
        """The next `count` samples, (C, count) float32; zeros behind the end."""
        pieces, have = [self._waiting], self._waiting.shape[1]
        while have < count and not self.ended:
            block = next(self._blocks, None)
            if block is None:
                self.ended = True
            else:
                pieces.append(block)
                have += block.shape[1]
        joined = np.concatenate(pieces, axis=1)
        self._waiting = joined[:, count:]
        missing = count - min(count, joined.shape[1])
        return np.pad(joined[:, :count], ((0, 0), (0, missing)))

    def blocks(self, count: int) -> Iterator[np.ndarray]:
        """All of it in blocks of `count` samples, the last one filled up."""
        while True:
            block = self.read(count)
            if self.ended and not self._waiting.shape[1] and not block.any():
                return
            yield block

    def close(self) -> None:
        """Let go of the file."""
        self._blocks.close()


@contextmanager
def sound_on_disk(path: str | Path, rate: int) -> Iterator[Audio]:
    """The sound of a file, down-mixed to mono, at `rate` Hz, in a temporary file while this lasts."""
    with TemporaryFile(prefix="voicelip-") as file:
        try:
            for block in SoundReader(path, rate, 1).blocks(rate // 10):
                np.clip(block[0], -1, 1).astype(np.float32).tofile(file)  # past Python's buffer: fails here
        except OSError:
            raise OutputError(
                f"{gettempdir()}: has no place for the sound of {path}; free some space, or set TMPDIR to "
                "another folder"
            ) from None
        if file.tell() == 0:
            raise UnreadableMediaError(f"{path}: its sound track is empty; export it again")
        yield Audio(np.memmap(file, np.float32, "r"), rate)


def channels_of(path: str | Path) -> int:
    """How many channels the first sound track has; 0 if there is none."""
    path = Path(path)
    check_input(path)
    with reading(path), open_container(path) as container:
        stream = next(iter(container.streams.audio), None)
        return 0 if stream is None or stream.codec_context is None else int(stream.codec_context.channels)


def _blocks(path: Path, rate: int, channels: int) -> Any:
    with reading(path), open_container(path) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None or stream.codec_context is None:
            raise UnreadableMediaError(f"{path}: holds no sound; name a recording, or a video with sound")
        resampler = _Resampler(rate, channels)
        for block in _in_place(decoded_frames(container, stream), picture_start_s(container)):
            yield from resampler.push(*block)
        yield from resampler.end()


def _in_place(frames: Iterator[Any], start_s: float | None) -> Iterator[tuple[np.ndarray, int]]:
    """Decoded sound as (C, N) float32 with its rate, at the places that its timestamps give it."""
    length = 0
    for frame in frames:
        samples, rate = samples_of(frame), frame.sample_rate
        time_s = float(frame.pts * frame.time_base) if frame.pts is not None else None
        if start_s is None:
            start_s = time_s or 0.0
        shift = 0 if time_s is None else round((time_s - start_s) * rate) - length
        is_hole = length == 0 or shift > GAP_S * rate
        if shift < 0 and length == 0:
            samples = samples[:, -shift:]
        elif 0 < shift < LONGEST_GAP_S * rate and is_hole:
            for silent in _silence(shift, rate, len(samples)):
                length += silent.shape[1]
                yield silent, rate
        if samples.shape[1]:
            length += samples.shape[1]
            yield samples, rate


def _silence(count: int, rate: int, channels: int) -> Iterator[np.ndarray]:
    for start in range(0, count, rate):
        yield np.zeros((channels, min(rate, count - start)), np.float32)


class _Resampler:
    """FFmpeg's resampler, which remembers where it is; more channels than wanted are mixed down."""

    def __init__(self, rate: int, channels: int) -> None:
        self._rate, self._channels = rate, channels
        self._made: Any = None
        self._from: tuple[int, int] | None = None
        self._pushed = 0

    def push(self, samples: np.ndarray, rate: int) -> Iterator[np.ndarray]:
        samples = _folded(samples, self._channels)
        if (rate, len(samples)) != self._from:
            yield from self.end()
            self._start(rate, len(samples))
        if rate == self._rate:
            yield samples
            return
        yield from self._resampled(samples, rate)

    def end(self) -> Iterator[np.ndarray]:
        if self._made is not None:
            yield from (frame.to_ndarray() for frame in self._made.resample(None))
        self._made = None

    def _start(self, rate: int, channels: int) -> None:
        from av import AudioResampler

        layout = "mono" if channels == 1 else "stereo"
        self._from, self._pushed = (rate, channels), 0
        self._made = None if rate == self._rate else AudioResampler("fltp", layout, self._rate)

    def _resampled(self, samples: np.ndarray, rate: int) -> Iterator[np.ndarray]:
        from av import AudioFrame

        layout = "mono" if len(samples) == 1 else "stereo"
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), self._pushed
        self._pushed += samples.shape[1]
        yield from (ready.to_ndarray() for ready in self._made.resample(frame))


def _folded(samples: np.ndarray, channels: int) -> np.ndarray:
    """(C, N) → (channels, N): to one by the mean, from one by copying, from more to two by ITU-R BS.775."""
    if len(samples) == channels:
        return samples
    if channels == 1:
        return samples.mean(axis=0, keepdims=True)
    if len(samples) == 1:
        return np.repeat(samples, 2, axis=0)
    centre = samples[2] * np.float32(0.7071)
    around = samples[4:6] * np.float32(0.7071) if len(samples) >= 6 else np.zeros_like(samples[:2])
    return samples[:2] + centre + around
