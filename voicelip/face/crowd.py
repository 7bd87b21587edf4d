"""Follows every face of a clip at once, in one pass over its frames.

The same networks as `tracker` uses for one person. A face keeps its number as long as it can be followed
within a camera shot, also through a moment out of sight; who is who from shot to shot is another question
(`people`). What is known of a long shot is handed over piece by piece, so that memory does not grow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import numpy as np

from voicelip.face.agreement import MIN_PRESENCE, holds, is_at, is_good, is_near, stayed
from voicelip.face.blazeface import Detection, overlap
from voicelip.face.choose import Candidate, Person
from voicelip.face.mesh import Mesh, Region
from voicelip.face.recogniser import recognise
from voicelip.face.recording import Recording
from voicelip.face.shots import Cut, ShotFinder
from voicelip.face.track import FaceTrack

PIECE_FRAMES = 500  # handed over at once; as long as one set of reference pictures serves
_MOST_FACES = 6  # followed at once; the largest of an audience
_LOOK_EVERY = 12  # frames between two looks for people who came in
_LOOK_EVERY_OF_SEVERAL = 8  # … and whether one landmark region slid onto another's face
_THOROUGH_EVERY = 50  # frames between two looks for small faces
_THOROUGH_LEVELS = 3
_REMEMBERED = 25  # frames after which a lost face is handed over
_OFTEN = 3  # looks in a row after which what they say is believed
_ALWAYS_SEEN = 0.15  # of the picture's shorter side, from which the detector hardly misses a face
_SAME_PLACE = 0.3  # of a region's side
_MAX_OVERLAP = 0.3
_CLEARLY_MORE_ALIKE = 0.9
_RECOGNISE_EVERY = 25  # frames
_MOST_IDENTITIES = 3  # of one face


@dataclass(frozen=True)
class Piece:
    """One face through a stretch of one shot.

    `face` is its number, the same in all pieces of a shot; `start` the clip's frame that `track` begins with;
    `looks` (N, D) float32 likeness descriptors of the face so far; `identities` (N, 128) float32 those of the
    recognition network.
    """

    face: int
    start: int
    track: FaceTrack
    looks: np.ndarray
    identities: np.ndarray


@dataclass(eq=False)
class _Face:
    number: int
    start: int
    region: Region  # where it is, or was last
    person: Person = field(default_factory=Person)
    recording: Recording = field(default_factory=Recording)
    mesh: Mesh | None = None  # in the present frame
    lost_for: int = 0
    missed: int = 0  # looks in a row that did not find it
    strange: int = 0  # looks in a row that found somebody unlike it
    identities: list[np.ndarray] = field(default_factory=list)
    recognised_at: int = 0

    def meet(self, seen: Candidate, frame: int) -> None:
        """Remember what it looks like, and now and then who it is."""
        self.person.meet(seen)
        is_first = not self.identities
        is_due = frame - self.recognised_at >= _RECOGNISE_EVERY and seen.is_frontal
        if is_first or (is_due and len(self.identities) < _MOST_IDENTITIES):
            self.identities.append(recognise(seen.image, seen.mesh.points))
            self.recognised_at = frame


class Eyes(Protocol):
    """What is asked of a detector and its landmarks; `FaceTracker` is one."""

    def levels(self, image: np.ndarray) -> Iterator[list[Detection]]:
        """The faces in `image` (H, W, 3) uint8 RGB by ever more thorough searches."""
        ...

    def landmarks(self, image: np.ndarray, face: Detection) -> Mesh:
        """Of one detected face."""
        ...

    def refined(self, image: np.ndarray, region: Region) -> Mesh:
        """Of a face that is known to be about in `region`."""
        ...


class Crowd:
    """Everybody in one clip; used once."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._shots = ShotFinder()
        self._faces: list[_Face] = []
        self._frame = -1
        self._shot_start = 0
        self._since_look = 0
        self._count = 0

    def pieces(self, images: Iterable[np.ndarray]) -> Iterator[Piece]:
        """All faces in `images`, each (H, W, 3) uint8 RGB, read once."""
        for image in images:
            self._frame += 1
            yield from self._advance(image)
        yield from self._handed_over(list(self._faces))

    def _advance(self, image: np.ndarray) -> Iterator[Piece]:
        cut = self._shots.see(image)
        for face in self._faces:
            hidden = cut is Cut.YES or self._shots.is_blank or face.lost_for > 0
            face.mesh = None if hidden else self._follow(face, image)
        is_new_shot = cut is Cut.YES or (cut is Cut.PERHAPS and not self._anybody_stayed())
        if is_new_shot:
            yield from self._handed_over(list(self._faces))
            self._shots.begin()
            self._shot_start = self._frame
        self._since_look += 1
        if not self._shots.is_blank and (is_new_shot or self._is_time_to_look()):
            self._look(image, is_new_shot or self._frame % _THOROUGH_EVERY == 0)
            self._since_look = 0
        self._record(image)
        yield from self._handed_over([face for face in self._faces if face.lost_for > _REMEMBERED])
        for face in self._faces:
            if len(face.recording) >= 2 * PIECE_FRAMES:
                yield _first_piece(face, PIECE_FRAMES)

    def _follow(self, face: _Face, image: np.ndarray) -> Mesh | None:
        mesh = self._eyes.refined(image, face.region)
        return mesh if mesh.presence >= MIN_PRESENCE else None

    def _anybody_stayed(self) -> bool:
        return any(
            stayed(face.region, face.mesh) and self._shots.looks_the_same(face.region) for face in self._faces
        )

    def _is_time_to_look(self) -> bool:
        seen = [face for face in self._faces if face.mesh is not None]
        if len(seen) < len(self._faces):
            return True
        jumped = any(
            not is_near(face.region, Region.of_points(face.mesh.points)) for face in seen if face.mesh
        )
        return jumped or self._since_look >= (_LOOK_EVERY if len(seen) < 2 else _LOOK_EVERY_OF_SEVERAL)

    def _look(self, image: np.ndarray, thorough: bool) -> None:
        """Compare who is followed with what the detector sees."""
        found: list[_Face] = []
        for detection in self._detections(image, thorough):
            owners = [face for face in self._faces if face.mesh is not None and holds(detection, face.mesh)]
            owner = self._rightful(owners, image, detection)
            if owner is None and not owners:
                owner = self._newcomer(Candidate(image, detection, self._eyes.landmarks(image, detection)))
            if owner is not None:
                found.append(owner)
        smallest = _ALWAYS_SEEN * min(image.shape[:2])
        for face in self._faces:
            is_missed = face.mesh is not None and face not in found and face.region.side > smallest
            face.missed = face.missed + 1 if is_missed else 0
            if face.missed >= _OFTEN:
                face.mesh = None

    def _detections(self, image: np.ndarray, thorough: bool) -> list[Detection]:
        found: list[Detection] = []
        for faces in islice(self._eyes.levels(image), _THOROUGH_LEVELS if thorough else 1):
            found += [face for face in faces if all(overlap(face, other) < _MAX_OVERLAP for other in found)]
        return found

    def _rightful(self, owners: list[_Face], image: np.ndarray, detection: Detection) -> _Face | None:
        """Whose face it is that is followed by `owners`; the others are lost."""
        if not owners:
            return None

        def candidate(face: _Face) -> Candidate:
            assert face.mesh is not None
            return Candidate(image, detection, face.mesh)

        best = min(owners, key=lambda face: face.person.unlikeness(candidate(face)))
        for other in owners:
            if other is not best:
                other.mesh = None
        seen = candidate(best)
        best.strange = best.strange + 1 if self._is_another(best, seen) else 0
        if best.strange >= _OFTEN - 1:
            best.mesh = None
            return self._newcomer(seen)
        best.meet(seen, self._frame)
        return best

    def _is_another(self, face: _Face, seen: Candidate) -> bool:
        """Whether the landmarks of `face` follow somebody else by now."""
        if face.person.is_stranger(seen):
            return True
        usual = _CLEARLY_MORE_ALIKE * face.person.unlikeness(seen)
        absent = [other for other in self._faces if other.mesh is None]
        return seen.is_frontal and any(other.person.unlikeness(seen) < usual for other in absent)

    def _newcomer(self, seen: Candidate) -> _Face | None:
        """A face that nobody's landmarks follow: somebody who was lost, or somebody new."""
        if not is_good(seen):
            return None
        region = Region.of_points(seen.mesh.points)
        present = [face for face in self._faces if face.mesh is not None]
        if any(_is_same_place(face.region, region) for face in present):
            return None
        face = self._returning(seen)
        if face is None:
            if len(present) >= _MOST_FACES:
                return None
            face = _Face(self._count, self._frame, region)
            self._count += 1
            if self._frame > self._shot_start:  # seen to begin, so that a mouth fades in
                face.start -= 1
                face.recording.keep(seen.image, None, self._shots.number, False)
            self._faces.append(face)
        face.mesh, face.region, face.strange = seen.mesh, region, 0
        face.meet(seen, self._frame)
        return face

    def _returning(self, seen: Candidate) -> _Face | None:
        lost = [face for face in self._faces if face.mesh is None and not face.person.is_stranger(seen)]
        near = [face for face in lost if is_at(seen, face.region)]
        return min(near or lost, key=lambda face: face.person.unlikeness(seen), default=None)

    def _record(self, image: np.ndarray) -> None:
        for face in self._faces:
            if face.mesh is None:
                face.lost_for += 1
            else:
                face.lost_for = 0
                face.region = Region.of_points(face.mesh.points)
            face.recording.keep(image, face.mesh, self._shots.number, self._shots.is_blank)

    def _handed_over(self, faces: list[_Face]) -> Iterator[Piece]:
        """What is left of these faces, which are forgotten; they keep one frame out of sight at the end."""
        for face in faces:
            self._faces.remove(face)
            face.recording.forget_after(len(face.recording) - max(0, face.lost_for - 1))
            count = len(face.recording)
            if count > PIECE_FRAMES * 3 // 2:
                yield _first_piece(face, count // 2)
            yield _first_piece(face, len(face.recording))


def _first_piece(face: _Face, frames: int) -> Piece:
    """The first `frames` of what is recorded, judged in the light of all of it, and forgotten."""
    track = face.recording.settled()
    first = FaceTrack(
        track.points[:frames].copy(),
        track.status[:frames].copy(),
        track.yaw_deg[:frames].copy(),
        track.shot[:frames].copy(),
    )
    piece = Piece(face.number, face.start, first, face.person.looks, np.array(face.identities, np.float32))
    face.recording.forget(frames)
    face.start += frames
    return piece


def _is_same_place(a: Region, b: Region) -> bool:
    return bool(np.hypot(a.x - b.x, a.y - b.y) < _SAME_PLACE * min(a.side, b.side))
