"""Whether straight edges run around the mouth that no face has: the border of a pasted box."""

import cv2
import numpy as np

from voicelip.trust.evidence import CROP_PX, FaceEvidence

_SPAN = slice(24, 104)  # the middle of a crop, where an edge must run to count
_BORDER = 4


def seam(evidence: FaceEvidence) -> float:
    """How far the strongest straight line of the mean frame stands out among the others, as a logarithm.

    Frames are brought to one place before, so that what moves with the face adds up and the rest does not.
    """
    edges = [_edges(pair[0]) for pair in evidence.crops]
    rows = np.mean([each[0] for each in edges], axis=0)
    columns = np.mean([each[1] for each in edges], axis=0)
    return float(max(_outstanding(rows), _outstanding(columns)))


def _edges(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How sharply each row and each column differs from its neighbours: (128,) twice."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    vertical = np.abs(2 * grey[1:-1] - grey[:-2] - grey[2:])[:, _SPAN]
    horizontal = np.abs(2 * grey[:, 1:-1] - grey[:, :-2] - grey[:, 2:])[_SPAN]
    return np.median(vertical, axis=1), np.median(horizontal, axis=0)


def _outstanding(profile: np.ndarray) -> float:
    inner = profile[_BORDER : CROP_PX - _BORDER]
    around = np.array([np.median(inner[max(0, i - 6) : i + 7]) for i in range(len(inner))])
    return float(np.log((inner + 0.2) / (around + 0.2)).max())
