"""One video out of pieces that are encoded already, with sound tracks and subtitles; whole or not at all."""

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import OutputError
from voicelip.media.failures import reading, writing
from voicelip.media.output import check_output

_REORDERED = 2  # frames that H.264 may decode ahead of showing them, with this package's settings
_BIT_RATE = {1: 128_000, 2: 192_000}


@dataclass(frozen=True)
class SoundTrack:
    """A sound track: blocks of (C, N) float32, of any lengths, made as they are asked for."""

    blocks: Iterator[np.ndarray]
    rate: int
    channels: int
    language: str = "und"  # ISO 639-2
    title: str = ""
    is_default: bool = True


@dataclass(frozen=True)
class SubtitleTrack:
    """Subtitles that the player can switch on: (start_s, end_s, text), one after the other."""

    lines: Sequence[tuple[float, float, str]]
    language: str = "und"


def mux(
    path: Path,
    pieces: Sequence[Path],
    fps: Fraction,
    sounds: Sequence[SoundTrack] = (),
    subtitles: SubtitleTrack | None = None,
    overwrite: bool = False,
    finish: Callable[[Path], None] | None = None,
    progress: Callable[[int], None] = lambda frames: None,
) -> int:
    """Join videos of this package's writer, all of one size and setting, frame after frame at `fps`; their
    number.

    Pictures are copied, not encoded again. Sound is cut or filled up to end with the picture. `finish` is
    called with the whole file before it gets its name; `progress` with the frames so far.
    """
    check_output(path, overwrite)
    # Of one name, so that what a killed run left is replaced by the next; `finish` may have left more.
    temporary = path.with_name(f".{path.stem[:100]}.mux.part{path.suffix}")
    for left in path.parent.glob(glob.escape(f".{temporary.stem}.") + "*"):
        left.unlink(missing_ok=True)
    try:
        with writing(path):
            with _Muxer(temporary, pieces[0], fps, sounds, subtitles) as muxer:
                for piece in pieces:
                    muxer.append(piece, progress)
                muxer.complete()
            if finish is not None:
                finish(temporary)
            check_output(path, overwrite)
            temporary.replace(path)
        return muxer.frames
    finally:
        temporary.unlink(missing_ok=True)


class _Muxer:
    def __init__(
        self, path: Path, first: Path, fps: Fraction, sounds: Sequence[SoundTrack], subtitles: Any
    ) -> None:
        import av

        self.frames, self._fps = 0, fps
        kind = "mov" if path.suffix.lower() == ".mov" else "mp4"
        self._container: Any = av.open(str(path), "w", format=kind, options={"movflags": "faststart"})
        with av.open(str(first)) as template:
            self._video = self._container.add_stream_from_template(template.streams.video[0])
            self._settings = bytes(template.streams.video[0].codec_context.extradata or b"")
        self._sounds = [_Sound(self._container, track) for track in sounds]
        self._subtitles = _Subtitles(self._container, subtitles) if subtitles else None
        self._container.start_encoding()

    def __enter__(self) -> "_Muxer":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self._container.close()
        else:
            with suppress(Exception):
                self._container.close()

    def append(self, piece: Path, progress: Callable[[int], None]) -> None:
        """Copy a piece's pictures behind what is there."""
        import av

        start = self.frames
        with reading(piece), av.open(str(piece)) as container:
            stream = container.streams.video[0]
            if bytes(stream.codec_context.extradata or b"") != self._settings:
                raise OutputError(f"{piece}: was encoded with other settings; remove it and run again")
            for packet in container.demux(stream):
                if packet.size:
                    self._write(packet, start, stream)
                    progress(self.frames)

    def _write(self, packet: Any, start: int, stream: Any) -> None:
        packet.pts = start + round(packet.pts * packet.time_base * self._fps)
        packet.dts = self.frames - _REORDERED
        packet.duration = 1
        packet.time_base = 1 / self._fps
        packet.stream = self._video
        self._container.mux(packet)
        self.frames += 1
        until_s = self.frames / self._fps
        for sound in self._sounds:
            sound.write_until(self._container, until_s)
        if self._subtitles is not None:
            self._subtitles.write_until(self._container, until_s)

    def complete(self) -> None:
        """Bring all tracks to the picture's end."""
        for sound in self._sounds:
            sound.complete(self._container)
        if self._subtitles is not None:
            self._subtitles.write_until(self._container, None)


class _Sound:
    """A sound track on its way into the file."""

    def __init__(self, container: Any, track: SoundTrack) -> None:
        from av.stream import Disposition

        self._track = track
        layout = "mono" if track.channels == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=track.rate, layout=layout)
        self._stream.codec_context.bit_rate = _BIT_RATE[track.channels]
        self._stream.metadata["language"] = track.language
        if track.title:
            self._stream.metadata["handler_name"] = track.title
            self._stream.metadata["title"] = track.title
        self._stream.disposition = Disposition.default if track.is_default else Disposition(0)
        self._done = 0
        self._waiting = np.zeros((track.channels, 0), np.float32)

    def write_until(self, container: Any, until_s: Fraction) -> None:
        """Encode what belongs to the picture up to a moment; silence where there is no more."""
        due = round(until_s * self._track.rate)
        while self._done < due:
            if not self._waiting.shape[1]:
                silence = np.zeros((self._track.channels, self._track.rate), np.float32)
                self._waiting = next(self._track.blocks, silence)
            count = due - self._done
            self._encode(container, self._waiting[:, :count])
            self._waiting = self._waiting[:, count:]

    def complete(self, container: Any) -> None:
        """Encode what the encoder still holds."""
        for packet in self._stream.encode(None):
            container.mux(packet)

    def _encode(self, container: Any, block: np.ndarray) -> None:
        from av import AudioFrame

        layout = "mono" if self._track.channels == 1 else "stereo"
        samples = np.ascontiguousarray(block, np.float32)
        frame = AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate, frame.time_base = self._track.rate, Fraction(1, self._track.rate)
        frame.pts = self._done
        self._done += block.shape[1]
        for packet in self._stream.encode(frame):
            container.mux(packet)


class _Subtitles:
    """3GPP timed text (`mov_text`): every sample is a length and UTF-8."""

    def __init__(self, container: Any, track: SubtitleTrack) -> None:
        self._stream = container.add_stream("mov_text")
        self._stream.metadata["language"] = track.language
        codec = self._stream.codec_context
        codec.subtitle_header = _ASS_HEADER
        codec.time_base = Fraction(1, 1000)
        self._lines = iter(_without_overlaps(track.lines))
        self._next = next(self._lines, None)

    def write_until(self, container: Any, until_s: Fraction | None) -> None:
        from av.packet import Packet

        while self._next is not None and (until_s is None or self._next[0] <= until_s * 1000):
            start, end, text = self._next
            content = text.encode()
            packet = Packet(len(content).to_bytes(2, "big") + content)
            packet.stream, packet.time_base = self._stream, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = end - start
            packet.is_keyframe = True
            container.mux(packet)
            self._next = next(self._lines, None)


def _without_overlaps(lines: Sequence[tuple[float, float, str]]) -> list[tuple[int, int, str]]:
    """Lines in ms that do not overlap: what is said at once is shown at once."""
    edges = sorted({round(1000 * edge) for start, end, _ in lines for edge in (start, end)})
    found: list[tuple[int, int, str]] = []
    for start, end in pairwise(edges):
        said = [text for first, last, text in lines if round(1000 * first) <= start < round(1000 * last)]
        text = "\n".join(said)
        if found and found[-1][2] == text and found[-1][1] == start:
            found[-1] = (found[-1][0], end, text)
        elif text:
            found.append((start, end, text))
    return found


_ASS_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, "
    b"Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
    b"MarginL, MarginR, MarginV, Encoding\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\n\n"
    b"[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)
