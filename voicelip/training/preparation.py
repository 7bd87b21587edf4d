"""From recordings to prepared clips: faces followed, crops cut, sound heard, all measured."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from voicelip.errors import VoicelipError
from voicelip.face import stabilise
from voicelip.face.track import FaceTrack
from voicelip.face.tracker import FaceTracker
from voicelip.lips.mel import COLUMNS_PER_S, SAMPLE_RATE, mel_spectrogram
from voicelip.media import Clip, ClipInfo, read_audio
from voicelip.training import quality
from voicelip.training.clips import ClipEntry
from voicelip.training.corpora import Recording
from voicelip.training.shards import ShardWriter

FPS = 25
_WHOLE_COLUMNS_FRAMES = 5  # at 25 fps and 80 columns a second, every fifth frame begins with a column
_TAIL_COLUMNS = 16  # of sound after the last frame, which it is heard with
_FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Requirements:
    """What a clip must be to be kept."""

    face_px: float = 30.0  # between the outer eye corners
    min_frames: int = 25
    max_frames: int = 500  # longer stretches are cut into equal clips, so that memory stays bounded
    max_silence: float = 0.9
    max_offset_frames: int = quality.MOST_OFFSET_FRAMES  # the whole range: nothing is left out for it
    sure_r: float = 0.5  # … unless picture and sound correlate at least so well at the offset


class UnfitError(VoicelipError):
    """A recording cannot serve; the message is the reason."""


@dataclass(frozen=True)
class _Source:
    clip: Clip
    track: FaceTrack
    mel: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What became of one recording: its clips, or why there are none."""

    recording: Recording
    clips: tuple[ClipEntry, ...] = ()
    rejected: str | None = None


class Crops(Protocol):
    """Where the crop of each frame lies; `points` (T, 478, 2) float32 are landmarks in crop px."""

    @property
    def points(self) -> np.ndarray: ...

    def cut(self, image: np.ndarray, index: int) -> np.ndarray:
        """(96, 96, 3) of frame `index`."""


Place = Callable[[FaceTrack, ClipInfo], Crops]


def mouth_crops(track: FaceTrack, info: ClipInfo) -> Crops:
    """Those of the embedded network."""
    return stabilise(track)


def prepare_shard(
    folder: Path,
    shard: Path,
    recordings: Sequence[Recording],
    landmarker: Path,
    needs: Requirements,
    place: Place = mouth_crops,
) -> list[Outcome]:
    """Prepare `recordings` of the corpus in `folder` into one new shard, with crops where `place` says."""
    tracker = FaceTracker.from_task(landmarker)
    with ShardWriter(shard) as writer:
        return [_prepare(folder, recording, tracker, needs, place, writer) for recording in recordings]


def _prepare(
    folder: Path,
    recording: Recording,
    tracker: FaceTracker,
    needs: Requirements,
    place: Place,
    writer: ShardWriter,
) -> Outcome:
    try:
        clips = _clips(folder / recording.source, recording, tracker, needs, place, writer)
    except OSError:
        raise  # of the output: reading reports its own errors
    except Exception as error:  # a broken file must not end a run over thousands
        reason = str(error).removeprefix(f"{folder / recording.source}: ")
        if not isinstance(error, VoicelipError):
            reason = f"{type(error).__name__}: {reason}"
        writer.finish(recording.source, rejected=reason)
        return Outcome(recording, rejected=reason)
    writer.finish(recording.source, [asdict(clip) for clip in clips])
    return Outcome(recording, clips)


def _clips(
    path: Path,
    recording: Recording,
    tracker: FaceTracker,
    needs: Requirements,
    place: Place,
    writer: ShardWriter,
) -> tuple[ClipEntry, ...]:
    source = _read(path, tracker)
    pieces = _fit_pieces(source, needs)
    crops = place(source.track, source.clip.info)
    return tuple(_write(recording, source, crops, piece, len(pieces) == 1, writer) for piece in pieces)


def _read(path: Path, tracker: FaceTracker) -> _Source:
    clip = Clip(path, fps=Fraction(FPS))
    if clip.info.is_still:
        raise UnfitError("a still picture")
    samples = read_audio(path, SAMPLE_RATE).samples
    if len(samples) < SAMPLE_RATE // 4:
        raise UnfitError(f"its sound lasts only {len(samples) / SAMPLE_RATE:.2f} s")
    mel = mel_spectrogram(samples)  # as loud as recorded, as inference hears it; training varies the gain
    return _Source(clip, tracker.track(frame.image for frame in clip.frames()), mel)


def _fit_pieces(source: _Source, needs: Requirements) -> list[slice]:
    """The stretches of frames that will do; raises UnfitError with the reason if none does."""
    track = source.track
    if not track.tracked.any():
        raise UnfitError("no face that faces the camera is seen in it")
    pieces = [piece for run in track.runs() for piece in _cut(run, needs)]
    if not pieces:
        raise UnfitError(
            f"the face is never usable for {needs.min_frames} frames on end "
            f"(in {track.tracked.mean():.0%} of all)"
        )
    reasons = [_unfitness(source, piece, needs) for piece in pieces]
    fit = [piece for piece, reason in zip(pieces, reasons, strict=True) if reason is None]
    if not fit:
        raise UnfitError(next(reason for reason in reasons if reason))
    return fit


def _cut(run: slice, needs: Requirements) -> Iterator[slice]:
    """A stretch of tracked frames in equal pieces, each beginning where a mel column does."""
    start = -(-run.start // _WHOLE_COLUMNS_FRAMES) * _WHOLE_COLUMNS_FRAMES
    frames = run.stop - start
    count = max(1, -(-frames // needs.max_frames))
    step = -(-frames // count // _WHOLE_COLUMNS_FRAMES) * _WHOLE_COLUMNS_FRAMES
    for first in range(start, run.stop, max(step, 1)):
        piece = slice(first, min(first + step, run.stop))
        if piece.stop - piece.start >= needs.min_frames:
            yield piece


def _unfitness(source: _Source, piece: slice, needs: Requirements) -> str | None:
    figures = quality.measure(source.track.points[piece], _mel_of(source, piece), FPS, 0.0)
    if figures.face_px < needs.face_px:
        return f"the face is small: {figures.face_px:.0f} px between the eyes, not {needs.face_px:g}"
    if figures.silence > needs.max_silence:
        return f"silent in {figures.silence:.0%} of the frames"
    if abs(figures.av_offset_frames) > needs.max_offset_frames and figures.av_r >= needs.sure_r:
        return f"sound and picture are {figures.av_offset_frames} frames out of step (r {figures.av_r:.2f})"
    return None


def _mel_of(source: _Source, piece: slice) -> np.ndarray:
    first = piece.start * COLUMNS_PER_S // FPS
    return source.mel[:, first : -(-piece.stop * COLUMNS_PER_S // FPS) + _TAIL_COLUMNS]


def _write(
    recording: Recording, source: _Source, crops: Crops, piece: slice, is_only: bool, writer: ShardWriter
) -> ClipEntry:
    mel = _mel_of(source, piece)
    entry = ClipEntry(
        speaker=recording.speaker,
        name=Path(recording.source).stem + ("" if is_only else f"@{piece.start}"),
        fps=float(FPS),
        first_frame=writer.rows["crops"],
        frames=piece.stop - piece.start,
        first_column=writer.rows["mel"],
        columns=mel.shape[1],
        source=recording.source,
        start_s=piece.start / FPS,
    )
    sharpness = []
    for pixels in _crops(source.clip, crops, piece):
        writer.append("crops", pixels)
        sharpness += [quality.crop_sharpness(crop) for crop in pixels]
    if len(sharpness) != entry.frames:
        raise UnfitError(f"its frame {piece.start + len(sharpness)} could not be read a second time")
    writer.append("points", crops.points[piece])
    writer.append("mel", mel.T)
    figures = quality.measure(source.track.points[piece], mel, FPS, float(np.mean(sharpness)))
    return replace(entry, quality=figures)


def _crops(clip: Clip, crops: Crops, piece: slice) -> Iterator[np.ndarray]:
    """The crops of a stretch, (up to 64, 96, 96, 3) at a time: frames are read again, never kept."""
    waiting: list[np.ndarray] = []
    for frame in clip.frames(piece.start, piece.stop):
        waiting.append(crops.cut(frame.image, frame.index))
        if len(waiting) == _FRAMES_AT_ONCE:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)
