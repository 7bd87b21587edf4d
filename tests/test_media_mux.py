"""A video is put together from encoded pieces: every picture in its place, sound and subtitles beside it."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from media_samples import number_in, numbered

from voicelip.errors import OutputError
from voicelip.media import Clip, VideoWriter, read_audio
from voicelip.media.mux import SoundTrack, SubtitleTrack, mux

RATE = 48_000


def piece(path: Path, first: int, count: int, preset: str = "veryfast", fps: Fraction = Fraction(25)) -> Path:
    with VideoWriter(path, 192, 48, fps, preset=preset) as writer:
        for number in range(first, first + count):
            writer.write_frame(numbered(number))
    return path


@pytest.fixture
def pieces(tmp_path: Path) -> list[Path]:
    """Of 13, 1, 2 and 20 pictures."""
    starts = [0, 13, 14, 16, 36]
    return [piece(tmp_path / f"{a}.mp4", a, b - a) for a, b in pairwise(starts)]


def blocks(samples: np.ndarray, length: int = 1000) -> Iterator[np.ndarray]:
    return (samples[:, at : at + length] for at in range(0, samples.shape[1], length))


def click(seconds: float, at_s: float, channels: int) -> np.ndarray:
    samples = np.zeros((channels, round(seconds * RATE)), np.float32)
    samples[:, round(at_s * RATE) : round(at_s * RATE) + 480] = 0.5
    return samples


def test_every_picture_of_every_piece_is_there_once_and_in_order(pieces: list[Path], tmp_path: Path) -> None:
    assert mux(tmp_path / "out.mp4", pieces, Fraction(25)) == 36
    clip = Clip(tmp_path / "out.mp4")
    assert clip.info.frame_count == 36
    assert [number_in(frame.image) for frame in clip.frames()] == list(range(36))
    assert clip.problems == []


def test_a_rate_that_is_no_whole_number_does_not_drift(tmp_path: Path) -> None:
    fps = Fraction(30000, 1001)
    pieces = [piece(tmp_path / f"{n}.mp4", 7 * n, 7, fps=fps) for n in range(20)]
    mux(tmp_path / "out.mp4", pieces, fps)
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = sorted(packet.pts * packet.time_base for packet in container.demux(video=0) if packet.size)
    assert times == [index / fps for index in range(140)]


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_begins_and_ends_with_the_picture(channels: int, pieces: list[Path], tmp_path: Path) -> None:
    long, short = click(3, 0.5, channels), click(0.6, 0.1, channels)
    tracks = [
        SoundTrack(blocks(long), RATE, channels, "spa", "Dub"),
        SoundTrack(blocks(short), RATE, channels, "eng", "Original", is_default=False),
    ]
    mux(tmp_path / "out.mp4", pieces, Fraction(25), tracks)
    heard = read_audio(tmp_path / "out.mp4")
    assert heard.duration_s == pytest.approx(36 / 25, abs=1e-3)
    assert np.flatnonzero(np.abs(heard.samples) > 0.2)[0] / RATE == pytest.approx(0.5, abs=0.001)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.channels for stream in container.streams.audio] == [channels, channels]
        assert [stream.metadata["language"] for stream in container.streams.audio] == ["spa", "eng"]
        assert len({stream.duration * stream.time_base for stream in container.streams.audio}) == 1


def test_subtitles_that_overlap_are_shown_together(pieces: list[Path], tmp_path: Path) -> None:
    lines = [(0.2, 0.5, "Hola"), (0.4, 1.0, "¿Qué?")]
    mux(tmp_path / "out.mp4", pieces, Fraction(25), subtitles=SubtitleTrack(lines, "spa"))
    with av.open(str(tmp_path / "out.mp4")) as container:
        packets = [packet for packet in container.demux(subtitles=0) if packet.size > 2]
    shown = [(packet.pts, packet.duration, bytes(packet)[2:].decode()) for packet in packets]
    assert shown == [(200, 200, "Hola"), (400, 100, "Hola\n¿Qué?"), (500, 500, "¿Qué?")]


def test_a_piece_of_other_settings_is_refused_and_nothing_is_left(pieces: list[Path], tmp_path: Path) -> None:
    other = piece(tmp_path / "other.mp4", 0, 5, preset="ultrafast")
    with pytest.raises(OutputError, match=r"other\.mp4: was encoded with other settings"):
        mux(tmp_path / "out.mp4", [*pieces, other], Fraction(25))
    assert not list(tmp_path.glob("*out*"))
