"""Whether the face moves as recorded faces do: blinks, head, and lips that go with the sound."""

from dataclasses import dataclass

import numpy as np

from voicelip.trust.evidence import FaceEvidence

_EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
_STABLE = (33, 133, 362, 263, 168, 6, 197, 195)
_CLOSED = 0.6  # of an eye's usual opening
_WIDEST_LAG_S = 0.4


def blinks_per_minute(evidence: FaceEvidence) -> float:
    """How often both eyes are closed, by the ratio of an eye's height to its width (Soukupova, Cech 2016)."""
    seen = np.isfinite(evidence.points[:, 0, 0])
    if not seen.any():
        return 0.0
    opening = _eye_opening(evidence.points[seen])
    closed = opening < _CLOSED * np.median(opening)
    blinks = int((closed[1:] & ~closed[:-1]).sum())
    return blinks / (seen.sum() / evidence.fps / 60)


def head_movement(evidence: FaceEvidence) -> float:
    """How far the head wanders: the standard deviation of its place, in % of the distance of the eyes."""
    points = evidence.points[np.isfinite(evidence.points[:, 0, 0])][:, _STABLE]
    if len(points) < 2:
        return 0.0
    eyes = np.linalg.norm(points[:, 0] - points[:, 3], axis=1).mean()
    return float(100 * points.mean(axis=1).std(axis=0).max() / eyes)


@dataclass(frozen=True)
class Synchrony:
    """`r`: Pearson's, of the lips' opening and what the sound lets expect, at the best lag; `lag_s` by which
    the lips are late; `r_moment` the same where both change.
    """

    r: float
    lag_s: float


def synchrony(evidence: FaceEvidence) -> Synchrony | None:
    """How the lips go with the sound; None where there is none, or neither moves."""
    if evidence.expected is None:
        return None
    widest = round(_WIDEST_LAG_S * evidence.fps)
    found = [
        (_pearson(*_shifted(evidence.opening, evidence.expected, lag)), lag)
        for lag in range(-widest, widest + 1)
    ]
    known = [(r, lag) for r, lag in found if np.isfinite(r)]
    if not known:
        return None
    r, lag = max(known)
    return Synchrony(float(r), lag / evidence.fps)


def _shifted(lips: np.ndarray, sound: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    length = min(len(lips), len(sound)) - abs(lag)
    start, other = max(lag, 0), max(-lag, 0)
    return lips[start : start + length], sound[other : other + length]


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 2 or a.std() < 1e-6 or b.std() < 1e-6:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _eye_opening(points: np.ndarray) -> np.ndarray:
    """(T, 478, 2) → (T,) height over width, the mean of both eyes."""
    ratios = []
    for outer, top, top2, inner, bottom2, bottom in _EYES:
        tall = np.linalg.norm(points[:, top] - points[:, bottom], axis=1)
        tall += np.linalg.norm(points[:, top2] - points[:, bottom2], axis=1)
        ratios.append(tall / 2 / np.linalg.norm(points[:, outer] - points[:, inner], axis=1))
    return np.mean(ratios, axis=0)
