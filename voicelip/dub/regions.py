"""Keeps a new mouth off other people's faces."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from voicelip.face.stored_piece import StoredPiece
from voicelip.face.track import FaceTrack
from voicelip.media import Patch

_REACH = 2.5  # inter-ocular distances within which another face's middle has to be for a mouth to touch it
_MARGIN = 1.06  # hair line and ears begin beyond the landmarks


class Neighbours:
    """The faces beside one piece's face that are near enough to be touched."""

    def __init__(self, piece: StoredPiece, others: Sequence[StoredPiece]) -> None:
        beside = [other for other in others if other.shot == piece.shot and other.face != piece.face]
        self._near = [other for other in beside if _come_near(piece, other)]
        self._tracks: list[FaceTrack] | None = None

    def spared(self, patch: Patch, source: int) -> Patch:
        """`patch` without what lies on another's face in the clip's frame `source`."""
        if not self._near or not patch.changed.any():
            return patch
        if self._tracks is None:
            self._tracks = [piece.track() for piece in self._near]
        changed = patch.changed.copy()
        for piece, track in zip(self._near, self._tracks, strict=True):
            if piece.start <= source < piece.stop and np.isfinite(track.points[source - piece.start, 0, 0]):
                changed &= ~_face(track.points[source - piece.start], patch)
        return replace(patch, changed=changed)


def _come_near(a: StoredPiece, b: StoredPiece) -> bool:
    start, stop = max(a.start, b.start), min(a.stop, b.stop)
    if start >= stop:
        return False
    in_a, in_b = slice(start - a.start, stop - a.start), slice(start - b.start, stop - b.start)
    apart = np.linalg.norm(a.centre[in_a] - b.centre[in_b], axis=1)
    return bool((apart < _REACH * np.fmax(a.iod[in_a], b.iod[in_b])).any())


def _face(points: np.ndarray, patch: Patch) -> np.ndarray:
    """(h, w) bool: where a face with landmarks (478, 2) lies on `patch`."""
    middle = points.mean(axis=0)
    placed = middle + _MARGIN * (points - middle) - (patch.left, patch.top)
    outline = cv2.convexHull(placed.astype(np.float32))
    canvas = np.zeros(patch.changed.shape, np.uint8)
    cv2.fillConvexPoly(canvas, np.round(outline).astype(np.int32), 1)
    return canvas.astype(bool)
