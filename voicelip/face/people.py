"""Who is who among the faces of a clip, from shot to shot."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from voicelip.face.crowd_store import StoredPiece
from voicelip.face.likeness import differences
from voicelip.face.track import FaceStatus

_SAME_PERSON = 0.7  # likeness difference of two faces, below which they are one person's (docs/faces.md)
_MOST_LOOKS = 24  # remembered of one person


class SeenPerson:
    """One person: `pieces` of their face in order of time, and `looks` (N, D) float32, what it looks like."""

    def __init__(self, pieces: Iterable[StoredPiece], looks: np.ndarray) -> None:
        self.pieces = list(pieces)
        self.looks = looks[:_MOST_LOOKS]
        self._by_shot: dict[int, list[StoredPiece]] = defaultdict(list)
        for piece in self.pieces:
            self._by_shot[piece.shot].append(piece)

    @property
    def weight(self) -> float:
        """How much of the clip's picture they are: inter-ocular distances summed over frames, px."""
        return float(sum(np.nansum(piece.iod) for piece in self.pieces))

    def unlikeness(self, looks: np.ndarray) -> float:
        """Likeness difference to other `looks` (N, D); infinite where one of both was never seen well."""
        if not len(looks) or not len(self.looks):
            return float("inf")
        apart = differences(looks, self.looks)
        return float(max(np.median(apart.min(axis=0)), np.median(apart.min(axis=1))))

    def meets(self, other: "SeenPerson") -> bool:
        """Whether both are in sight at once, so that they are two."""
        shots = self._by_shot.keys() & other._by_shot.keys()
        return any(
            _at_once(a, b) for shot in shots for a in self._by_shot[shot] for b in other._by_shot[shot]
        )

    def join(self, other: "SeenPerson") -> None:
        """Take the other's pieces: they are the same person."""
        self.pieces = sorted(self.pieces + other.pieces, key=lambda piece: piece.start)
        self.looks = np.concatenate([self.looks, other.looks])[:_MOST_LOOKS]
        for shot, pieces in other._by_shot.items():
            self._by_shot[shot] += pieces


def people(pieces: Sequence[StoredPiece]) -> list[SeenPerson]:
    """The people whom `pieces` show, the one who is seen most first.

    Each face is joined to the person it looks most like, if it looks like anybody who is not in sight beside
    it. Light and view change from shot to shot, so one person may come out as several.
    """
    by_face: dict[int, list[StoredPiece]] = defaultdict(list)
    for piece in pieces:
        by_face[piece.face].append(piece)
    # One by one, so that the looks of all faces are never in memory at once.
    faces = (SeenPerson(own, own[-1].looks) for own in by_face.values())
    # Twice, since who was only seen from one side at first may be known by now.
    found = _joined(_joined(faces))
    return sorted(found, key=lambda person: -person.weight)


def _joined(parts: Iterable[SeenPerson]) -> list[SeenPerson]:
    found: list[SeenPerson] = []
    for part in parts:
        unlike = {n: person.unlikeness(part.looks) for n, person in enumerate(found)}
        alike = sorted((n for n in unlike if unlike[n] < _SAME_PERSON), key=lambda n: unlike[n])
        same = next((found[n] for n in alike if not found[n].meets(part)), None)
        if same is None:
            found.append(part)
        else:
            same.join(part)
    return found


def _at_once(a: StoredPiece, b: StoredPiece) -> bool:
    start, stop = max(a.start, b.start), min(a.stop, b.stop)
    if start >= stop:
        return False
    seen_a = a.status[start - a.start : stop - a.start] != FaceStatus.NO_FACE
    seen_b = b.status[start - b.start : stop - b.start] != FaceStatus.NO_FACE
    return bool((seen_a & seen_b).any())
