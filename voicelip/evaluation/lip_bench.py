"""The lip bench: real clips driven with other clips' sound, rendered, and measured as docs/metrics.md
defines.

Every clip of a speaker is driven with the sound of the speaker's next clip. A speaker with one clip is driven
with their own sound while their picture plays backwards, so that the source's mouth is never the answer.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.errors import InputNotFoundError, NoFaceError, OptionError, OutputError, VoicelipError
from voicelip.evaluation import lips
from voicelip.face.points import mouth_opening
from voicelip.face.tracker import FaceTracker
from voicelip.media import Audio, Clip, VideoWriter, read_audio, write_audio
from voicelip.pipeline import LipsyncOptions, lipsync, lipsync_to_measure
from voicelip.progress import Progress, silent

VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"}
_CRF_OF_BACKWARDS = 12


@dataclass(frozen=True)
class Trial:
    """`face` (in the folder, perhaps to be played backwards) is to say `sound`; `other` is mismatched on
    purpose.
    """

    speaker: str
    face: Path
    sound: Path
    other: Path

    @property
    def is_backwards(self) -> bool:
        """Whether there was no second clip of the speaker."""
        return self.face == self.sound

    @property
    def name(self) -> str:
        """Which face said whose sound."""
        return f"{self.face.stem} backwards" if self.is_backwards else f"{self.face.stem} < {self.sound.stem}"


@dataclass(frozen=True)
class Scores:
    """The figures of one driven clip, or means of several; bounds stand beside ours."""

    r: float
    margin: float  # r minus the r against a mismatched clip
    lag: float  # frames; of several clips the mean of absolute values
    lmd: float  # % of inter-ocular distance
    lmd_static: float  # of a mouth that never moves
    lmd_real: float  # of the real video, encoded again as ours is
    r_real: float
    lip_leak: float
    sharpness: float  # result over source
    sharpness_real: float  # encoded again over real
    fps: float  # frames over seconds of the whole call, face tracking and encoding included

    @classmethod
    def mean(cls, several: Iterable["Scores"]) -> "Scores":
        """Means that leave out what could not be measured."""
        rows = list(several)
        columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(cls)}
        columns["lag"] = [abs(lag) for lag in columns["lag"]]
        return cls(**{name: _mean(values) for name, values in columns.items()})


@dataclass(frozen=True)
class Curves:
    """Mouth opening per frame (T,) of the driven clip and of the real video of the same sound, at `fps`."""

    driven: np.ndarray
    truth: np.ndarray
    fps: float


@dataclass(frozen=True)
class Measured:
    """One trial with its scores; `videos` are source, driven and truth, there for as long as the bench's
    folder is.
    """

    trial: Trial
    scores: Scores
    faces_known: bool  # the face track was read from disk: `fps` is that of a second run
    curves: Curves
    videos: tuple[Path, Path, Path]
    points: tuple[np.ndarray, np.ndarray, np.ndarray]  # landmarks (T, 478, 2) px of the three


@dataclass(frozen=True)
class Failed:
    """A trial that could not be run, and why."""

    trial: Trial
    reason: str


def find_trials(folder: Path, most: int) -> list[Trial]:
    """At most `most` trials for each speaker of `folder`: SPEAKER/*.mp4, or clips of one speaker right
    inside it.
    """
    if most < 1:
        raise OptionError(f"{most} pairs are none; choose 1 or more")
    if not folder.is_dir():
        raise InputNotFoundError(f"{folder}: no such folder; name one that holds SPEAKER/*.mp4")
    people = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    trials = [trial for person in (folder, *people) for trial in _trials_of(person, most)]
    if not trials:
        raise InputNotFoundError(f"{folder}: holds no clips; put them in as SPEAKER/*.mp4")
    return trials


def _trials_of(person: Path, most: int) -> list[Trial]:
    clips = sorted(path for path in person.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    count = len(clips)
    name = person.resolve().name
    return [
        Trial(name, clips[i], clips[(i + 1) % count], clips[(i + 2) % count]) for i in range(min(most, count))
    ]


@contextmanager
def bench(
    options: LipsyncOptions | None = None, keep: Path | None = None, shown: bool = False
) -> Iterator["Bench"]:
    """A bench with a folder for its videos: `keep`, which is made, or one that is gone afterwards.

    What is kept, or `shown` on a page, needs the consent of those in it; what is only measured needs none.
    """
    with TemporaryDirectory(prefix="voicelip-bench-") as temporary:
        folder = keep or Path(temporary)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise OutputError(
                f"{folder}: cannot be made ({failure.strerror}); choose another folder"
            ) from None
        yield Bench(folder, options or LipsyncOptions(), asks=shown or keep is not None)


class Bench:
    """Runs trials. What is rendered goes through the public `lipsync`, what is measured through files on
    disk.
    """

    def __init__(self, folder: Path, options: LipsyncOptions, asks: bool = True) -> None:
        self._folder = folder
        self._asks = asks
        self._options = options
        self._tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
        self._known: dict[tuple[Path, Fraction], np.ndarray] = {}

    def run(self, trials: list[Trial], progress: Progress = silent) -> Iterator[Measured | Failed]:
        """Each trial in turn; one that fails does not end the run."""
        for number, trial in enumerate(trials, start=1):
            try:
                yield self.measure(trial)
            except VoicelipError as error:
                yield Failed(trial, str(error))
            progress("clips", number, len(trials), "clips")

    def measure(self, trial: Trial) -> Measured:
        """Render one trial, with its sound and with silence, and compare."""
        name = f"{trial.speaker}-{trial.face.stem}"
        face = self._backwards(trial.face, f"{name}-backwards") if trial.is_backwards else trial.face
        other = face if trial.is_backwards else trial.other
        fps = Clip(face).info.fps
        driven, speed, faces_known = self._drive(face, trial.sound, f"{name}-says-{trial.sound.stem}")
        quiet, _, _ = self._drive(face, self._silence(trial.sound), f"{name}-in-silence")
        again = self._encoded_again(trial.sound, fps, f"{trial.speaker}-{trial.sound.stem}-real")
        source, truth = self._points(face, fps), self._points(trial.sound, fps)
        moved, copied = self._tracked(driven, fps), self._tracked(again, fps)
        for path, points in ((driven, moved), (trial.sound, truth)):
            if not np.isfinite(points).any():
                raise NoFaceError(f"{path}: no face that can be measured is seen in it")
        sync, real = lips.synchrony(moved, truth), lips.synchrony(copied, truth)
        scores = Scores(
            r=sync.r,
            margin=sync.r - lips.synchrony(moved, self._points(other, fps)).r,
            lag=sync.lag,
            lmd=lips.landmark_distance(moved, truth),
            lmd_static=lips.static_landmark_distance(truth),
            lmd_real=lips.landmark_distance(copied, truth),
            r_real=real.r,
            lip_leak=lips.lip_leak(self._tracked(quiet, fps), source),
            sharpness=_sharpness(driven, moved, fps) / _sharpness(face, source, fps),
            sharpness_real=_sharpness(again, copied, fps) / _sharpness(trial.sound, truth, fps),
            fps=speed,
        )
        curves = Curves(mouth_opening(moved), mouth_opening(truth), float(fps))
        return Measured(
            trial, scores, faces_known, curves, (face, driven, trial.sound), (source, moved, truth)
        )

    def _drive(self, face: Path, audio: Path, name: str) -> tuple[Path, float, bool]:
        """The rendered video, frames per second of the whole call, and whether the face track was known."""
        out = self._folder / f"{name}.mp4"
        tracks = hub.home() / "tracks"
        before, began = _names(tracks), time.perf_counter()
        if self._asks:
            result = lipsync(face=face, audio=audio, out=out, options=self._options, overwrite=True)
        else:
            result = lipsync_to_measure(face=face, audio=audio, out=out, options=self._options)
        speed = result.frames / (time.perf_counter() - began)
        return result.path, speed, _names(tracks) <= before

    def _points(self, path: Path, fps: Fraction) -> np.ndarray:
        """Landmarks of a clip that other trials may ask for again."""
        if (path, fps) not in self._known:
            self._known[path, fps] = self._tracked(path, fps)
        return self._known[path, fps]

    def _tracked(self, path: Path, fps: Fraction) -> np.ndarray:
        return self._tracker.track(frame.image for frame in Clip(path, fps).frames()).points

    def _silence(self, like: Path) -> Path:
        """As long as the sound of `like`, so that the face track of the driven clip serves again."""
        sound = read_audio(like)
        out = self._folder / "silence.wav"
        write_audio(out, Audio(np.zeros_like(sound.samples), sound.sample_rate), overwrite=True)
        return out

    def _backwards(self, path: Path, name: str) -> Path:
        clip = Clip(path)
        out = self._folder / f"{name}.mp4"
        frames = clip.frames_backwards(clip.info.frame_count - 1)
        _write(out, clip, (frame.image for frame in frames), _CRF_OF_BACKWARDS)
        return out

    def _encoded_again(self, path: Path, fps: Fraction, name: str) -> Path:
        clip = Clip(path, fps)
        out = self._folder / f"{name}.mp4"
        _write(out, clip, (frame.image for frame in clip.frames()), self._options.crf)
        return out


def speakers(results: Iterable[Measured]) -> dict[str, Scores]:
    """Mean scores of each speaker."""
    rows: dict[str, list[Scores]] = {}
    for result in results:
        rows.setdefault(result.trial.speaker, []).append(result.scores)
    return {speaker: Scores.mean(scores) for speaker, scores in rows.items()}


def to_dict(results: Iterable[Measured | Failed]) -> dict[str, Any]:
    """Everything measured as plain values for JSON; what could not be measured is null."""
    results = list(results)
    measured = [result for result in results if isinstance(result, Measured)]
    return {
        "speakers": {name: _plain(scores) for name, scores in speakers(measured).items()},
        "clips": [
            {
                **_names_of(result.trial),
                **_plain(result.scores),
                "faces_known": result.faces_known,
                "opening_driven": _rounded(result.curves.driven),
                "opening_truth": _rounded(result.curves.truth),
            }
            for result in measured
        ],
        "failed": [
            {**_names_of(result.trial), "reason": result.reason}
            for result in results
            if isinstance(result, Failed)
        ],
    }


def _names_of(trial: Trial) -> dict[str, Any]:
    return {
        "speaker": trial.speaker,
        "face": trial.face.name,
        "backwards": trial.is_backwards,
        "sound": trial.sound.name,
    }


def _plain(scores: Scores) -> dict[str, float | None]:
    return {name: round(value, 5) if isfinite(value) else None for name, value in asdict(scores).items()}


def _rounded(values: np.ndarray) -> list[float | None]:
    return [round(float(value), 4) if isfinite(value) else None for value in values]


def _mean(values: list[float]) -> float:
    finite = [value for value in values if isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.npz")}


def _sharpness(path: Path, points: np.ndarray, fps: Fraction) -> float:
    return lips.sharpness((frame.image for frame in Clip(path, fps).frames()), points)


def _write(out: Path, clip: Clip, images: Iterable[np.ndarray], crf: float) -> None:
    info = clip.info
    with VideoWriter(
        out, info.width, info.height, info.fps, colour=info.colour, crf=crf, overwrite=True
    ) as writer:
        for image in images:
            writer.write_frame(image)
