"""A small network that tells regenerated mouths from recorded ones; made by recipes/train_detector.py."""

import functools
from typing import Any

import cv2
import numpy as np

from voicelip import hub
from voicelip.trust.evidence import FaceEvidence

FILE = "mouth_detector.onnx"
CHANNELS = 5
_FINE_SIGMA = 1.0
_FINE_GAIN = 8.0


def planes(pair: np.ndarray) -> np.ndarray:
    """Two crops on end (2, 128, 128, 3) uint8 → what the network sees (5, 128, 128) float32: lightness, its
    fine detail, the fine detail of what changes, and two of colour; each about -1 to 1.
    """
    first, second = (cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb).astype(np.float32) / 127.5 - 1 for each in pair)
    lightness, change = first[..., 0], second[..., 0] - first[..., 0]
    seen = (
        lightness,
        _FINE_GAIN * _fine(lightness),
        _FINE_GAIN * _fine(change),
        *np.moveaxis(first[..., 1:], -1, 0),
    )
    return np.stack(seen).astype(np.float32)


def regenerated(evidence: FaceEvidence) -> float:
    """How sure the network is, 0 to 1, that the mouth was regenerated."""
    inputs = np.stack([planes(pair) for pair in evidence.crops])
    return probability(_network().run(None, {"planes": inputs})[0])


def probability(logits: np.ndarray) -> float:
    """(N,) what the network says of each pair of crops, as one number for the face."""
    return float(1 / (1 + np.exp(-np.mean(logits))))


def _fine(image: np.ndarray) -> np.ndarray:
    return image - cv2.GaussianBlur(image, (0, 0), _FINE_SIGMA)


@functools.cache
def _network() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    path = str(hub.pretrained(FILE))
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
