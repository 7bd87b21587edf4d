"""Which of several faces is the one to follow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from voicelip.errors import InputNotFoundError, NoFaceError, OptionError, UnreadableMediaError
from voicelip.face.blazeface import Detection
from voicelip.face.likeness import difference, likeness_descriptor
from voicelip.face.mesh import Mesh, yaw_deg

STRANGER = 0.95  # a difference above this is somebody else rather than the same person in another moment
_SURELY_THE_SAME = 0.8
_JUDGED_YAW_DEG = 25.0  # beyond it the portrait shows the turn more than the person
_SAMPLES = 12


@dataclass(frozen=True)
class Candidate:
    """A face in one frame with its landmarks."""

    image: np.ndarray
    face: Detection
    mesh: Mesh

    @cached_property
    def descriptor(self) -> np.ndarray:
        """What it looks like, for `likeness.difference`."""
        return likeness_descriptor(self.image, self.mesh.points)

    @property
    def is_frontal(self) -> bool:
        return abs(yaw_deg(self.mesh.points)) <= _JUDGED_YAW_DEG


class FindsFaces(Protocol):
    """What a detector is asked for here."""

    def candidates(self, image: np.ndarray) -> list[Candidate]:
        """The faces of one image, (H, W, 3) uint8 RGB, largest first."""
        ...


@dataclass(frozen=True)
class Choice:
    """Who is to be followed.

    `pick` takes the faces of one frame, largest first, and returns one, or None while the right one is not in
    sight. `is_particular` says that one person is meant, so that a stranger alone in a shot is left alone.
    `complaint` words why a clip in which at most so many faces were seen at once had nobody to follow.
    """

    pick: Callable[[Sequence[Candidate]], Candidate | None]
    is_particular: bool
    complaint: Callable[[int], str]


def _pick_largest(faces: Sequence[Candidate]) -> Candidate | None:
    return faces[0] if faces else None


largest = Choice(_pick_largest, False, lambda count: "no face was found")


def by_index(index: int) -> Choice:
    """The `index`-th face from the left of the picture, from 0, in the first frame that shows so many."""
    if index < 0:
        raise OptionError(f"face index {index} is negative; faces are counted from 0, left to right")

    def pick(faces: Sequence[Candidate]) -> Candidate | None:
        ordered = sorted(faces, key=lambda candidate: candidate.face.centre[0])
        return ordered[index] if index < len(ordered) else None

    def complaint(count: int) -> str:
        seen = "1 face is" if count == 1 else f"{count} faces are"
        return f"there is no face {index}: at most {seen} in sight at once; count from 0, left to right"

    return Choice(pick, True, complaint)


def face_of_photo(photo: np.ndarray | str | Path, detector: FindsFaces) -> Candidate:
    """The largest face in `photo`: a file, or an image (H, W, 3) uint8 RGB."""
    image = photo if isinstance(photo, np.ndarray) else _read_photo(Path(photo))
    found = detector.candidates(image)
    if not found:
        raise NoFaceError(
            f"no face was found in {_name(photo)}; give a photo that shows the face from the front"
        )
    return found[0]


def like_photo(photo: np.ndarray | str | Path, detector: FindsFaces) -> Choice:
    """The face most like the largest one in `photo`: a file, or an image (H, W, 3) uint8 RGB."""
    wanted, name = face_of_photo(photo, detector).descriptor, _name(photo)

    def pick(faces: Sequence[Candidate]) -> Candidate | None:
        best = min(faces, key=lambda candidate: difference(candidate.descriptor, wanted), default=None)
        return best if best is not None and difference(best.descriptor, wanted) <= STRANGER else None

    def complaint(count: int) -> str:
        return f"no face in the clip looks like the one in {name}; try another photo, or choose by index"

    return Choice(pick, True, complaint)


def choice_of(index: int | None, photo: Path | None, detector: FindsFaces) -> Choice:
    """The face in `photo`, else the one called by its `index`, else the largest."""
    if photo is not None:
        return like_photo(photo, detector)
    return largest if index is None else by_index(index)


class Person:
    """What the followed person has looked like so far; empty until somebody was chosen."""

    def __init__(self) -> None:
        self._samples: list[np.ndarray] = []

    @property
    def is_known(self) -> bool:
        return bool(self._samples)

    @property
    def looks(self) -> np.ndarray:
        """(N, D) float32 descriptors of the remembered looks."""
        return np.array(self._samples, np.float32)

    def meet(self, candidate: Candidate) -> None:
        """Remember this look; later ones only if they are frontal, and surely the same person."""
        if self.is_known and not (candidate.is_frontal and self.unlikeness(candidate) < _SURELY_THE_SAME):
            return
        if len(self._samples) < _SAMPLES:
            self._samples.append(candidate.descriptor)

    def unlikeness(self, candidate: Candidate) -> float:
        """Difference to the most similar remembered look."""
        return min(difference(sample, candidate.descriptor) for sample in self._samples)

    def is_stranger(self, candidate: Candidate) -> bool:
        return candidate.is_frontal and self.unlikeness(candidate) > STRANGER

    def most_alike(self, candidates: Sequence[Candidate]) -> Candidate:
        return min(candidates, key=self.unlikeness)


def _name(photo: np.ndarray | str | Path) -> str:
    return "the photo" if isinstance(photo, np.ndarray) else Path(photo).name


def _read_photo(path: Path) -> np.ndarray:
    if not path.exists():
        raise InputNotFoundError(f"{path} does not exist")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise UnreadableMediaError(f"{path} is not a picture that can be read; give a JPEG or PNG file")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
