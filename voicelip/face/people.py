"""Who is who among the faces of a clip, from shot to shot."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from voicelip.face.crowd_store import StoredPiece
from voicelip.face.likeness import difference
from voicelip.face.track import FaceStatus

_SAME_PERSON = 0.7  # likeness difference of two faces, below which they are one person's (docs/faces.md)


@dataclass(eq=False)
class SeenPerson:
    """Pieces of one person's face, in order of time, and their `looks` (N, D)."""

    pieces: list[StoredPiece]
    looks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @property
    def weight(self) -> float:
        """How much of the clip's picture they are: inter-ocular distances summed over frames, px."""
        return float(sum(np.nansum(piece.iod) for piece in self.pieces))

    def unlikeness(self, looks: np.ndarray) -> float:
        """Likeness difference to other `looks` (N, D); infinite where one of both was never seen well."""
        if not len(looks) or not len(self.looks):
            return float("inf")
        return float(np.median([min(difference(look, own) for own in self.looks) for look in looks]))

    def meets(self, other: "SeenPerson") -> bool:
        """Whether both are in sight at once, so that they are two."""
        return any(_at_once(a, b) for a in self.pieces for b in other.pieces)


def people(pieces: Sequence[StoredPiece]) -> list[SeenPerson]:
    """The people whom `pieces` show, the one who is seen most first.

    Faces that look alike are joined, the most alike first, unless they are in sight at once. Light and view
    change from shot to shot, so one person may come out as several.
    """
    found = [_person(pieces, face) for face in sorted({piece.face for piece in pieces})]
    while (pair := _most_alike(found)) is not None:
        a, b = pair
        a.pieces = sorted(a.pieces + b.pieces, key=lambda piece: piece.start)
        a.looks = np.concatenate([a.looks, b.looks])
        found.remove(b)
    return sorted(found, key=lambda person: -person.weight)


def _person(pieces: Sequence[StoredPiece], face: int) -> SeenPerson:
    own = [piece for piece in pieces if piece.face == face]
    return SeenPerson(own, own[-1].looks)


def _most_alike(found: list[SeenPerson]) -> tuple[SeenPerson, SeenPerson] | None:
    best, closest = None, _SAME_PERSON
    for number, a in enumerate(found):
        for b in found[number + 1 :]:
            unlikeness = max(a.unlikeness(b.looks), b.unlikeness(a.looks))
            if unlikeness < closest and not a.meets(b):
                best, closest = (a, b), unlikeness
    return best


def _at_once(a: StoredPiece, b: StoredPiece) -> bool:
    start, stop = max(a.start, b.start), min(a.stop, b.stop)
    if start >= stop:
        return False
    seen_a = a.status[start - a.start : stop - a.start] != FaceStatus.NO_FACE
    seen_b = b.status[start - b.start : stop - b.start] != FaceStatus.NO_FACE
    return bool((seen_a & seen_b).any())
