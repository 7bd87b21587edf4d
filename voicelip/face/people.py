"""Who is who among the faces of a clip, from shot to shot."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from voicelip.face.likeness import differences
from voicelip.face.stored_piece import StoredPiece
from voicelip.face.track import FaceStatus

_SAME_PERSON = 0.5  # distance of recognition descriptors: about 0.3 for one person, 0.8 for two
_MOST_LOOKS, _MOST_IDENTITIES = 24, 24  # remembered of one person


class SeenPerson:
    """One person: `pieces` of their face in order of time, and `looks` (N, D) float32, what it looks like."""

    def __init__(self, pieces: Iterable[StoredPiece]) -> None:
        self.pieces = list(pieces)
        first_of_faces = {piece.face: piece for piece in reversed(self.pieces)}
        some = list(first_of_faces.values())[: _MOST_LOOKS // 2]
        self.looks = np.concatenate([piece.looks for piece in some])[:_MOST_LOOKS]
        self._presence = _Presence.of(self.pieces)

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
        return self._presence.meets(other._presence)


def people(pieces: Sequence[StoredPiece]) -> list[SeenPerson]:
    """The people whom `pieces` show, the one who is seen most first. Where light and view change much one
    person may come out as several.
    """
    by_person: dict[int, list[StoredPiece]] = defaultdict(list)
    for piece in pieces:
        by_person[piece.person].append(piece)
    return sorted((SeenPerson(own) for own in by_person.values()), key=lambda person: -person.weight)


def told_apart(pieces: Sequence[StoredPiece], identities: Mapping[int, np.ndarray]) -> dict[int, int]:
    """The number of the person whom each face shows, by the face's number.

    `identities` (N, 128) of every face are descriptors of the recognition network. Each face is joined to
    the nearest person, if one is near who is not in sight beside it.
    """
    by_face: dict[int, list[StoredPiece]] = defaultdict(list)
    for piece in pieces:
        by_face[piece.face].append(piece)
    parts = [_Group([face], identities[face], _Presence.of(own)) for face, own in by_face.items()]
    # Twice, since who was only seen from one side at first may be known by now.
    groups = _joined(_joined(parts))
    return {face: number for number, group in enumerate(groups) for face in group.faces}


@dataclass(eq=False)
class _Presence:
    """Where somebody is in sight, shot by shot."""

    by_shot: dict[int, list[StoredPiece]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, pieces: Iterable[StoredPiece]) -> "_Presence":
        presence = cls()
        for piece in pieces:
            presence.by_shot[piece.shot].append(piece)
        return presence

    def meets(self, other: "_Presence") -> bool:
        shots = self.by_shot.keys() & other.by_shot.keys()
        return any(_at_once(a, b) for shot in shots for a in self.by_shot[shot] for b in other.by_shot[shot])

    def add(self, other: "_Presence") -> None:
        for shot, pieces in other.by_shot.items():
            self.by_shot[shot] += pieces


@dataclass(eq=False)
class _Group:
    faces: list[int]
    identities: np.ndarray
    presence: _Presence

    def distance(self, other: "_Group") -> float:
        apart = np.linalg.norm(self.identities[:, None] - other.identities, axis=2)
        return float(np.median(apart.min(axis=1 if len(self.identities) < len(other.identities) else 0)))

    def join(self, other: "_Group") -> None:
        self.faces += other.faces
        self.identities = np.concatenate([self.identities, other.identities])[:_MOST_IDENTITIES]
        self.presence.add(other.presence)


def _joined(parts: Iterable[_Group]) -> list[_Group]:
    found: list[_Group] = []
    for part in parts:
        apart = {n: group.distance(part) for n, group in enumerate(found)}
        near = sorted((n for n in apart if apart[n] < _SAME_PERSON), key=lambda n: apart[n])
        same = next((found[n] for n in near if not found[n].presence.meets(part.presence)), None)
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
