"""`--detector face-alignment`: S3FD boxes and FAN's 68 points, through the face-alignment package.

Zhang et al., "S3FD: Single Shot Scale-invariant Face Detector", 2017; Bulat and Tzimiropoulos, "How far are
we from solving the 2D & 3D Face Alignment problem?", 2017. They stand where BlazeFace and Face Mesh stand in
the tracker, so who is followed, what counts as lost or covered, and the stored track are the same.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from voicelip.device import choose, is_out_of_memory
from voicelip.errors import OptionError
from voicelip.face.blazeface import Detection
from voicelip.face.detector import DetectorSetup
from voicelip.face.face_alignment_points import POINTS, MeshFitter
from voicelip.face.mesh import Mesh, Region

if TYPE_CHECKING:
    from voicelip.face.tracker import FaceTracker

_QUICK_PX = 640  # longer side of the picture that is searched first; S3FD's cost grows with the area
_SMALLEST_PX = 160
_EYES = ((0.3, 0.4), (0.7, 0.4))  # where S3FD's boxes have them, in box widths and heights
_MARGIN = 1.5  # of a tracker's region over the face's height
_WIDTH = 0.78  # of S3FD's boxes over their height
_DOUBTFUL_SCORE = 0.25  # mean peak of FAN's heatmaps, which is about 0.8 on a face
_log = logging.getLogger(__name__)


def create_tracker(setup: DetectorSetup, depth: bool) -> "FaceTracker":
    """The tracker over S3FD and FAN; with `depth` over the 3-D FAN.

    The setup's argument is a folder with the weight files; without one torch's own cache is used and filled.
    """
    from voicelip.face.face_alignment_weights import load_networks
    from voicelip.face.tracker import FaceTracker

    chosen = choose(setup.device)
    folder = Path(setup.argument).expanduser() if setup.argument else None
    networks = load_networks(folder, chosen, depth)
    return FaceTracker(S3FD(networks.face_detector), FanMesh(networks, MeshFitter.load()))


class S3FD:
    """Finds faces with the package's detector; the picture is made smaller where memory does not suffice."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._largest_px = 1 << 16

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Faces in `image` (H, W, 3) uint8 RGB, largest first, by the first of the `levels` to find any."""
        return next((faces for faces in self.levels(image) if faces), [])

    def levels(self, image: np.ndarray) -> Iterator[list[Detection]]:
        """Faces found in the picture made small, then at its own size; searched when asked for."""
        longer = max(image.shape[:2])
        yield self._detect(image, min(longer, _QUICK_PX))
        if longer > _QUICK_PX:
            yield self._detect(image, longer)

    def _detect(self, image: np.ndarray, longer_px: int) -> list[Detection]:
        longer_px = min(longer_px, self._largest_px)
        scale = longer_px / max(image.shape[:2])
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = image if scale >= 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        try:
            boxes = self._network.detect_from_image(np.ascontiguousarray(small))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._largest_px = longer_px // 2
            if self._largest_px < _SMALLEST_PX:
                raise OptionError(
                    "the device's memory does not suffice for S3FD; use --device cpu"
                ) from error
            _log.warning("not enough memory for S3FD at %d px; going on at half the size", longer_px)
            return self._detect(image, self._largest_px)
        return sorted(
            (_detection(box / np.array([scale] * 4 + [1])) for box in boxes), key=lambda face: -face.area
        )


class FanMesh:
    """FAN's points of one face, as the 478 of Face Mesh."""

    def __init__(self, networks: Any, fitter: MeshFitter) -> None:
        self._networks = networks
        self._fitter = fitter

    def landmarks(self, image: np.ndarray, region: Region) -> Mesh:
        """Landmarks of the face inside `region` of `image` (H, W, 3) uint8 RGB."""
        height = region.side / _MARGIN
        half = np.array([_WIDTH * height / 2, height / 2])
        centre = np.array([region.x, region.y])
        box = np.concatenate([centre - half, centre + half])
        shape = image.shape[:2]
        if not (box[0] < shape[1] and box[1] < shape[0] and (box[2:] > 0).all() and height >= 2):
            return Mesh(np.tile([region.x, region.y, 0.0], (478, 1)).astype(np.float32), 0.0)
        points, scores, _ = self._networks.get_landmarks_from_image(
            image, detected_faces=[box], return_landmark_score=True
        )
        score = max(0.0, float(np.mean(scores[0])))
        if not np.isfinite(points[0]).all() or np.ptp(points[0][:, 0]) < 1:
            score, points = (
                0.0,
                [np.tile(box[:2], (POINTS, 1)) + np.linspace(0, 1, POINTS)[:, None] * 2 * half],
            )
        return Mesh(self._fitter.fit(np.asarray(points[0], np.float64)), score / (score + _DOUBTFUL_SCORE))


def _detection(box: np.ndarray) -> Detection:
    """S3FD's left, top, right, bottom, score."""
    corner, size = box[:2], box[2:4] - box[:2]
    return Detection(
        (float(corner[0]), float(corner[1]), float(size[0]), float(size[1])),
        float(box[4]),
        corner + size * np.array(_EYES),
    )
