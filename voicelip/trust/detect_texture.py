"""Whether the mouth is as sharp, as noisy and as coloured as the face around it.

A mouth that was drawn small and enlarged is softer than its surroundings; one that is drawn anew for each
frame has not the camera's noise.
"""

import cv2
import numpy as np

from voicelip.trust.evidence import CROP_PX, FaceEvidence

_OUTER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_FACE = (
    234,
    93,
    132,
    58,
    172,
    136,
    150,
    149,
    176,
    148,
    152,
    377,
    400,
    378,
    379,
    365,
    397,
    288,
    361,
    323,
    454,
)
_NEAR = 1.6  # the mouth's outline, enlarged so: what lip generators draw anew
_INSET_PX = 4  # from the face's outline


def sharpness(evidence: FaceEvidence) -> float:
    """Fine detail in the mouth over that of the face around it, as a logarithm."""
    ratios = []
    for pair, points in zip(evidence.crops, evidence.crop_points, strict=True):
        detail = np.abs(cv2.Laplacian(_grey(pair[0]), cv2.CV_32F))
        mouth, around = areas(points)
        if mouth.any() and around.any():
            ratios.append(np.log((detail[mouth].mean() + 0.1) / (detail[around].mean() + 0.1)))
    return float(np.median(ratios)) if ratios else 0.0


def flicker(evidence: FaceEvidence) -> float:
    """Fine detail that changes from frame to frame, in the mouth over the face around it, as a logarithm."""
    ratios = []
    for pair, points in zip(evidence.crops, evidence.crop_points, strict=True):
        change = np.abs(cv2.Laplacian(_grey(pair[1]) - _grey(pair[0]), cv2.CV_32F))
        mouth, around = areas(points)
        if mouth.any() and around.any():
            ratios.append(np.log((change[mouth].mean() + 0.1) / (change[around].mean() + 0.1)))
    return float(np.median(ratios)) if ratios else 0.0


def colour(evidence: FaceEvidence) -> float:
    """How far the skin around the lips differs in colour from that of the cheeks: a distance in CIELAB."""
    distances = []
    for pair, points in zip(evidence.crops, evidence.crop_points, strict=True):
        lab = cv2.cvtColor(pair[0].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        mouth, around = areas(points)
        skin = mouth & ~_filled(points[list(_OUTER_LIP)])
        if skin.any() and around.any():
            distances.append(
                np.linalg.norm(np.median(lab[skin], axis=0)[1:] - np.median(lab[around], axis=0)[1:])
            )
    return float(np.median(distances)) if distances else 0.0


def areas(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks (128, 128) bool of the mouth with its near surroundings, and of the rest of the face; `points`
    (478, 2) in crop px.
    """
    lips = points[list(_OUTER_LIP)]
    mouth = _filled(lips.mean(axis=0) + _NEAR * (lips - lips.mean(axis=0)))
    face = _filled(points[list(_FACE)]).astype(np.uint8)
    inner = cv2.erode(face, np.ones((2 * _INSET_PX + 1,) * 2, np.uint8), borderValue=0) > 0
    return mouth & inner, inner & ~mouth


def _filled(outline: np.ndarray) -> np.ndarray:
    mask = np.zeros((CROP_PX, CROP_PX), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    return mask > 0


def _grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
