"""Reading pictures: any video or still as a stream of upright pictures at a constant rate."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import OptionError, UnreadableMediaError
from voicelip.media.colour import LIMITED, ToRgb, delivered_tags, frame_tags, is_hdr
from voicelip.media.container import open_container
from voicelip.media.failures import check_input, reading
from voicelip.media.orientation import Orientation, orientation_of
from voicelip.media.picture import ConvertedPicture, Picture
from voicelip.media.planes import FORMATS, PlanarPicture, PlaneConverter, Planes
from voicelip.media.timeline import Timeline, constant_rate, packets_until_broken, read_timeline
from voicelip.media.values import ClipInfo, ColourTags, Frame

LARGEST_SIDE = 8192  # pixels
STILL_FPS = Fraction(25)
_NEAR_FRAMES = 250  # apart, frames are found faster by seeking than by decoding on
_KEPT_FRAMES = 32  # at most, for playing backwards
_KEPT_BYTES = 32 << 20

_DAMAGE = "damaged pieces of the picture were left out or patched over"

_Decoded = tuple[int, Any]  # presentation time in ticks, av.VideoFrame


def probe(path: str | Path) -> ClipInfo:
    """What the video or still at `path` is. Reads all packets but decodes only the first picture."""
    return Clip(path).info


class Clip:
    """A video or still image, read as often and from wherever one likes, in constant memory.

    Frame `k` is the picture whose timestamp is nearest to `k / fps` after the first picture's, so that
    variable rates become constant by dropping and repeating pictures, without drift.

    `problems` gathers what is wrong with the file and was worked around, one line each. Damage inside
    the file is only found by reading it.
    """

    def __init__(self, path: str | Path, fps: Fraction | None = None) -> None:
        self.path = Path(path)
        self.problems: list[str] = []
        check_input(self.path)
        if fps is not None and not 1 <= fps <= 240:
            raise OptionError(f"{float(fps):g} frames per second is out of range; choose 1 to 240")
        with reading(self.path), self._opened() as (container, stream):
            self._timeline = self._read_timeline(container, stream)
            declared_count, declared_end = stream.frames, _declared_end_s(container, stream)
            is_image = container.format.name.endswith("_pipe")
            own_rate = constant_rate(self._timeline, stream)
            has_audio = bool(container.streams.audio)
        is_still = is_image or len(self._timeline.times) == 1
        first = self._first_picture()
        self._orientation = orientation_of(first)
        self._stored_size = _square_pixel_size(first, self._sample_aspect)
        self._to_rgb = ToRgb(*self._stored_size)
        self._planes = PlaneConverter(first)
        self.info = self._describe(first, is_still, fps or (STILL_FPS if is_still else own_rate), has_audio)
        if not is_still:
            self._note_missing_tail(declared_count, declared_end)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Frames `start` up to, not including, `stop` (default: the clip's end).

        A still goes on for as long as `stop` asks, every index the same picture.
        A damaged clip ends early; `problems` then says so.
        """
        previous, picture = None, None
        for index, decoded in self.pictures(start, stop):
            if picture is None or decoded is not previous:
                previous, picture = decoded, self._picture(decoded)
            yield self._frame(index, picture)

    def picked(self, indices: Sequence[int]) -> Iterator[Frame]:
        """The frames of these indices, in rising order, decoding what lies between near ones only once, and
        of that no more than they depend on.
        """
        wanted = sorted(set(indices))
        while wanted:
            near = [index for index in wanted if index - wanted[0] <= _NEAR_FRAMES]
            ticks = frozenset(self._nearest_time(index) for index in near)
            for index, decoded in self._pictures(near[0], near[-1] + 1, ticks):
                if index in near:
                    yield self._frame(index, self._picture(decoded))
            wanted = wanted[len(near) :]

    def pictures_at(self, indices: Sequence[int]) -> Iterator[Picture]:
        """The pictures of `picked`."""
        return (frame.picture for frame in self.picked(indices))

    def frames_backwards(self, start: int, stop: int = 0) -> Iterator[Frame]:
        """Frames `start`, `start - 1`, … down to and including `stop`.

        Decodes forward from key frames, in pieces of at most 32 pictures (fewer when they are large).
        """
        end = start + 1
        while end > stop:
            begin = max(stop, end - self._piece_length(), self._first_index_from_key(end - 1))
            for index, decoded in reversed(list(self.pictures(begin, end))):
                yield self._frame(index, self._picture(decoded))
            end = begin

    def pictures(self, start: int, stop: int | None) -> Iterator[tuple[int, Any]]:
        """Like `frames`, but as (index, av.VideoFrame): neither converted nor turned."""
        return self._pictures(start, stop, None)

    def _pictures(
        self, start: int, stop: int | None, ticks: frozenset[int] | None
    ) -> Iterator[tuple[int, Any]]:
        """`pictures`; where `ticks` are given only those at these are sure to be the right ones."""
        if self.info.is_still:
            yield from self._still_pictures(start, self.info.frame_count if stop is None else stop)
            return
        stop = self.info.frame_count if stop is None else min(stop, self.info.frame_count)
        if not 0 <= start < stop:
            return
        step = self._ticks_per_frame
        decoded = self._decoded_from(self._nearest_time(start), ticks)
        current, following = next(decoded, None), next(decoded, None)
        for index in range(start, stop):
            if current is None:
                self._note(f"no picture could be decoded from {index / self.info.fps:.2f} s on")
                return
            due = self._timeline.start + index * step
            while following is not None and current[0] + following[0] < 2 * due:
                current, following = following, next(decoded, None)
            if following is None and current[0] < self._timeline.times[-1] and due >= current[0] + step:
                self._note(f"the picture breaks off at {float(index / self.info.fps):.2f} s")
                return
            yield index, current[1]

    def _frame(self, index: int, picture: Picture) -> Frame:
        return Frame(index, float(index / self.info.fps), picture)

    def _picture(self, decoded: Any) -> Picture:
        """The decoder's planes where they can be worked on as they are, or what becomes of them in RGB."""
        tags = frame_tags(decoded)
        is_as_delivered = (
            decoded.format.name in FORMATS
            and self._orientation == Orientation()
            and (decoded.width, decoded.height) == self._stored_size
            and decoded.width % 2 == decoded.height % 2 == 0
            and tags == self.info.colour
        )
        if is_as_delivered:
            return PlanarPicture(Planes.of(decoded), tags, self._planes)
        return ConvertedPicture(self.info.width, self.info.height, partial(self._converted, decoded))

    def _converted(self, decoded: Any, exact: bool) -> np.ndarray:
        with reading(self.path):
            return self._orientation.apply(self._to_rgb(decoded, exact))

    def _still_pictures(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        picture = self._first_picture()
        for index in range(start, stop):
            yield index, picture

    # Opening and describing

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        with open_container(self.path, {"max_pixels": str(LARGEST_SIDE**2)}) as container:
            stream = picture_stream(container)
            if stream is None:
                raise UnreadableMediaError(f"{self.path}: holds no picture; name a video or an image")
            if stream.codec_context is None:
                raise UnreadableMediaError(f"{self.path}: its video codec is not known; convert it to H.264")
            _refuse_tiles(self.path, stream)
            _refuse_absurd_size(self.path, stream.codec_context.width, stream.codec_context.height)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = 2
            self._sample_aspect = stream.sample_aspect_ratio or Fraction(1)
            yield container, stream

    def _read_timeline(self, container: Any, stream: Any) -> Timeline:
        timeline = read_timeline(container, stream)
        if timeline is None:
            raise UnreadableMediaError(f"{self.path}: its video has no frames; export it again")
        return timeline

    def _first_picture(self) -> Any:
        with reading(self.path):
            first = next(self._decode(None), None)
        if first is None:
            raise UnreadableMediaError(f"{self.path}: no picture in it can be decoded; export it again")
        _refuse_absurd_size(self.path, first[1].width, first[1].height)
        return first[1]

    def _describe(self, first: Any, is_still: bool, fps: Fraction, has_audio: bool) -> ClipInfo:
        width, height = self._orientation.size(*self._stored_size)
        _refuse_absurd_size(self.path, width, height)
        if is_hdr(frame_tags(first)):
            self._note("the picture is HDR; it is worked on, and written, in standard range")
        colour = delivered_tags(frame_tags(first))
        if is_still:
            # Pictures are full range by habit; the video made of one had better be what players expect.
            colour = ColourTags(colour.primaries, colour.transfer, colour.matrix, LIMITED)
        count = 1 if is_still else self._timeline.frame_count(fps)
        return ClipInfo(
            path=self.path,
            width=width,
            height=height,
            fps=fps,
            frame_count=count,
            duration_s=float(count / fps),
            is_still=is_still,
            has_audio=has_audio,
            rotation=self._orientation.rotation,
            colour=colour,
        )

    def _note_missing_tail(self, declared_count: int, declared_end_s: float) -> None:
        present, seconds = self._timeline.packet_count, self._timeline.duration_s
        if declared_count > present:
            self._note(f"the file is cut short: {present} of {declared_count} frames are there")
        elif declared_end_s > seconds + 0.5:
            self._note(f"the picture ends at {seconds:.2f} s although the file claims {declared_end_s:.2f} s")

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    # Places in time

    @property
    def _ticks_per_frame(self) -> Fraction:
        return 1 / (self.info.fps * self._timeline.time_base)

    def _nearest_time(self, index: int) -> int:
        times = self._timeline.times
        due = float(index * self._ticks_per_frame) + self._timeline.start
        right = int(np.searchsorted(times, due))
        if right == 0 or right == len(times):
            return int(times[min(right, len(times) - 1)])
        before, after = int(times[right - 1]), int(times[right])
        return before if due - before <= after - due else after

    def _first_index_from_key(self, index: int) -> int:
        """The first frame index from the key frame that frame `index` depends on."""
        key = self._timeline.key_at_or_before(self._nearest_time(index))
        if key <= 0 or self.info.is_still:
            return 0
        return min(index, int((self._timeline.keys[key] - self._timeline.start) / self._ticks_per_frame) + 1)

    def _piece_length(self) -> int:
        width, height = self._stored_size
        return max(8, min(_KEPT_FRAMES, _KEPT_BYTES // (width * height * 3 // 2)))

    # Decoding

    def _decoded_from(self, tick: int, ticks: frozenset[int] | None) -> Iterator[_Decoded]:
        """Pictures in order of presentation, from the one at `tick` on; all, or at least those at `ticks`."""
        key = self._timeline.key_at_or_before(tick)
        attempts = [] if self._timeline.unstamped else list(range(key, max(0, key - 2), -1))
        # A seek may land late in files with a poor index: then from an earlier key, at last from the start.
        for attempt in (*attempts, None):
            decoded = self._decode(attempt, tick, ticks)
            head = next(decoded, None)
            if attempt is None or (head is not None and head[0] <= tick):
                if head is not None:
                    yield head
                    yield from decoded
                return

    def _decode(
        self, key: int | None, from_tick: int | None = None, ticks: frozenset[int] | None = None
    ) -> Iterator[_Decoded]:
        """Decode from a key frame of the timeline (None: the start), dropping what is before `from_tick`."""

        def is_needed(tick: int) -> bool:
            if ticks is not None and not self._timeline.unstamped:
                return tick in ticks
            return from_tick is None or tick >= from_tick

        last = None
        with reading(self.path), self._opened() as (container, stream):
            if key is not None:
                container.seek(self._timeline.seek_points[key], stream=stream)
            for position, picture in enumerate(self._decode_packets(container, stream, is_needed)):
                tick = self._tick_of(picture, position, last)
                if last is not None and tick <= last:
                    continue
                last = tick
                if from_tick is None or tick >= from_tick:
                    yield tick, picture

    def _tick_of(self, picture: Any, position: int, last: int | None) -> int:
        if self._timeline.unstamped:
            return int(self._timeline.times[min(position, len(self._timeline.times) - 1)])
        for tick in (picture.pts, picture.dts):
            if tick is not None:
                return int(tick)
        return self._timeline.start if last is None else last + self._timeline.last_duration

    def _decode_packets(self, container: Any, stream: Any, is_needed: Callable[[int], bool]) -> Iterator[Any]:
        from av.error import FFmpegError

        codec = stream.codec_context
        for packet in chain(packets_until_broken(container, stream), [None]):  # None: what is still inside
            # Pictures that nothing refers to need no decoding on the way to those that are needed.
            is_on_the_way = bool(packet and packet.pts is not None and not is_needed(packet.pts))
            codec.skip_frame = "NONREF" if is_on_the_way else "DEFAULT"
            try:
                for picture in codec.decode(packet):
                    if picture.is_corrupt:
                        self._note(_DAMAGE)
                    yield picture
            except FFmpegError:
                self._note(_DAMAGE)


def picture_stream(container: Any) -> Any | None:
    """The first video stream that is not cover art, or None."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _declared_end_s(container: Any, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1e6


def _square_pixel_size(picture: Any, sample_aspect: Fraction) -> tuple[int, int]:
    aspect = sample_aspect if Fraction(1, 4) <= sample_aspect <= 4 else Fraction(1)
    return max(1, round(picture.width * aspect)), picture.height


def _refuse_tiles(path: Path, stream: Any) -> None:
    """Phones keep a HEIC photo as many small pictures; PyAV does not tell where each belongs."""
    from av.stream import Disposition

    if stream.disposition & Disposition.dependent:
        raise UnreadableMediaError(
            f"{path}: is a photo made of tiles (HEIC); open it in a photo program and save it as JPEG or PNG"
        )


def _refuse_absurd_size(path: Path, width: int, height: int) -> None:
    if max(width, height) > LARGEST_SIDE:
        raise UnreadableMediaError(
            f"{path}: {width}x{height} pixels is too large; scale it down to at most {LARGEST_SIDE} a side"
        )
