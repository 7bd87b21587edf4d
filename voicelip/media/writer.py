"""Writing a video: H.264 and AAC in MP4, whole or not at all."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from voicelip.errors import OptionError, OutputError
from voicelip.media.colour import FromRgb, writable_tags
from voicelip.media.failures import writing
from voicelip.media.output import check_output, temporary_beside
from voicelip.media.picture import Picture
from voicelip.media.planes import PlanarPicture
from voicelip.media.values import ColourTags

_SUFFIXES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov"}
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_PRESETS = ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]
_STANDARD_KEYS = {
    "title",
    "artist",
    "album",
    "comment",
    "copyright",
    "description",
    "date",
    "genre",
    "encoder",
}


class VideoWriter:
    """A context manager that turns frames and sound into a video file.

    The file appears under its name only when the block ends well; after any exception, Ctrl-C
    included, nothing is left. The sound is cut, or filled up with silence, to end with the picture.

    An odd width or height gets one more column or row, a copy of the outermost one, since 4:2:0 video
    knows only even sizes; nothing is scaled.

    Memory stays bounded as long as sound and frames are written roughly side by side: sound waits
    for its frames uncompressed.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        fps: Fraction | int,
        sample_rate: int | None = None,
        colour: ColourTags | None = None,
        crf: float = 18,
        preset: str = "veryfast",
        overwrite: bool = False,
        metadata: dict[str, str] | None = None,
        finish: Callable[[Path], None] | None = None,
    ) -> None:
        """Sizes in pixels, `sample_rate` in Hz (None: no sound); `colour` as in the source's ClipInfo.

        `finish` is called with the whole file before it gets its name, and may change it; what it raises
        is a failure of the writer.
        """
        self.path = Path(path)
        self.frames_written = 0
        self._size = (width, height)
        self._fps = Fraction(fps)
        self._sample_rate = sample_rate
        self._colour = writable_tags(colour, width, height)
        self._crf, self._preset = crf, preset
        self._overwrite = overwrite
        self._metadata = dict(metadata or {})
        self._finish = finish
        self._check_options()
        check_output(self.path, overwrite)

    def _check_options(self) -> None:
        if self.path.suffix.lower() not in _SUFFIXES:
            raise OptionError(f"{self.path}: video is written as {', '.join(_SUFFIXES)}; name the output so")
        if not 0 <= self._crf <= 51:
            raise OptionError(
                f"crf {self._crf} is out of range; choose 0 (lossless) to 51 (worst), 18 is good"
            )
        if self._preset not in _PRESETS:
            raise OptionError(f"preset {self._preset} is not known; choose one of {', '.join(_PRESETS)}")
        if min(self._size) < 1 or self._fps <= 0:
            raise OptionError(
                f"a video of {self._size[0]}x{self._size[1]} at {self._fps} fps cannot be written"
            )

    def __enter__(self) -> "VideoWriter":
        self._temporary = temporary_beside(self.path)
        self._from_rgb = FromRgb(self._colour)
        width, height = self._size
        self._even = np.empty((height + height % 2, width + width % 2, 3), np.uint8)
        self._sound = _PendingSound()
        self._samples_encoded = 0
        self._container: Any = None
        try:
            with writing(self.path):
                self._open()
        except BaseException:
            self._discard()
            raise
        return self

    def write_frame(self, picture: np.ndarray | Picture) -> None:
        """Append one frame: (H, W, 3) uint8 RGB, or a picture, whose planes are encoded as they are if they
        mean the colours that this video is tagged with.
        """
        if isinstance(picture, PlanarPicture) and self._takes(picture):
            frame = picture.planes.frame(self._colour)
        else:
            frame = self._converted(picture.rgb() if isinstance(picture, Picture) else picture)
        frame.pts = self.frames_written
        frame.time_base = 1 / self._fps
        frame.pict_type = 0
        with writing(self.path):
            for packet in self._video.encode(frame):
                self._container.mux(packet)
            self.frames_written += 1
            self._encode_due_sound()

    def write_audio(self, samples: np.ndarray) -> None:
        """Append sound, (N,) float32 mono in [-1, 1] at the writer's sample rate."""
        if self._sample_rate is None:
            raise ValueError("this video was opened without sound")
        self._sound.append(samples)
        with writing(self.path):
            self._encode_due_sound()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            with writing(self.path):
                self._complete()
                if self._finish is not None:
                    self._finish(self._temporary)
                check_output(self.path, self._overwrite)
                self._temporary.replace(self.path)
        except BaseException:
            self._discard()
            raise

    # Steps

    def _open(self) -> None:
        import av

        flags = "faststart" if self._metadata.keys() <= _STANDARD_KEYS else "faststart+use_metadata_tags"
        kind = _SUFFIXES[self.path.suffix.lower()]
        self._container = av.open(str(self._temporary), "w", format=kind, options={"movflags": flags})
        self._container.metadata.update(self._metadata)
        self._video = self._add_video()
        self._audio: Any = self._add_audio() if self._sample_rate else None
        self._container.start_encoding()

    def _add_video(self) -> Any:
        options = {"crf": str(self._crf), "preset": self._preset}
        stream = self._container.add_stream("libx264", rate=self._fps, options=options)
        stream.height, stream.width = self._even.shape[:2]
        stream.pix_fmt = "yuv420p"
        codec = stream.codec_context
        codec.time_base = 1 / self._fps
        codec.color_primaries = self._colour.primaries
        codec.color_trc = self._colour.transfer
        codec.colorspace = self._colour.matrix
        codec.color_range = self._colour.range
        return stream

    def _add_audio(self) -> Any:
        wanted = self._sample_rate or 0
        # AAC knows a few rates only; PyAV resamples to the next one above.
        rate = min((known for known in _AAC_RATES if known >= wanted), default=_AAC_RATES[-1])
        stream = self._container.add_stream("aac", rate=rate, layout="mono")
        stream.codec_context.bit_rate = 128_000 if rate >= 32000 else 64_000
        return stream

    def _takes(self, picture: PlanarPicture) -> bool:
        is_alike = (picture.tags.matrix, picture.tags.range) == (self._colour.matrix, self._colour.range)
        return is_alike and (picture.width, picture.height) == self._size

    def _converted(self, image: np.ndarray) -> Any:
        width, height = self._size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise ValueError(
                f"a frame of {image.shape} {image.dtype} in a video of {(height, width, 3)} uint8"
            )
        return self._from_rgb(self._evened(image))

    def _evened(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        if self._even.shape == image.shape:
            return np.ascontiguousarray(image)
        self._even[:height, :width] = image
        self._even[:height, width:] = image[:, -1:]
        self._even[height:] = self._even[height - 1 : height]
        return self._even

    @property
    def _samples_due(self) -> int:
        """Samples up to the end of the last frame written."""
        return round(self.frames_written / self._fps * (self._sample_rate or 0))

    def _encode_due_sound(self) -> None:
        while self._audio is not None and self._samples_encoded < self._samples_due and self._sound.length:
            self._encode_sound(self._sound.take(self._samples_due - self._samples_encoded))

    def _encode_sound(self, samples: np.ndarray) -> None:
        from av import AudioFrame

        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="fltp", layout="mono")
        frame.sample_rate = self._sample_rate or 0
        frame.time_base = Fraction(1, self._sample_rate or 1)
        frame.pts = self._samples_encoded
        self._samples_encoded += len(samples)
        for packet in self._audio.encode(frame):
            self._container.mux(packet)

    def _complete(self) -> None:
        if self.frames_written == 0:
            raise OutputError(f"{self.path}: no frame was written; nothing to save")
        if self._audio is not None:
            self._encode_due_sound()
            missing = self._samples_due - self._samples_encoded
            while missing > 0:
                self._encode_sound(np.zeros(min(missing, 1 << 16), np.float32))
                missing = self._samples_due - self._samples_encoded
            for packet in self._audio.encode(None):
                self._container.mux(packet)
        for packet in self._video.encode(None):
            self._container.mux(packet)
        self._container.close()

    def _discard(self) -> None:
        # Without the file, closing fails at once instead of writing an index that nobody needs.
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)
        if self._container is not None:
            with suppress(Exception):
                self._container.close()
        self._temporary.unlink(missing_ok=True)


class _PendingSound:
    """Samples that wait for their frames."""

    def __init__(self) -> None:
        self._pieces: deque[np.ndarray] = deque()
        self.length = 0

    def append(self, samples: np.ndarray) -> None:
        if samples.ndim != 1:
            raise ValueError(f"sound of shape {samples.shape}; expected (N,) mono")
        if len(samples):
            self._pieces.append(np.array(samples, dtype=np.float32))
            self.length += len(samples)

    def take(self, most: int) -> np.ndarray:
        """The first samples, `most` at most; perhaps fewer, but not none."""
        piece = self._pieces.popleft()
        if len(piece) > most:
            self._pieces.appendleft(piece[most:])
            piece = piece[:most]
        self.length -= len(piece)
        return piece
