"""The mouths of a finished dub, measured on its own frames: do they move with the new speech, and rest
without.

Whose face is whose is found here anew, by which mouth moves with whose speech, so that a dub that animated
the wrong person is noticed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from voicelip.dub.job import CueState
from voicelip.dub.picture import find_faces
from voicelip.dub.picture_options import PictureOptions
from voicelip.dub.speech_track import SpeechTrack
from voicelip.face.people import SeenPerson, people
from voicelip.face.track import FaceStatus
from voicelip.lips.hearing import BLOCK, at_rate, expected_opening
from voicelip.media import Clip
from voicelip.progress import Progress

LAGS = range(-4, 5)  # frames
_LEAST_FRAMES = 8
_FROM_SPEECH_S = 0.5  # before and after speech a mouth may still move


@dataclass(frozen=True)
class LipScores:
    """Of one cue: Pearson `r` of mouth and expectation at the `lag` (frames, positive: the mouth is late)
    where it is highest, None where too little is seen; `unseen` is the share of frames without the mouth.
    """

    r: float | None
    lag: int | None
    unseen: float


@dataclass(frozen=True)
class Lips:
    """`cues` by number; `opening` (T,) by speaker over the inter-ocular distance, NaN where unseen;
    `expected` (T,) what the whole new speech asks; `pause_opening` by speaker, over their own closed state.
    """

    fps: Fraction
    expected: np.ndarray
    cues: Mapping[int, LipScores] = field(default_factory=dict)
    opening: Mapping[str, np.ndarray] = field(default_factory=dict)
    pause_opening: Mapping[str, float] = field(default_factory=dict)


def lip_scores(clip: Clip, cues: Sequence[CueState], track: SpeechTrack, progress: Progress) -> Lips:
    """Measure the finished dub `clip`, whose cues speak as `track`."""
    frames, fps = clip.info.frame_count, clip.info.fps
    expected = at_rate(expected_opening(_blocks(track, clip))[:, None], frames, fps)[:, 0]
    found = people(find_faces(clip, PictureOptions(), progress).pieces)
    curves = [_curve(person, frames) for person in found]
    spoken = [cue for cue in cues if cue.fit]
    whose = _whose(spoken, curves, expected, fps)
    scores = {
        cue.number: _score(curves, whose.get(cue.speaker), expected, _span(cue, fps, frames))
        for cue in spoken
    }
    opening = {name: curves[number] for name, number in whose.items()}
    pauses = {
        name: _pause_opening(curve, [cue for cue in spoken if cue.speaker == name], fps)
        for name, curve in opening.items()
    }
    return Lips(fps, expected, scores, opening, {n: v for n, v in pauses.items() if np.isfinite(v)})


def _blocks(track: SpeechTrack, clip: Clip) -> Iterator[np.ndarray]:
    samples = round(float(clip.info.frame_count / clip.info.fps) * track.rate)
    for start in range(0, max(1, samples), BLOCK):
        yield track.read(start, min(start + BLOCK, max(1, samples)))


def _curve(person: SeenPerson, frames: int) -> np.ndarray:
    """(T,) the person's mouth opening, NaN where it is not in sight."""
    curve = np.full(frames, np.nan, np.float32)
    for piece in person.pieces:
        stop = min(piece.stop, frames)
        seen = piece.status == FaceStatus.TRACKED
        values = np.where(seen, piece.opening, np.nan)
        curve[piece.start : stop] = values[: stop - piece.start]
    return curve


def _whose(
    cues: Sequence[CueState], curves: Sequence[np.ndarray], expected: np.ndarray, fps: Fraction
) -> dict[str, int]:
    """For each speaker the place of the person whose mouth moves most with their speech."""
    found = {}
    for name in {cue.speaker for cue in cues}:
        spans = [_span(cue, fps, len(expected)) for cue in cues if cue.speaker == name]
        frames = np.concatenate([np.arange(span.start, span.stop) for span in spans])
        agreement = [_agreement(curve, expected, frames) for curve in curves]
        if agreement:
            found[name] = int(np.argmax(agreement))
    return found


def _agreement(curve: np.ndarray, expected: np.ndarray, frames: np.ndarray) -> float:
    """Correlation weighed by how much is seen."""
    seen = frames[np.isfinite(curve[frames])]
    return _pearson(curve[seen], expected[seen]) * float(np.sqrt(len(seen)))


def _score(curves: Sequence[np.ndarray], number: int | None, expected: np.ndarray, span: range) -> LipScores:
    if number is None or not len(span):
        return LipScores(None, None, 1.0)
    curve = curves[number]
    frames = np.arange(span.start, span.stop)
    unseen = float(np.mean(~np.isfinite(curve[frames])))
    best, best_lag = -1.0, 0
    for lag in LAGS:
        shifted = np.clip(frames + lag, 0, len(curve) - 1)
        seen = np.isfinite(curve[shifted])
        if seen.sum() < _LEAST_FRAMES:
            return LipScores(None, None, round(unseen, 3))
        r = _pearson(curve[shifted[seen]], expected[frames[seen]])
        if r > best:
            best, best_lag = r, lag
    return LipScores(round(best, 3), best_lag, round(unseen, 3))


def _pause_opening(curve: np.ndarray, cues: Sequence[CueState], fps: Fraction) -> float:
    """Mean opening where the speaker is not heard, less the 10th percentile; NaN if they hardly ever rest."""
    rests = np.ones(len(curve), bool)
    for cue in cues:
        assert cue.fit is not None
        start = round((cue.fit.start_s - _FROM_SPEECH_S) * float(fps))
        rests[max(0, start) : max(0, round((cue.fit.end_s + _FROM_SPEECH_S) * float(fps)))] = False
    resting = curve[rests & np.isfinite(curve)]
    if len(resting) < float(fps):
        return float("nan")
    return round(float(resting.mean() - np.nanquantile(curve, 0.1)), 4)


def _span(cue: CueState, fps: Fraction, frames: int) -> range:
    assert cue.fit is not None
    start, end = (round(moment * float(fps)) for moment in (cue.fit.start_s, cue.fit.end_s))
    return range(min(max(0, start), frames), min(max(0, end), frames))


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
