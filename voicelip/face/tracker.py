"""Follows one face through the frames of a clip, detecting only when the landmarks lose it.

The landmark network gives the next frame's region by itself; the detector runs at the start, after a cut,
when the presence score falls, and now and then to check. Who is who is judged by `likeness` where several
could be meant.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voicelip.errors import NoFaceError
from voicelip.face.agreement import MIN_PRESENCE, holds, is_at, is_good, is_near, stayed
from voicelip.face.blazeface import BlazeFace, Detection
from voicelip.face.choose import Candidate, Choice, Person, by_index, largest, like_photo
from voicelip.face.crowd import Crowd, Piece
from voicelip.face.detector import FaceFinder, Landmarker
from voicelip.face.mesh import FaceMesh, Mesh, Region
from voicelip.face.recording import Recording
from voicelip.face.shots import Cut, ShotFinder
from voicelip.face.track import FaceTrack

__all__ = ["FaceTracker", "by_index", "largest", "like_photo"]

_CHECK_EVERY = 25  # frames between two looks whether the region still holds the right face
_CHECK_EVERY_OF_SEVERAL = 8  # … where there are others whom it could slide onto
_THOROUGH_EVERY = 25  # frames between two searches for small faces while there is none
_REMEMBERED = 25  # frames for which the place of a lost face means something
_CLEARLY_MORE_ALIKE = 0.9  # ratio of differences at which another face is taken for the person followed


@dataclass
class _State:
    """What following needs to know from frame to frame, and what it has found so far."""

    choice: Choice
    person: Person = field(default_factory=Person)
    shots: ShotFinder = field(default_factory=ShotFinder)
    region: Region | None = None
    last_region: Region | None = None  # of the present shot
    lost_for: int = 0
    since_check: int = 0
    most_faces: int = 0
    recording: Recording = field(default_factory=Recording)

    @property
    def could_be_another(self) -> bool:
        """Whether a face that looks different is to be doubted; not in a clip of one person."""
        return self.choice.is_particular or self.most_faces > 1


class FaceTracker:
    """BlazeFace + Face Mesh over a stream of frames."""

    def __init__(self, detector: FaceFinder, mesh: Landmarker) -> None:
        self._detector = detector
        self._mesh = mesh

    @classmethod
    def from_task(cls, path: Path) -> "FaceTracker":
        """With the detector of MediaPipe's `face_landmarker.task`, a zip of TFLite files; the landmark
        network ships with the package.
        """
        with zipfile.ZipFile(path) as task:
            return cls(BlazeFace(task.read("face_detector.tflite")), FaceMesh())

    def track(self, images: Iterable[np.ndarray], choose: Choice = largest) -> FaceTrack:
        """Track one face through `images`, each (H, W, 3) uint8 RGB, read once; some kB are kept of each.

        A clip without any face gives a track without tracked frames; one in which faces were seen, but not
        the one that was asked for, raises NoFaceError.
        """
        state = _State(choose)
        for image in images:
            self._advance(state, image)
        if state.most_faces and not state.person.is_known:
            raise NoFaceError(choose.complaint(state.most_faces))
        return state.recording.settled()

    def faces(self, image: np.ndarray) -> list[Detection]:
        """Every face that the detector finds, largest first."""
        return self._detector.detect(image)

    def levels(self, image: np.ndarray) -> Iterator[list[Detection]]:
        """The same by ever more thorough searches, each made when it is asked for."""
        return self._detector.levels(image)

    def everybody(self, images: Iterable[np.ndarray]) -> Iterator[Piece]:
        """Every face in `images`, each (H, W, 3) uint8 RGB, read once; given out piece by piece as they are
        done with.
        """
        return Crowd(self).pieces(images)

    def candidates(self, image: np.ndarray, thorough: bool = True) -> list[Candidate]:
        """The faces of `image` whose landmarks could be placed, largest first.

        Only a `thorough` search finds small faces and those larger than the frame.
        """
        for faces in self._detector.levels(image):
            placed = [Candidate(image, face, self.landmarks(image, face)) for face in faces]
            found = [candidate for candidate in placed if is_good(candidate)]
            if found or not thorough:
                return found
        return []

    def refined(self, image: np.ndarray, region: Region) -> Mesh:
        """Landmarks of a face that is known to be about in `region`."""
        return self._mesh.landmarks(image, region)

    def landmarks(self, image: np.ndarray, face: Detection) -> Mesh:
        """Landmarks of one detected face, refined until a loose box does no harm."""
        region = Region.of_detection(face)
        mesh = self._mesh.landmarks(image, region)
        for _ in range(3):
            previous, region = region, Region.of_points(mesh.points)
            mesh = self._mesh.landmarks(image, region)
            if mesh.presence >= MIN_PRESENCE and is_near(previous, region):
                break
        return mesh

    def _advance(self, state: _State, image: np.ndarray) -> None:
        cut = state.shots.see(image)
        mesh = None if cut is Cut.YES or state.shots.is_blank else self._follow(state, image)
        is_new_shot = cut is Cut.YES or (cut is Cut.PERHAPS and not _stayed(state, mesh))
        if is_new_shot:
            state.shots.begin()
            state.region = state.last_region = mesh = None
        if mesh is None and not state.shots.is_blank:
            mesh = self._search(state, image, is_new_shot)
        state.lost_for = 0 if mesh is not None else state.lost_for + 1
        state.since_check += 1
        state.region = None if mesh is None else Region.of_points(mesh.points)
        state.last_region = state.region or (state.last_region if state.lost_for <= _REMEMBERED else None)
        state.recording.keep(image, mesh, state.shots.number, state.shots.is_blank)

    def _follow(self, state: _State, image: np.ndarray) -> Mesh | None:
        """Landmarks from the last frame's region, unless they lost the face."""
        if state.region is None:
            return None
        mesh = self._mesh.landmarks(image, state.region)
        if mesh.presence < MIN_PRESENCE:
            return None
        check_every = _CHECK_EVERY if state.most_faces < 2 else _CHECK_EVERY_OF_SEVERAL
        if state.since_check >= check_every or not is_near(state.region, Region.of_points(mesh.points)):
            state.since_check = 0
            return self._checked(state, image, mesh)
        return mesh

    def _checked(self, state: _State, image: np.ndarray, mesh: Mesh) -> Mesh | None:
        """`mesh`, or the person's own landmarks if the region slid onto another face, or None if onto a wall.

        The presence score stays high in both cases, so the detector is asked.
        """
        faces = next(self._detector.levels(image))
        own = [face for face in faces if holds(face, mesh)]
        if faces and not own:
            return None
        if not faces:
            return mesh  # a face that the detector alone does not find: small, or turned
        current = Candidate(image, own[0], mesh)
        others = [Candidate(image, face, self.landmarks(image, face)) for face in faces if face is not own[0]]
        rivals = [other for other in others if is_good(other)]
        if not rivals:
            if state.could_be_another and state.person.is_stranger(current):
                return None
            state.person.meet(current)
            return mesh
        state.most_faces = max(state.most_faces, 1 + len(rivals))
        best = state.person.most_alike(rivals)
        usual = state.person.unlikeness(current)
        is_other = current.is_frontal and state.person.unlikeness(best) < _CLEARLY_MORE_ALIKE * usual
        return best.mesh if is_other else mesh

    def _search(self, state: _State, image: np.ndarray, is_new_shot: bool) -> Mesh | None:
        """The person's face anywhere in `image`: the one known from before, or decided by the choice."""
        thorough = is_new_shot or state.lost_for % _THOROUGH_EVERY == 0
        found = self.candidates(image, thorough)
        state.most_faces = max(state.most_faces, len(found))
        chosen = self._recognised(state, found) if state.person.is_known else state.choice.pick(found)
        if chosen is None:
            return None
        state.since_check = 0
        state.person.meet(chosen)
        return chosen.mesh

    @staticmethod
    def _recognised(state: _State, found: Sequence[Candidate]) -> Candidate | None:
        """The person followed so far among `found`.

        Within a shot with several people, somebody unlike them is somebody else. After a cut the light and
        the view are new, so a face alone in the picture is taken for them, unless one particular person is
        meant.
        """
        if not found:
            return None
        near = [face for face in found if state.last_region and is_at(face, state.last_region)]
        best = near[0] if len(near) == 1 and state.lost_for <= 2 else state.person.most_alike(found)
        is_same_shot = state.last_region is not None
        is_doubtful = state.choice.is_particular or (is_same_shot and state.could_be_another)
        return None if is_doubtful and state.person.is_stranger(best) else best


def _stayed(state: _State, mesh: Mesh | None) -> bool:
    return (
        state.region is not None and stayed(state.region, mesh) and state.shots.looks_the_same(state.region)
    )
