"""Clips, photos and recordings."""

import io
import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from recipes.fuzzing.target import Target
from voicelip.media import Clip, read_audio

FPS = Fraction(25)
_MOST_FRAMES = 60  # read of a clip: what is spoilt later is found by the whole runs
_FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".avi": "avi", ".gif": "gif", ".mov": "mov", ".ts": "mpegts"}


def targets() -> list[Target]:
    """Readers of pictures and sound, and one whole run."""
    return [
        Target("clip", _clips, _read_clip),
        Target("photo", _photos, _read_clip),
        Target("sound", _sounds, lambda path: read_audio(path, 16_000)),
        Target("lipsync", _clip_of_a_face, _lipsync),
    ]


def presenter(seconds: float, size: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures (`size`, `size`, 3) and 16 kHz sound of the rendered presenter."""
    import cv2

    from voicelip.pipeline import PRESENTER_FACE, PRESENTER_VOICE

    frames = Clip(PRESENTER_FACE).frames(0, round(seconds * FPS))
    pictures = [cv2.resize(frame.image, (size, size), interpolation=cv2.INTER_AREA) for frame in frames]
    return pictures, read_audio(PRESENTER_VOICE, 16_000, stop_s=seconds).samples


def encoded(name: str, codec: str, sound_codec: str | None, pixels: str = "yuv420p", size: int = 96) -> bytes:
    pictures, samples = presenter(0.4, size)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=_FORMATS[Path(name).suffix]) as container:
        video = container.add_stream(codec, rate=FPS)
        video.width, video.height, video.pix_fmt = size, size, pixels
        audio = container.add_stream(sound_codec, rate=16_000, layout="mono") if sound_codec else None
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture).reformat(format=pixels)))
        container.mux(video.encode(None))
        if audio:
            frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate = 16_000
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return buffer.getvalue()


def _clips(folder: Path) -> dict[str, bytes]:
    return {
        "a.mp4": encoded("a.mp4", "libx264", "aac"),
        "b.mov": encoded("b.mov", "mpeg4", "pcm_s16le"),
        "c.mkv": encoded("c.mkv", "libx264", "aac"),
        "d.avi": encoded("d.avi", "mjpeg", "pcm_s16le", "yuvj420p"),
        "e.gif": encoded("e.gif", "gif", None, "rgb8"),
        "f.ts": encoded("f.ts", "mpeg2video", "aac"),
    }


def _clip_of_a_face(folder: Path) -> dict[str, bytes]:
    return {"a.mp4": encoded("a.mp4", "libx264", "aac", size=256)}


def _photos(folder: Path) -> dict[str, bytes]:
    import cv2

    picture = presenter(0.04, 96)[0][0][..., ::-1]
    suffixes = (".jpg", ".png", ".webp", ".bmp", ".tiff")
    return {f"a{suffix}": cv2.imencode(suffix, picture)[1].tobytes() for suffix in suffixes}


def _sounds(folder: Path) -> dict[str, bytes]:
    import soundfile

    samples = presenter(0.5, 16)[1]
    files = {}
    for name, kind in (
        ("a.wav", "WAV"),
        ("b.flac", "FLAC"),
        ("c.ogg", "OGG"),
        ("d.mp3", "MP3"),
        ("e.aiff", "AIFF"),
    ):
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 16_000, format=kind)
        files[name] = buffer.getvalue()
    return files


def _read_clip(path: Path) -> None:
    for frame in itertools.islice(Clip(path).frames(0, _MOST_FRAMES), _MOST_FRAMES):
        frame.picture.rgb()


def _lipsync(path: Path) -> None:
    from voicelip.pipeline import lipsync_to_measure

    lipsync_to_measure(face=path, audio=path, out=path.with_suffix(".out.mp4"))
