"""Face Mesh v2: 478 landmarks of one face.

Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019. Weights:
MediaPipe's `face_landmarks_detector.tflite` (Apache-2.0), as an ONNX file by `recipes/convert_face_mesh.py`:
ONNX Runtime takes about half the time of OpenCV's dnn module for it.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from voicelip import hub
from voicelip.face.blazeface import Detection
from voicelip.face.points import CHIN, FOREHEAD, LEFT_EYE_OUTER, RIGHT_EYE_OUTER

_INPUT_PX = 256
_MARGIN = 1.5  # side of the region over the face's longer extent, as the network was trained


@dataclass(frozen=True)
class Region:
    """A rotated square of the image: centre and side in px, `angle` of the eye line in radians."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def of_detection(cls, face: Detection) -> "Region":
        dx, dy = face.eyes[1] - face.eyes[0]
        return cls(*face.centre, side=_MARGIN * max(face.box[2:]), angle=float(np.arctan2(dy, dx)))

    @classmethod
    def of_points(cls, points: np.ndarray) -> "Region":
        """The region that follows from landmarks (478, 2+) of the frame before."""
        dx, dy = points[RIGHT_EYE_OUTER, :2] - points[LEFT_EYE_OUTER, :2]
        angle = float(np.arctan2(dy, dx))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        level = points[:, :2] @ turn
        low, high = level.min(axis=0), level.max(axis=0)
        x, y = turn @ ((low + high) / 2)
        return cls(float(x), float(y), side=_MARGIN * float(max(high - low)), angle=angle)

    def to_input(self) -> np.ndarray:
        """(2, 3) matrix from image px to the network's input px."""
        scale = _INPUT_PX / self.side
        cos, sin = scale * np.cos(self.angle), scale * np.sin(self.angle)
        half = _INPUT_PX / 2
        return np.array(
            [[cos, sin, half - cos * self.x - sin * self.y], [-sin, cos, half + sin * self.x - cos * self.y]]
        )


@dataclass(frozen=True)
class Mesh:
    """`points` (478, 3) float32 in image px (z towards the camera is negative), `presence` in 0–1."""

    points: np.ndarray
    presence: float


class FaceMesh:
    """The landmark network."""

    def __init__(self, onnx: Path | None = None) -> None:
        """From `face_mesh.onnx`, by default the shipped one."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        # Threads that wait busily take the cores from decoding, which runs beside this.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(onnx or hub.pretrained("face_mesh.onnx")), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def landmarks(self, image: np.ndarray, region: Region) -> Mesh:
        """Landmarks of the face inside `region` of `image` (H, W, 3) uint8 RGB."""
        matrix = region.to_input()
        patch = cv2.warpAffine(image, matrix, (_INPUT_PX, _INPUT_PX), flags=cv2.INTER_LINEAR)
        blob = cv2.dnn.blobFromImage(patch, 1 / 255.0)
        points, presence = self._session.run(("points", "presence"), {self._input: blob})
        points = points.reshape(478, 3)
        inverse = cv2.invertAffineTransform(matrix)
        scale = region.side / _INPUT_PX
        placed = np.empty((478, 3), np.float32)
        placed[:, :2] = points[:, :2] @ inverse[:, :2].T + inverse[:, 2]
        placed[:, 2] = points[:, 2] * scale
        return Mesh(placed, float(1.0 / (1.0 + np.exp(-np.clip(presence.item(), -50, 50)))))


def yaw_deg(points: np.ndarray) -> float:
    """Turn of the head to the side, in degrees, from landmarks (478, 3)."""
    across = points[RIGHT_EYE_OUTER] - points[LEFT_EYE_OUTER]
    return float(np.degrees(np.arctan2(across[2], np.hypot(across[0], across[1]))))


def pitch_deg(points: np.ndarray) -> float:
    """Nod of the head, in degrees, from landmarks (478, 3); its zero depends on the face."""
    down = points[CHIN] - points[FOREHEAD]
    return float(np.degrees(np.arctan2(down[2], np.hypot(down[0], down[1]))))
