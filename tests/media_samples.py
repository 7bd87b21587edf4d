"""Tiny clips for the tests, whose every picture carries its own number in black and white squares."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 12
SQUARE = 16  # pixels


def numbered(number: int, width: int = BITS * SQUARE, height: int = 48) -> np.ndarray:
    """(height, width, 3) uint8: the bits of `number` as squares in the first row, mid grey below."""
    image = np.full((height, width, 3), 120, np.uint8)
    for bit in range(BITS):
        image[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 235 if number >> bit & 1 else 16
    return image


def number_in(image: np.ndarray) -> int:
    """The number that `numbered` drew."""
    middle = image[SQUARE // 2, SQUARE // 2 :: SQUARE, 1][:BITS]
    return sum(int(value > 120) << bit for bit, value in enumerate(middle))


def make_video(
    path: Path,
    images: Iterable[np.ndarray],
    fps: Fraction | int = 25,
    times_ms: Sequence[int] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    gop: int = 12,
    tags: tuple[int, int, int, int] | None = None,
    rotation: int | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 16000,
    sound_starts_s: float = 0.0,
    picture_starts_s: float = 0.0,
    sample_aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a clip with PyAV alone; `tags` are (primaries, transfer, matrix, range)."""
    images = list(images)
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {"crf": "12"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.gop_size = gop
        tick = Fraction(1, 1000) if times_ms is not None else Fraction(1, 1) / fps
        stream.codec_context.time_base = tick
        if sample_aspect:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if tags:
            codec_context = stream.codec_context
            codec_context.color_primaries, codec_context.color_trc = tags[:2]
            codec_context.colorspace, codec_context.color_range = tags[2:]
        if rotation:
            stream.set_display_rotation(rotation)
        audio = container.add_stream("aac", rate=sound_rate, layout="mono") if sound is not None else None
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            matrix = {1: 1, 9: 9}.get(tags[2], 5) if tags else 5
            frame = frame.reformat(
                format=pix_fmt,
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range=2,
                dst_color_range=tags[3] if tags else 1,
                interpolation=0x2 | 0x2000 | 0x40000,
            )
            offset = round(picture_starts_s / tick)
            frame.pts = (times_ms[index] if times_ms is not None else index) + offset
            frame.time_base = tick
            container.mux(stream.encode(frame))
        if audio is not None:
            frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = sound_rate, Fraction(1, sound_rate)
            frame.pts = round(sound_starts_s * sound_rate)
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
        container.mux(stream.encode(None))
    return path


def counting_video(path: Path, count: int, **options) -> Path:
    """A clip of pictures numbered 0 … count-1."""
    return make_video(path, (numbered(index) for index in range(count)), **options)
