"""What a tracked face looks like, from a few frames of its clip."""

from collections.abc import Sequence

import numpy as np

from voicelip.face.likeness import likeness_descriptor
from voicelip.face.track import FaceTrack
from voicelip.media import Clip

_FRONTAL_DEG = 25.0  # beyond it a portrait shows the turn more than the person


def looks_of(clip: Clip, track: FaceTrack, count: int) -> list[np.ndarray]:
    """Likeness descriptors of at most `count` frames, spread over those that show the face from the front."""
    frontal = np.flatnonzero(track.tracked & (np.abs(track.yaw_deg) <= _FRONTAL_DEG))
    if not len(frontal):
        return []
    rows: Sequence[int] = sorted(
        {int(k) for k in frontal[np.linspace(0, len(frontal) - 1, count).round().astype(int)]}
    )
    return [likeness_descriptor(frame.image, track.points[frame.index]) for frame in clip.picked(rows)]
