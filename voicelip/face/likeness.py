"""How alike two faces look, without a face recognition network.

Histograms of oriented gradients (Dalal and Triggs, 2005) of the upright portrait: shape and place of brows,
eyes, nose, mouth and hair line, not colour, which says more about the light than about the person. It tells
the people in one scene apart; it is not biometric identification.
"""

import cv2
import numpy as np

from voicelip.face.portrait import PORTRAIT_PX, portrait

_CELL_PX = 8
_BINS = 8
_USUAL_BETWEEN_PEOPLE = 4.05  # median Euclidean distance between two people's descriptors


def likeness_descriptor(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(D,) float32 for the face with landmarks `points` (478, 2+) in `image` (H, W, 3) uint8 RGB."""
    grey = cv2.cvtColor(portrait(image, points), cv2.COLOR_RGB2GRAY).astype(np.float32)
    cells = _orientation_histograms(grey)
    blocks = np.concatenate([cells[:-1, :-1], cells[1:, :-1], cells[:-1, 1:], cells[1:, 1:]], axis=-1)
    blocks = np.minimum(blocks / (np.linalg.norm(blocks, axis=-1, keepdims=True) + 50.0), 0.25)
    return blocks[1:9, 1:11].reshape(-1)  # without the backdrop and the collar


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """How unlike two descriptors are: 0 for the same picture, about 1 for two people."""
    return float(np.linalg.norm(a - b)) / _USUAL_BETWEEN_PEOPLE


def differences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`difference` of every descriptor in `a` (N, D) to every one in `b` (M, D): (N, M)."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0)) / _USUAL_BETWEEN_PEOPLE


def _orientation_histograms(grey: np.ndarray) -> np.ndarray:
    """(12, 12, 8): gradient magnitude by orientation (without sign), shared between the two nearest bins."""
    x, y = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    magnitude = np.hypot(x, y)
    place = (np.arctan2(y, x) % np.pi) / np.pi * _BINS
    lower = np.floor(place).astype(np.int64)
    upper_share = place - lower
    count = PORTRAIT_PX // _CELL_PX
    row, column = np.indices(grey.shape) // _CELL_PX
    cell = (row * count + column) * _BINS
    size = count * count * _BINS
    sums = np.bincount((cell + lower % _BINS).ravel(), (magnitude * (1 - upper_share)).ravel(), size)
    sums += np.bincount((cell + (lower + 1) % _BINS).ravel(), (magnitude * upper_share).ravel(), size)
    return sums.reshape(count, count, _BINS).astype(np.float32)
