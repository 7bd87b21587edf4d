"""The footage that a person is learned from: checked, cut into crops, parted into what is learned from and
what is held out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter1d

from voicelip import hub
from voicelip.errors import BadReferenceError, NoFaceError, UnreadableMediaError
from voicelip.face import MouthCrops, stabilise
from voicelip.face.cache import cached_track
from voicelip.face.looks import looks_of
from voicelip.face.track import FaceTrack
from voicelip.face.tracker import FaceTracker
from voicelip.lips.mel import COLUMNS_PER_S, SAMPLE_RATE, mel_spectrogram
from voicelip.media import Clip, read_audio
from voicelip.progress import Progress
from voicelip.training import quality
from voicelip.training.clips import ClipEntry, PreparedClips

FPS = 25
MOST_S = 180.0  # of footage: more takes memory and does not fit into a few minutes of learning
LEAST_SPEECH_S = 8.0
_LOOKS = 8
_COLUMNS_PER_FRAME = Fraction(COLUMNS_PER_S, FPS)
_TAIL_COLUMNS = 16
_WHOLE_COLUMNS_FRAMES = 5  # every fifth frame begins with a column
_SHORTEST_FRAMES = 40
_LONGEST_FRAMES = 500  # a stretch of the generator's, over which the resting mouth is one
_CUT_BETWEEN = (0.72, 0.8)  # of the usable frames: the quietest moment there parts them
_GAP_FRAMES = 12
_PAUSE_FRAMES = 7

FootageCheck = Callable[[Clip, FaceTrack], None]


@dataclass(frozen=True)
class Footage:
    """`learned` and `held_out` are stretches of one speaker; `looks` (N, D) tell the face again."""

    learned: PreparedClips
    held_out: PreparedClips
    looks: np.ndarray
    seconds: float

    def shifted(self, frames: int) -> "Footage":
        """The same with the mouth `frames` earlier against the sound."""
        return Footage(
            _shifted(self.learned, frames), _shifted(self.held_out, frames), self.looks, self.seconds
        )


def read_footage(path: Path, progress: Progress, check: FootageCheck | None = None) -> Footage:
    """Raises a VoicelipError subclass if the clip cannot teach how its person speaks, or what `check` raises
    at the face that is followed.
    """
    clip = Clip(path, fps=Fraction(FPS))
    if clip.info.is_still:
        raise UnreadableMediaError(f"{path}: is a picture; adapting needs a video of the person speaking")
    if not clip.info.has_audio:
        raise UnreadableMediaError(f"{path}: has no sound; adapting needs the person's own speech with it")
    mel = mel_spectrogram(_sound(path))
    frames = min(clip.info.frame_count, int(MOST_S * FPS))
    track = _track(clip, frames, progress)
    if check is not None:
        check(clip, track)
    loud = quality.loudness(mel, len(track), FPS)
    _check(path, track, loud)
    pieces = [piece for run in track.runs() for piece in _cut(run)]
    cut = _quiet_moment(track, loud)
    parts = (
        _within(pieces, slice(0, cut)),
        _within(pieces, slice(cut + _GAP_FRAMES, len(track))),
    )
    if not all(parts):
        raise BadReferenceError(
            f"{path}: shows the speaking face in short moments only; use a longer, steadier clip"
        )
    crops = stabilise(track)
    pictures = _crops(clip, crops, len(track), progress)
    learned, held_out = (_prepared(pictures, crops, mel, part) for part in parts)
    looks = np.array(looks_of(clip, track, _LOOKS), np.float32)
    if not len(looks):
        raise NoFaceError(f"{path}: the face is never seen from the front; use another clip")
    return Footage(learned, held_out, looks, float(track.tracked.sum() / FPS))


def _sound(path: Path) -> np.ndarray:
    samples = read_audio(path, SAMPLE_RATE, stop_s=MOST_S).samples
    return np.pad(samples, (0, max(0, SAMPLE_RATE - len(samples))))


def _track(clip: Clip, frames: int, progress: Progress) -> FaceTrack:
    def images() -> Iterator[np.ndarray]:
        for number, frame in enumerate(clip.frames(0, frames), start=1):
            yield frame.picture.rgb(exact=False)
            progress("faces", number, frames, "frames")

    def compute() -> FaceTrack:
        return FaceTracker.from_task(hub.fetch("face-landmarker", progress)).track(images())

    return cached_track(clip.path, f"adapt {FPS} {frames}", hub.home() / "tracks", compute)[0]


def _check(path: Path, track: FaceTrack, loud: np.ndarray) -> None:
    if not track.tracked.any():
        raise NoFaceError(
            f"{path}: no face that can be animated is seen; use a clip that shows it from the front"
        )
    seen = loud[track.tracked]
    speech_s = (1 - quality.silence_share(seen)) * len(seen) / FPS
    if speech_s < LEAST_SPEECH_S:
        raise BadReferenceError(
            f"{path}: holds {speech_s:.0f} s of speech with the face in sight; "
            f"adapting needs {LEAST_SPEECH_S:.0f} s, better 30"
        )


def _cut(run: slice) -> list[slice]:
    """A stretch of tracked frames in equal pieces, each beginning where a mel column does."""
    start = -(-run.start // _WHOLE_COLUMNS_FRAMES) * _WHOLE_COLUMNS_FRAMES
    count = max(1, -(-(run.stop - start) // _LONGEST_FRAMES))
    step = max(1, -(-(run.stop - start) // count // _WHOLE_COLUMNS_FRAMES) * _WHOLE_COLUMNS_FRAMES)
    return [slice(first, min(first + step, run.stop)) for first in range(start, run.stop, step)]


def _quiet_moment(track: FaceTrack, loud: np.ndarray) -> int:
    """The frame at which a pause parts the footage; words are not torn."""
    usable = np.flatnonzero(track.tracked)
    first, last = (int(usable[int(share * (len(usable) - 1))]) for share in _CUT_BETWEEN)
    return first + int(uniform_filter1d(loud, _PAUSE_FRAMES)[first : last + 1].argmin())


def _within(pieces: list[slice], bounds: slice) -> list[slice]:
    found = []
    for piece in pieces:
        start = max(piece.start, -(-bounds.start // _WHOLE_COLUMNS_FRAMES) * _WHOLE_COLUMNS_FRAMES)
        stop = min(piece.stop, bounds.stop)
        if stop - start >= _SHORTEST_FRAMES:
            found.append(slice(start, stop))
    return found


def _crops(clip: Clip, crops: MouthCrops, frames: int, progress: Progress) -> np.ndarray:
    """(T, 96, 96, 3) uint8, empty where no face is usable."""
    pictures = np.zeros((frames, 96, 96, 3), np.uint8)
    for number, frame in enumerate(clip.frames(0, frames), start=1):
        if np.isfinite(crops.to_frame[frame.index]).all():
            pictures[frame.index] = crops.part(frame.picture, frame.index).crop()
        progress("crops", number, frames, "frames")
    return pictures


def _prepared(pictures: np.ndarray, crops: MouthCrops, mel: np.ndarray, pieces: list[slice]) -> PreparedClips:
    entries = []
    for piece in pieces:
        first = int(piece.start * _COLUMNS_PER_FRAME)
        columns = int(piece.stop * _COLUMNS_PER_FRAME) + _TAIL_COLUMNS - first
        entries.append(
            ClipEntry(
                speaker="person", name=f"@{piece.start}", fps=FPS, first_frame=piece.start,
                frames=piece.stop - piece.start, first_column=first, columns=columns,
            )
        )  # fmt: skip
    return PreparedClips(pictures, crops.points, mel.T, entries)


def _shifted(data: PreparedClips, frames: int) -> PreparedClips:
    columns = round(frames * _COLUMNS_PER_FRAME)
    return PreparedClips(data.crops, data.points, np.roll(np.asarray(data.mel), columns, axis=0), data.clips)
