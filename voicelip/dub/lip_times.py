"""In which frames a mouth is made anew, and how strongly it shows.

A mouth is made anew while its speaker is heard in the dub, and where it talks in the original although the
dub is silent: there it has to be shut. Everywhere else the footage keeps its own mouth. In and out it goes
over a few frames, and short returns to the original are left out.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from voicelip import filters
from voicelip.dub.turns import Turn

EASE_FRAMES = 5
_LEAD_S = 0.16  # by which lips may be ahead of their sound
_SHORTEST_REST_S = 0.6  # the original mouth does not come back for less
_MOVING = 0.03  # range of the opening, in inter-ocular distances, beyond the jitter of a still mouth
_MOVING_S = 0.5  # within which that range is looked at
_WIDEST = 10.0
_SPOKEN_S = 0.3  # around a moving mouth, within which there has to be sound


def heard(turns: Sequence[Turn], speaker: str, frames: int, fps: Fraction) -> np.ndarray:
    """(frames,) bool: the frames of the dub in which `speaker` is heard."""
    result = np.zeros(frames, bool)
    for turn in turns:
        if turn.speaker == speaker:
            result[max(0, int(turn.start_s * fps)) : max(0, int(np.ceil(turn.end_s * float(fps))))] = True
    return result


def talking(opening: np.ndarray, loud: np.ndarray | None, fps: Fraction) -> np.ndarray:
    """(T,) bool: the clip's frames in which a mouth with this `opening` (T,), NaN where it is not seen,
    talks.

    `loud` (T,) bool says where there is sound; without it every moving mouth is taken to talk.
    """
    moving = _range(opening, 2 * round(_MOVING_S * float(fps) / 2) + 1) > _MOVING
    if loud is not None:
        moving &= _widened(loud, _SPOKEN_S * float(fps))
    return moving


def opacity(wanted: np.ndarray, fps: Fraction) -> np.ndarray:
    """(T,) float32 in 0–1 from `wanted` (T,) bool, consecutive frames of the dub: 1 there and a little
    before, falling to 0 around.
    """
    rate = float(fps)
    near = _widened(wanted, _LEAD_S * rate)
    near = ~_opened(~near, max(1, round(_SHORTEST_REST_S * rate)))
    distance = _frames_to(near)
    return np.clip(1 - distance / (EASE_FRAMES + 1), 0, 1).astype(np.float32)


def _opened(mask: np.ndarray, shortest: int) -> np.ndarray:
    """`mask` without stretches of less than `shortest` frames; those at the ends stay."""
    result = mask.copy()
    edges = np.flatnonzero(np.diff(mask.astype(np.int8))) + 1
    for start, stop in pairwise(edges.tolist()):
        if stop - start < shortest:
            result[start:stop] = False
    return result


def _widened(mask: np.ndarray, frames: float) -> np.ndarray:
    return filters.maximum(mask.astype(np.float32), 2 * round(frames) + 1) > 0.5


def _frames_to(mask: np.ndarray) -> np.ndarray:
    """(T,) how many frames away the nearest frame of `mask` is."""
    places = np.flatnonzero(mask)
    if not len(places):
        return np.full(len(mask), np.inf)
    frames = np.arange(len(mask))
    right = np.searchsorted(places, frames)
    after = np.abs(places[np.minimum(right, len(places) - 1)] - frames)
    before = np.abs(places[np.maximum(right - 1, 0)] - frames)
    return np.minimum(before, after).astype(np.float64)


def _range(values: np.ndarray, size: int) -> np.ndarray:
    """Highest less lowest of `size` values around each, openings from 0 to `_WIDEST`, NaN counting as
    neither; negative where there are only such.
    """
    seen = np.isfinite(values)
    high = filters.maximum(np.where(seen, values, 0.0), size)
    return high - (_WIDEST - filters.maximum(np.where(seen, _WIDEST - values, 0.0), size))
