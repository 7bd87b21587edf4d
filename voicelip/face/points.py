"""Indices into the 478 points of MediaPipe Face Mesh v2, by what they outline."""

import numpy as np

LEFT_EYE_OUTER, RIGHT_EYE_OUTER = 33, 263  # as seen in the image, of an unmirrored face
INNER_LIP_TOP, INNER_LIP_BOTTOM = 13, 14
FOREHEAD, CHIN = 10, 152

# Each outline is a closed ring of 20 points from the image-left corner, along the lower lip, and back along
# the upper.
OUTER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LIPS = OUTER_LIP + INNER_LIP

# The jaw line from the image-left cheek through the chin (152) to the right.
JAW = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288)

# The base of the nose: image-left wing, septum, image-right wing.
NOSE_BASE = (98, 2, 327)

# Points that no speech moves: eye corners and the bridge of the nose.
STABLE = (33, 133, 362, 263, 168, 6, 197, 195)


def inter_ocular_px(points: np.ndarray) -> np.ndarray:
    """Distance of the outer eye corners; `points` (…, 478, 2+) → (…) in the same unit."""
    difference = points[..., RIGHT_EYE_OUTER, :2] - points[..., LEFT_EYE_OUTER, :2]
    return np.linalg.norm(difference, axis=-1)


def mouth_opening(points: np.ndarray) -> np.ndarray:
    """Inner-lip gap over inter-ocular distance; `points` (…, 478, 2+) → (…), 0 for a closed mouth."""
    gap = np.linalg.norm(points[..., INNER_LIP_BOTTOM, :2] - points[..., INNER_LIP_TOP, :2], axis=-1)
    return gap / inter_ocular_px(points)
