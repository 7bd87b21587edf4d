"""The picture of a dub, made where it is not there yet."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.dub.cast import Role
from voicelip.dub.inputs import Tracks
from voicelip.dub.job import CueState, Job
from voicelip.dub.mix import original_heard
from voicelip.dub.options import DubOptions
from voicelip.dub.picture import DubPicture
from voicelip.dub.picture_options import PictureOptions
from voicelip.dub.pieces import Pictures, Piece, PieceFolder, grid, key_of
from voicelip.dub.speech_stage import Spoken
from voicelip.dub.speech_track import SpeechTrack, slots, turns, write_stem
from voicelip.dub.takes import Takes
from voicelip.dub.timemap import TimeMap
from voicelip.hashing import content_hash
from voicelip.media import Clip, Picture, VideoWriter, depth_of
from voicelip.media.label import labelled
from voicelip.progress import Progress

LIPS_RATE = 16_000  # Hz, of what lips listen to
VERSION = "1"  # of the picture; a new one has all pieces made anew
REACH_S = 4.0  # of the sound around a frame on which its picture depends


Agree = Callable[[Tracks], None]


class PictureStage:
    """Makes the pieces of one job."""

    def __init__(
        self, job: Job, clip: Clip, clip_sha256: str, options: DubOptions, progress: Progress
    ) -> None:
        self._job, self._clip, self._sha256 = job, clip, clip_sha256
        self._options, self._progress = options, progress
        self._folder = PieceFolder(job.folder / "pieces")
        self.passed: Mapping[str, int] = {}
        self.warnings: tuple[str, ...] = ()

    def run(
        self, spoken: Spoken, takes: Takes, roles: Sequence[Role], frames: int, agree: Agree
    ) -> tuple[list[Path], int]:
        """The files of all pieces, and how many frames had to be made; `agree` is asked before the first."""
        picture = self._picture(spoken, takes, roles, frames)
        agree(picture.tracks)
        pieces = self._pieces(spoken, roles, frames, picture.whose)
        made = self._folder.make(
            pieces,
            _Labelled(picture) if self._options.label else picture,
            self._writer,
            depth_of(self._clip.info.width, self._clip.info.height),
            lambda done: self._progress("picture", done, frames, "frames"),
        )
        self._folder.keep_only(pieces)
        self.passed, self.warnings = dict(picture.passed), picture.warnings
        return [self._folder.path(piece) for piece in pieces], made

    def _pieces(
        self, spoken: Spoken, roles: Sequence[Role], frames: int, whose: Mapping[str, tuple[int, ...]]
    ) -> list[Piece]:
        fps, times = self._clip.info.fps, spoken.times
        common = [VERSION, self._sha256, self._settings(), [_face(role) for role in roles], dict(whose)]
        return [
            Piece(
                start,
                stop,
                key_of(
                    common,
                    (start, stop),
                    _shown(times, start, stop, fps),
                    _heard(spoken.cues, start, stop, fps),
                    _near(self._original_heard(spoken, frames), start, stop, fps),
                ),
            )
            for start, stop in grid(frames, fps)
        ]

    def _original_heard(self, spoken: Spoken, frames: int) -> list[tuple[float, float]]:
        """Where the clip's own voices come through."""
        if self._options.bed != "duck" or self._options.background or not self._clip.info.has_audio:
            return []
        return original_heard(slots(spoken.cues, spoken.times), float(frames / self._clip.info.fps))

    def _settings(self) -> dict[str, Any]:
        names = ("lips", "adapted", "detector", "strength", "label", "crf", "preset")
        return {name: getattr(self._options, name) for name in names}

    def _picture(self, spoken: Spoken, takes: Takes, roles: Sequence[Role], frames: int) -> DubPicture:
        options = self._options
        return DubPicture(
            self._clip,
            roles,
            turns(spoken.cues),
            self._stems(spoken.cues, takes, roles, frames / self._clip.info.fps),
            count=frames,
            times=spoken.times,
            original_heard=self._original_heard(spoken, frames),
            options=PictureOptions(
                detector=options.detector,
                lips=options.lips,
                adapted=options.adapted,
                device=options.device,
                strength=options.strength,
            ),
            progress=self._progress,
        )

    def _stems(
        self, cues: Sequence[CueState], takes: Takes, roles: Sequence[Role], seconds: Fraction
    ) -> dict[str, np.ndarray]:
        """What each speaker says, on disk."""
        folder = self._job.folder / "stems"
        folder.mkdir(exist_ok=True)
        samples = round(seconds * LIPS_RATE)
        stems = {}
        for number, role in enumerate(roles):
            own = [cue for cue in cues if cue.speaker == role.speaker]
            stems[role.speaker] = write_stem(
                folder / f"{number}.f32", SpeechTrack(own, takes, LIPS_RATE), samples
            )
        return stems

    def _writer(self, path: Path) -> VideoWriter:
        info, options = self._clip.info, self._options
        return VideoWriter(
            path, info.width, info.height, info.fps, None, info.colour, options.crf, options.preset, True
        )


class _Labelled:
    """The same pictures with a small visible mark."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def frames(self, start: int, stop: int) -> Iterator[Picture]:
        return map(labelled, self._pictures.frames(start, stop))


def _face(role: Role) -> dict[str, Any]:
    face = content_hash(role.face) if isinstance(role.face, Path) else role.face
    return {**asdict(role), "face": face, "voice": None}


def _shown(times: TimeMap, start: int, stop: int, fps: Fraction) -> list[int]:
    return [] if times.is_identity else [times.source_index(index, fps) for index in range(start, stop)]


def _heard(cues: Sequence[CueState], start: int, stop: int, fps: Fraction) -> list[Any]:
    """What is said near a piece, and when."""
    first_s, last_s = float(start / fps) - REACH_S, float(stop / fps) + REACH_S
    return [
        [cue.speaker, cue.take.sha256, cue.fit.start_s, cue.fit.stretch]
        for cue in cues
        if cue.fit and cue.take and cue.fit.start_s < last_s and cue.fit.end_s > first_s
    ]


def _near(spans_s: Sequence[tuple[float, float]], start: int, stop: int, fps: Fraction) -> list[Any]:
    """Those of the spans that touch a piece."""
    first_s, last_s = float(start / fps) - REACH_S, float(stop / fps) + REACH_S
    return [[round(a, 3), round(b, 3)] for a, b in spans_s if a < last_s and b > first_s]
