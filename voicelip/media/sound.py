"""Sound: read from any container, written as WAV or FLAC."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import OptionError, UnreadableMediaError
from voicelip.media.clip import picture_stream
from voicelip.media.container import open_container
from voicelip.media.failures import check_input, reading, writing
from voicelip.media.output import check_output, temporary_beside
from voicelip.media.timeline import packets_until_broken
from voicelip.media.values import Audio

GAP_S = 0.05  # a jump of the timestamps beyond this is a hole in the recording
_LARGEST_BLOCK = 4096  # samples
LONGEST_GAP_S = 600.0  # beyond this it is a broken clock


def read_audio(path: str | Path, sample_rate: int | None = None, stop_s: float | None = None) -> Audio:
    """The first sound track of a file, down-mixed to mono, at `sample_rate` Hz (default: its own), up to
    `stop_s` (default: its end).

    In a video, time zero is the first picture's: sound before it is dropped, and silence stands where
    the sound starts late or has holes. A broken tail is left out.
    """
    path = Path(path)
    check_input(path)
    with reading(path):
        audio = _decode(path, stop_s)
    return audio if sample_rate is None else audio.resampled(sample_rate)


def write_audio(
    path: str | Path, audio: Audio, overwrite: bool = False, finish: Callable[[Path], None] | None = None
) -> None:
    """Write 16-bit WAV or FLAC, by the suffix of `path`, under a temporary name until it is whole.

    `finish` is called with the whole file before it gets its name, and may change it.
    """
    import soundfile

    path = Path(path)
    if path.suffix.lower() not in {".wav", ".flac"}:
        raise OptionError(f"{path}: sound is written as .wav or .flac; name the output so")
    check_output(path, overwrite)
    temporary = temporary_beside(path)
    try:
        with writing(path):
            # Through a file of our own, since libsndfile does not say why a write failed.
            with temporary.open("wb") as file:
                kind = path.suffix[1:].upper()
                soundfile.write(file, audio.samples, audio.sample_rate, subtype="PCM_16", format=kind)
            if finish is not None:
                finish(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _decode(path: Path, stop_s: float | None) -> Audio:
    with open_container(path) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None or stream.codec_context is None:
            raise UnreadableMediaError(f"{path}: holds no sound; name a recording, or a video with sound")
        track = _Track(picture_start_s(container))
        for frame in decoded_frames(container, stream):
            track.append(frame)
            if stop_s is not None and track.length >= stop_s * frame.sample_rate:
                return track.first(stop_s)
        if track.length == 0:
            raise UnreadableMediaError(f"{path}: its sound track is empty; export it again")
        return track.until(_declared_end_s(stream))


class _Track:
    """Collects decoded sound at the places that its timestamps give it."""

    def __init__(self, start_s: float | None) -> None:
        self._start_s = start_s  # None: where the first frame is
        self._rate = 0
        self._pieces: list[np.ndarray] = []
        self.length = 0

    def append(self, frame: Any) -> None:
        time_s = float(frame.pts * frame.time_base) if frame.pts is not None else None
        if self._start_s is None:
            self._start_s = time_s or 0.0
        self._rate = frame.sample_rate
        shift = 0 if time_s is None else self._shift(time_s - self._start_s)
        self._add(np.zeros(max(shift, 0), np.float32))
        self._add(_mono(frame)[max(-shift, 0) :])

    def _add(self, samples: np.ndarray) -> None:
        if len(samples):
            self._pieces.append(samples)
            self.length += len(samples)

    def _shift(self, time_s: float) -> int:
        """Samples of silence to put before a frame (negative: samples of it to drop)."""
        shift = round(time_s * self._rate) - self.length
        at_start = self.length == 0
        if shift < 0:
            return shift if at_start else 0
        is_hole = at_start or shift > GAP_S * self._rate
        return shift if is_hole and shift < LONGEST_GAP_S * self._rate else 0

    def first(self, seconds: float) -> Audio:
        """The track's beginning."""
        return Audio(np.concatenate(self._pieces)[: round(seconds * self._rate)], self._rate)

    def until(self, end_s: float | None) -> Audio:
        """The track, without what the encoder added to fill its last block, going by the declared end."""
        samples = np.concatenate(self._pieces)
        if end_s is not None:
            declared = round((end_s - (self._start_s or 0.0)) * self._rate)
            if 0 < len(samples) - declared <= _LARGEST_BLOCK:
                samples = samples[:declared]
        return Audio(samples, self._rate)


def _declared_end_s(stream: Any) -> float | None:
    if not stream.duration:
        return None
    return float(((stream.start_time or 0) + stream.duration) * stream.time_base)


def decoded_frames(container: Any, stream: Any) -> Iterator[Any]:
    """The av.AudioFrames of a sound track; what is damaged is left out."""
    from av.error import FFmpegError

    codec = stream.codec_context
    for packet in packets_until_broken(container, stream):
        try:
            yield from codec.decode(packet)
        except FFmpegError:
            continue
    try:
        yield from codec.decode(None)
    except FFmpegError:
        return


def picture_start_s(container: Any) -> float | None:
    """When the first picture is shown, by the container's clock; None where there is none."""
    stream = picture_stream(container)
    if stream is None or stream.start_time is None:
        return None
    return float(stream.start_time * stream.time_base)


_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0}


def samples_of(frame: Any) -> np.ndarray:
    """An av.AudioFrame as (C, N) float32; full scale is 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    kind = frame.format.name.removesuffix("p")
    scaled = samples.astype(np.float32)
    if kind == "u8":
        scaled -= 128.0
    return scaled / np.float32(_SCALE.get(kind, 1.0))


def _mono(frame: Any) -> np.ndarray:
    """An av.AudioFrame as (N,) float32: the mean of its channels, in [-1, 1]."""
    return np.clip(samples_of(frame).mean(axis=0), -1, 1).astype(np.float32)
