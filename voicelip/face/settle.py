"""Second thoughts about a whole track: gaps bridged, flicker removed, covered mouths found."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from voicelip.face.covered import covered_frames
from voicelip.face.points import inter_ocular_px
from voicelip.face.track import FaceStatus, FaceTrack

_TURNED_DEG, _BACK_DEG = 50.0, 42.0  # a face is lost to the side beyond the first and back below the second
_SHORT_FRAMES = 2
_FURTHEST_BRIDGED = 0.5  # inter-ocular distances between the two ends of a gap


@dataclass(frozen=True)
class Evidence:
    """What was noted of each frame beside the landmarks.

    `looks` (T, LOOK_SIZE), `presence` (T,) and `angles_deg` (T, A) are what `covered_frames` wants, NaN where
    no face was found; `blank` (T,) bool are frames of one even colour, on which nothing is drawn even for an
    instant.
    """

    looks: np.ndarray
    presence: np.ndarray
    angles_deg: np.ndarray
    blank: np.ndarray


def settle(track: FaceTrack, evidence: Evidence) -> FaceTrack:
    """`track` as it was followed, TRACKED or NO_FACE, with its final status."""
    points, status, yaw_deg = track.points.copy(), track.status.copy(), track.yaw_deg.copy()
    for start, stop in stretches(track.shot):
        shot = slice(start, stop)
        _bridge_gaps(points[shot], status[shot], yaw_deg[shot], evidence.blank[shot])
        status[shot] = _turned_away(status[shot], yaw_deg[shot])
        status[shot] = _without_short_stretches(status[shot])
        status[start + _covered(status[shot], evidence, start)] = FaceStatus.COVERED
        status[shot] = _without_short_stretches(status[shot])
    points[status == FaceStatus.NO_FACE] = np.nan
    yaw_deg[status == FaceStatus.NO_FACE] = np.nan
    return FaceTrack(points, status, yaw_deg, track.shot)


def _covered(status: np.ndarray, evidence: Evidence, start: int) -> np.ndarray:
    """Indices into `status`, the shot from `start` on, of covered frames; bridged ones follow later."""
    is_seen = np.isfinite(evidence.presence[start : start + len(status)])
    local = np.flatnonzero((status == FaceStatus.TRACKED) & is_seen)
    seen = start + local
    return local[covered_frames(evidence.looks[seen], evidence.presence[seen], evidence.angles_deg[seen])]


def stretches(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Start and stop of the maximal stretches of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    bounds = [0, *edges.tolist(), len(values)]
    yield from ((start, stop) for start, stop in pairwise(bounds) if stop > start)


def _bridge_gaps(points: np.ndarray, status: np.ndarray, yaw_deg: np.ndarray, blank: np.ndarray) -> None:
    """Fill gaps of one or two frames in place, where the face is in much the same place before and after."""
    for start, stop in list(stretches(status)):
        is_gap = status[start] == FaceStatus.NO_FACE and start > 0 and stop < len(status)
        if not is_gap or stop - start > _SHORT_FRAMES or blank[start:stop].any():
            continue
        before, after = points[start - 1], points[stop]
        moved = np.linalg.norm(before.mean(axis=0) - after.mean(axis=0)) / inter_ocular_px(before)
        if moved > _FURTHEST_BRIDGED:
            continue
        for index in range(start, stop):
            share = (index - start + 1) / (stop - start + 1)
            points[index] = before + (after - before) * share
            yaw_deg[index] = yaw_deg[start - 1] + (yaw_deg[stop] - yaw_deg[start - 1]) * share
        status[start:stop] = FaceStatus.TRACKED


def _turned_away(status: np.ndarray, yaw_deg: np.ndarray) -> np.ndarray:
    """Status with TURNED_AWAY set, by two thresholds, so that a head near one of them does not flicker."""
    result = status.copy()
    away = False
    for index, (value, yaw) in enumerate(zip(status, np.abs(yaw_deg), strict=True)):
        if value != FaceStatus.TRACKED:
            continue
        away = bool(yaw > (_BACK_DEG if away else _TURNED_DEG))
        if away:
            result[index] = FaceStatus.TURNED_AWAY
    return result


def _without_short_stretches(status: np.ndarray) -> np.ndarray:
    """Status without one or two frames away or covered among tracked ones, or tracked among lost ones."""
    result = status.copy()
    for start, stop in stretches(status):
        around = {int(status[index]) for index in (start - 1, stop) if 0 <= index < len(status)}
        if stop - start > _SHORT_FRAMES or not around or status[start] == FaceStatus.NO_FACE:
            continue
        was_tracked = status[start] == FaceStatus.TRACKED
        is_amid_tracked = around == {int(FaceStatus.TRACKED)}
        if was_tracked or is_amid_tracked:
            result[start:stop] = max(around) if was_tracked else FaceStatus.TRACKED
    return result
