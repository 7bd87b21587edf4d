"""What a tracked face looks like, and who it is, from a few frames of its clip."""

from collections.abc import Sequence

import numpy as np

from voicelip.face.likeness import likeness_descriptor
from voicelip.face.recogniser import recognise
from voicelip.face.stored_piece import StoredPiece
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


def identities_of(clip: Clip, pieces: Sequence[StoredPiece], count: int) -> np.ndarray:
    """Recognition descriptors (N, 128) of one person, at most `count`: one from each of the `pieces` that
    show the face largest, in the frame that shows it most from the front.
    """
    best = sorted(pieces, key=lambda piece: -float(np.nan_to_num(piece.iod).max()))[:count]
    chosen = {}
    for piece in best:
        track = piece.track()
        if track.tracked.any():
            frame = int(np.where(track.tracked, np.abs(track.yaw_deg), np.inf).argmin())
            chosen[piece.start + frame] = track.points[frame]
    found = [recognise(frame.image, chosen[frame.index]) for frame in clip.picked(sorted(chosen))]
    return np.array(found, np.float32).reshape(-1, 128)
