"""Motion codes: lips and jaw as a few numbers, relative to the speaker's closed mouth.

Being relative, one audio network serves every speaker; what differs between speakers, the amplitude, is
estimated from the target's own clip.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicelip.face.points import INNER_LIP_BOTTOM, INNER_LIP_TOP, JAW, LIPS

WINDOW_COLUMNS = 28  # 350 ms of mel columns around a frame, what the audio network hears
MOTION_FPS = 25  # the rate that codes are predicted at
MOTION_POINTS = LIPS + JAW
_GAP_TOP, _GAP_BOTTOM = MOTION_POINTS.index(INNER_LIP_TOP), MOTION_POINTS.index(INNER_LIP_BOTTOM)


@dataclass(frozen=True)
class MotionBasis:
    """Principal components of lip and jaw landmarks around the closed mouth.

    `components` (K, 110) orthonormal rows over the flattened (55, 2) offsets in crop px; `scale` () the
    typical RMS of an offset row, which makes codes of order one; `amplitude` () the median speaker's
    amplitude.
    """

    components: np.ndarray
    scale: float
    amplitude: float

    def encode(self, offsets: np.ndarray) -> np.ndarray:
        """(…, 55, 2) offsets in crop px → (…, K) codes."""
        return offsets.reshape(*offsets.shape[:-2], -1) @ self.components.T / self.scale

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """(…, K) codes → (…, 55, 2) offsets in crop px."""
        return (codes * self.scale @ self.components).reshape(*codes.shape[:-1], len(MOTION_POINTS), 2)

    def save(self, path: Path) -> None:
        np.savez(path, components=self.components, scale=self.scale, amplitude=self.amplitude)

    @classmethod
    def load(cls, path: Path) -> "MotionBasis":
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["components"], float(stored["scale"]), float(stored["amplitude"]))


def lip_gap(offsets_or_points: np.ndarray) -> np.ndarray:
    """(…, 55, 2) → (…) vertical inner-lip distance in crop px."""
    return offsets_or_points[..., _GAP_BOTTOM, 1] - offsets_or_points[..., _GAP_TOP, 1]


def speaker_amplitude(offsets: np.ndarray) -> float:
    """RMS of offsets (T, 55, 2) about the closed mouth: how far this speaker moves, crop px."""
    return float(np.sqrt((offsets**2).sum(axis=(-1, -2)).mean()))


def closed_mouth(points: np.ndarray) -> np.ndarray:
    """The speaker's closed mouth: mean of the tenth of frames with the smallest gap; (T, 55, 2) → (55, 2)."""
    gap = lip_gap(points)
    return points[gap <= np.quantile(gap, 0.1)].mean(axis=0)
