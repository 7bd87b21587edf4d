"""Whether two pictures show one person: a face recognition network.

Davis King's `dlib_face_recognition_resnet_model_v1` (2017, public domain), converted by
`recipes/convert_face_recogniser.py`. Where `likeness` tells the people of one scene apart, this knows a
person again in other footage. It is no proof of identity: docs/trust.md has its measured errors.
"""

import functools
from typing import Any

import cv2
import numpy as np

from voicelip import hub
from voicelip.face.points import LEFT_EYE_OUTER, RIGHT_EYE_OUTER

SIZE = 128
SIDE_PX = 150
_PADDING = 0.25
_LARGEST_OVERSAMPLING = 4
_LEFT_EYE_INNER, _RIGHT_EYE_INNER, _SEPTUM = 133, 362, 2
_POINTS = (RIGHT_EYE_OUTER, _RIGHT_EYE_INNER, LEFT_EYE_OUTER, _LEFT_EYE_INNER, _SEPTUM)
# Where dlib's face chip has them: fractions of the face's square, which the padding surrounds.
_PLACES = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)


def recognise(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(128,) float32 descriptor of the face with landmarks `points` (478, 2+) in `image` (H, W, 3) uint8 RGB.

    The picture and its mirror image are averaged, which steadies the descriptor.
    """
    face = chip(image, points)
    blob = np.stack([face, face[:, ::-1]]).transpose(0, 3, 1, 2).astype(np.float32)
    (descriptors,) = _session().run(("descriptor",), {"image": blob})
    mean: np.ndarray = descriptors.mean(axis=0)
    return mean


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Between two descriptors: about 0.3 for one person, about 0.8 for two."""
    return float(np.linalg.norm(a.astype(np.float64) - b))


def chip(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(150, 150, 3) uint8: the face turned upright and framed as the network was trained."""
    wanted = (_PLACES + _PADDING) / (1 + 2 * _PADDING) * SIDE_PX
    matrix = _similarity(wanted, points[list(_POINTS), :2].astype(np.float64))
    # warpAffine reads single pixels, so a large face is drawn larger first and then averaged down.
    pixels = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    times = int(np.clip(round(pixels), 1, _LARGEST_OVERSAMPLING))
    to_frame = matrix.copy()
    to_frame[:, :2] /= times
    to_frame[:, 2] -= to_frame[:, :2].sum(axis=1) * (times - 1) / 2
    side = SIDE_PX * times
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(image, to_frame, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return drawn if times == 1 else cv2.resize(drawn, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)


def _similarity(given: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(2, 3): the turn, scale and shift that bring `given` (N, 2) nearest to `wanted` (least squares)."""
    from_middle, to_middle = given.mean(axis=0), wanted.mean(axis=0)
    p, q = given - from_middle, wanted - to_middle
    total = (p**2).sum()
    a = (p * q).sum() / total
    b = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / total
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, to_middle - linear @ from_middle])


@functools.cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The 8-bit weights are widened once, when the network is loaded.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(
        str(hub.pretrained("face_recogniser.onnx")), options, providers=["CPUExecutionProvider"]
    )
