"""What a face in a clip is known again by, and whether a track follows that face throughout.

A few frames are looked at, spread over the clip; the faces found in them are described by the recogniser.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.consent.choice import WHOEVER, FaceChoice
from voicelip.errors import NoFaceError
from voicelip.face import FaceTrack, choice_of
from voicelip.face.choose import Candidate
from voicelip.face.recogniser import recognise
from voicelip.face.tracker import FaceTracker
from voicelip.media import Clip
from voicelip.trust.likeness import LIMITS, Likeness

_FRAMES = 8  # that are looked at to know whom a clip shows
_FRAMES_PER_S, _MOST_FRAMES = 0.5, 60  # … to know whether it shows others as well
_PER_SHOT = 3
_MOST_SHOTS = 40
_JUDGED_YAW_DEG = 30.0  # beyond it the recogniser sees the turn more than the person


@dataclass(frozen=True)
class Seen:
    """Whom a clip shows: the chosen person, and whether others as well."""

    likeness: Likeness
    several: bool


def likeness_of_face(path: Path, choice: FaceChoice = WHOEVER) -> Likeness:
    """Of the chosen person in a clip or photo, from a few frames."""
    return _seen(path, choice, _FRAMES).likeness


def look_closely(path: Path, choice: FaceChoice = WHOEVER) -> Seen:
    """The same from more frames, and whether anybody else is seen in them."""
    clip = Clip(path)
    count = round(clip.info.frame_count / float(clip.info.fps) * _FRAMES_PER_S)
    return _seen(path, choice, min(_MOST_FRAMES, max(_FRAMES, count)))


def stranger_in(clip: Clip, track: FaceTrack, known: Sequence[Likeness]) -> float | None:
    """The time (s) at which `track` follows somebody who is not `known`; None if it never does.

    Every shot is judged by its most frontal frames; one nearer than the limit is enough, since turning and
    motion only make a person less like themselves. Where no face was searched for, every face counts.
    """
    if not np.isfinite(track.points[track.tracked]).any():
        return _anybody_else(clip, known)
    for rows in _rows_by_shot(track):
        nearest = min(_distances(clip, track, rows, known), default=None)
        if nearest is not None and nearest > LIMITS["face"]:
            return float(rows[0] / clip.info.fps)
    return None


def people_in(clip: Clip, tracks: Iterable[tuple[int, FaceTrack]]) -> list[tuple[float, Likeness]]:
    """The different people whom `tracks` follow, each with the time (s) at which they are first seen; a track
    begins with the given frame of the clip.
    """
    people: list[tuple[float, Likeness]] = []
    for start, track in tracks:
        for rows in _rows_by_shot(track):
            seen = clip.picked([start + row for row in rows])
            described = [recognise(frame.image, track.points[frame.index - start]) for frame in seen]
            likeness = Likeness.of("face", _middle(described)) if described else None
            if likeness and not any(likeness.is_same(known) for _, known in people):
                people.append((float((start + rows[0]) / clip.info.fps), likeness))
    return people


def _anybody_else(clip: Clip, known: Sequence[Likeness]) -> float | None:
    tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
    for frame in clip.picked(_spread(clip, _FRAMES)):
        for candidate in tracker.candidates(frame.image):
            likeness = Likeness.of("face", _described(candidate))
            if not any(likeness.is_same(each) for each in known):
                return float(frame.index / clip.info.fps)
    return None


def _distances(clip: Clip, track: FaceTrack, rows: Sequence[int], known: Sequence[Likeness]) -> list[float]:
    found = []
    for frame in clip.picked(rows):
        likeness = Likeness.of("face", recognise(frame.image, track.points[frame.index]))
        found.append(min(likeness.distance(each) for each in known))
    return found


def _rows_by_shot(track: FaceTrack) -> list[list[int]]:
    """The frames to judge of each shot that is followed: the most frontal, in rising order."""
    turn = np.abs(np.nan_to_num(track.yaw_deg, nan=90.0))
    chosen = []
    for shot in np.unique(track.shot[track.tracked]):
        rows = np.flatnonzero(track.tracked & (track.shot == shot))
        spread = [part[np.argmin(turn[part])] for part in np.array_split(rows, _PER_SHOT) if len(part)]
        frontal = [int(row) for row in spread if turn[row] <= _JUDGED_YAW_DEG]
        chosen.append(sorted(frontal or [int(rows[np.argmin(turn[rows])])]))
    if len(chosen) > _MOST_SHOTS:
        kept = np.linspace(0, len(chosen) - 1, _MOST_SHOTS).round().astype(int)
        chosen = [chosen[k] for k in kept]
    return chosen


def _seen(path: Path, choice: FaceChoice, count: int) -> Seen:
    tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
    pick = choice_of(choice.index, choice.photo, tracker).pick
    clip = Clip(path)
    chosen: list[np.ndarray] = []
    everybody: list[np.ndarray] = []
    for frame in clip.picked(_spread(clip, count)):
        candidates = tracker.candidates(frame.image)
        wanted = pick(candidates)
        for candidate in candidates:
            described = _described(candidate)
            everybody.append(described)
            if candidate is wanted:
                chosen.append(described)
    if not chosen:
        raise NoFaceError(
            f"{path}: no face that can be known again is seen; use a clip that shows it from the front"
        )
    likeness = Likeness.of("face", _middle(chosen))
    others = [Likeness.of("face", each) for each in everybody]
    return Seen(likeness, any(not likeness.is_same(each) for each in others))


def _described(candidate: Candidate) -> np.ndarray:
    return recognise(candidate.image, candidate.mesh.points)


def _middle(descriptors: Sequence[np.ndarray]) -> np.ndarray:
    """Their mean without the half that is furthest from the others: a frame may show somebody else."""
    every = np.stack(descriptors)
    far = np.median(np.linalg.norm(every[:, None] - every[None], axis=2), axis=1)
    kept = every[np.argsort(far)[: max(1, (len(every) + 1) // 2)]]
    mean: np.ndarray = kept.mean(axis=0)
    return mean


def _spread(clip: Clip, count: int) -> list[int]:
    if clip.info.is_still:
        return [0]
    length = clip.info.frame_count
    return sorted({int(k) for k in np.linspace(0, length - 1, count + 2)[1:-1].round()})
