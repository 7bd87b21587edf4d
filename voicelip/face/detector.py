"""What a face detector is, and what the one that comes with voicelip can be made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voicelip.face.blazeface import Detection
from voicelip.face.choose import Candidate, Choice
from voicelip.face.mesh import Mesh, Region
from voicelip.face.track import FaceTrack
from voicelip.progress import Progress, silent


@dataclass(frozen=True)
class DetectorSetup:
    """What a detector is made with: the text after the colon of its name, and the torch device asked for."""

    argument: str = ""
    device: str = "auto"
    progress: Progress = silent


class Detector(Protocol):
    """Finds faces and lays the 478 points of Face Mesh on them."""

    def track(self, images: Iterable[np.ndarray], choose: Choice) -> FaceTrack:
        """One face through `images`, each (H, W, 3) uint8 RGB, read once."""
        ...

    def candidates(self, image: np.ndarray, thorough: bool = True) -> list[Candidate]:
        """The faces of one image, largest first."""
        ...


class FaceFinder(Protocol):
    """Where the faces of an image are: what `FaceTracker` asks where BlazeFace is not used."""

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Faces in `image` (H, W, 3) uint8 RGB, largest first."""
        ...

    def levels(self, image: np.ndarray) -> Iterator[list[Detection]]:
        """The same by ever more thorough searches, each made when it is asked for."""
        ...


class Landmarker(Protocol):
    """The 478 points of one face: what `FaceTracker` asks where Face Mesh is not used."""

    def landmarks(self, image: np.ndarray, region: Region) -> Mesh:
        """Landmarks of the face inside `region` of `image` (H, W, 3) uint8 RGB."""
        ...
