"""A short clip of the presenter with a room's noise for sound, and subtitles for it."""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
from media_samples import numbered

from voicelip.media import Audio, Clip, VideoWriter
from voicelip.pipeline import PRESENTER_FACE
from voicelip.progress import Progress, silent
from voicelip.speech import Segment, Speech, Voice

RATE = 48_000
LETTER_S = 0.07  # as long as the hum of a letter
VOICE = "stock:ef_dora"
CUES = ((0.4, 1.4, "Hola a todos."), (1.7, 2.9, "Soy yo."), (3.2, 4.2, "Adiós."))


def clip(path: Path, seconds: float = 5.0, fps: int = 10, has_face: bool = True) -> Path:
    """The presenter at a quarter of the size, or just a picture, with a room's noise."""
    source = Clip(PRESENTER_FACE, Fraction(fps))
    count = round(seconds * fps)
    noise = (0.003 * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)
    if has_face:
        images = [np.ascontiguousarray(frame.image[::2, ::2]) for frame in source.frames(0, count)]
    else:
        images = [numbered(index) for index in range(count)]
    height, width = images[0].shape[:2]
    with VideoWriter(path, width, height, fps, RATE, preset="ultrafast") as writer:
        writer.write_audio(noise)
        for image in images:
            writer.write_frame(image)
    return path


def subtitles(path: Path, cues: tuple[tuple[float, float, str], ...] = CUES) -> Path:
    """An SRT file."""

    def stamp(seconds: float) -> str:
        ms = round(1000 * seconds)
        return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"

    blocks = [f"{n}\n{stamp(a)} --> {stamp(b)}\n{text}\n" for n, (a, b, text) in enumerate(cues, 1)]
    path.write_text("\n".join(blocks), "utf-8")
    return path


def content(path: Path) -> list[str]:
    """A hash for each stream: all its packets, with their times."""
    digests = []
    with av.open(str(path)) as container:
        found = {stream.index: hashlib.sha256() for stream in container.streams}
        for packet in container.demux():
            found[packet.stream.index].update(f"{packet.pts} {packet.dts}".encode() + bytes(packet))
        digests = [digest.hexdigest() for digest in found.values()]
    return digests


def sound(path: Path, track: int = 0) -> np.ndarray:
    """A sound track as it is heard with the picture, (N,) float32 at 48 kHz, mean of its channels."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        assert stream.rate == RATE
        pieces = []
        for frame in container.decode(stream):
            samples = frame.to_ndarray().mean(axis=0)
            pieces.append(samples[max(0, -(frame.pts or 0)) :] if frame.pts < 0 else samples)
    return np.concatenate(pieces).astype(np.float32)


def onsets_s(samples: np.ndarray, near_s: list[float], level: float) -> list[float]:
    """When sound above `level` begins around each of some moments."""
    found = []
    for moment in near_s:
        start = max(0, round((moment - 0.25) * RATE))
        loud = np.flatnonzero(np.abs(samples[start : start + RATE // 2]) > level)
        found.append((start + int(loud[0])) / RATE if len(loud) else np.nan)
    return found


class DroneEngine:
    """An engine as another package may bring it: hums for as long as a text is, as fast as is asked for."""

    name = "drone"
    languages = ("es",)
    sample_rate = 24_000
    said: ClassVar[list[str]] = []

    def synthesize(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Speech:
        self.said.append(text)
        times = np.arange(round(LETTER_S * len(text) / speed * self.sample_rate)) / self.sample_rate
        hum = sum(np.sin(2 * np.pi * hz * times) / n for n, hz in enumerate((140, 280, 420, 1000), 1))
        quiet = np.zeros(2400)
        samples = np.concatenate([quiet, 0.1 * hum, quiet]).astype(np.float32)
        return Speech(Audio(samples, self.sample_rate), (), (), (Segment(text, 0.1, 0.1 + float(times[-1])),))
