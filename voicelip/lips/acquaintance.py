"""How far one person moves the mouth, over all that their footage shows.

A stretch of the clip tells it too, but each stretch a little differently; a mouth should not open further
from one stretch to the next.
"""

from collections.abc import Iterable

import numpy as np

from voicelip.lips.motion import MOTION_POINTS, MotionBasis, closed_mouth, lip_gap
from voicelip.lips.person import Person
from voicelip.lips.reach import TALKING_GAP_PX, amplitude, prediction_gain

_FEWEST_FRAMES = 25


def acquainted(footage: Iterable[tuple[np.ndarray, np.ndarray | None]], basis: MotionBasis) -> Person | None:
    """What stretches of one person's footage tell; None if the mouth hardly moves in any.

    Each is landmarks (T, 478, 2) in crop px, NaN where there is no face, and the lip gap (T,) that the
    footage's own sound asks for, or None where that is not this person's.
    """
    reaches = []
    for points, expected in footage:
        seen = np.isfinite(points[:, 0, 0])
        if seen.sum() < _FEWEST_FRAMES:
            continue
        mouth = points[seen][:, MOTION_POINTS]
        offsets = mouth - closed_mouth(mouth)
        if np.quantile(lip_gap(offsets), 0.9) < TALKING_GAP_PX:
            continue
        reach = amplitude(offsets, basis)
        gain = 1.0 if expected is None else prediction_gain(reach * expected[seen], lip_gap(offsets))
        reaches.append(reach * gain)
    return Person(float(np.median(reaches)), None) if reaches else None
