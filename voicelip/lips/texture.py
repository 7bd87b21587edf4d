"""Fine detail of the picture: a new mouth is as sharp, and as grainy, as the face around it.

References are picked from frames that stand still, and what the network paints has no grain at all. So a
frame that is blurred by motion blurs its new mouth, and grain is added where the mouth is painted.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX, CropPart

_BLURS_PX = (0.0, 0.5, 0.8, 1.2, 1.8, 2.7, 4.0)  # sigmas, px of the footage
_AS_SHARP = 0.7  # share of a reference's detail that frames vary by without being blurred
_VISIBLE_GRAIN = 1.5  # 8-bit levels; the texture of skin alone gives about 1
_GRAIN_SIZE_PX = 0.6  # compression leaves grain a little soft
# Laplacian of one direction taken in the other: blind to edges and slopes (Immerkær, 1996).
_GRAIN_FILTER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True)
class Texture:
    """What a frame asks of its new mouth: `blur_px` (sigma) of motion and focus, `grain` in 8-bit levels,
    and a `seed` that makes the grain another in every frame.
    """

    blur_px: float = 0.0
    grain: float = 0.0
    seed: int = 0

    def give(self, mouth: np.ndarray, painted: np.ndarray) -> np.ndarray:
        """`mouth` (h, w, 3) float32 in 0–255 with it; references bring their own grain along, so it is added
        by the share (h, w) that is `painted`.
        """
        if self.blur_px:
            mouth = cv2.GaussianBlur(mouth, (0, 0), self.blur_px)
        if self.grain:
            noise = painted * _grain_like(self.grain, painted.shape, self.seed)
            mouth = mouth + cv2.merge((noise, noise, noise))
        return mouth


@dataclass(frozen=True)
class Detail:
    """Fine detail around one reference's mouth, as it is and under each of `_BLURS_PX`: mean squared
    Laplacian.
    """

    energies: np.ndarray

    @classmethod
    def of(cls, part: CropPart, mask: np.ndarray) -> "Detail":
        skin = skin_above(part, mask)
        blurred = (skin if sigma == 0 else cv2.GaussianBlur(skin, (0, 0), sigma) for sigma in _BLURS_PX)
        # Rounded, because rounding makes detail of its own, and frames are rounded too.
        return cls(np.array([_energy(np.rint(image)) for image in blurred]))

    def blur_px(self, skin: np.ndarray) -> float:
        """Sigma, px of the footage, that makes what is read from the reference as soft as `skin`; 0 for a
        frame that is as sharp.
        """
        energy = _energy(skin)
        if energy >= _AS_SHARP * self.energies[0]:
            return 0.0
        # Detail falls off exponentially enough that its logarithm can be interpolated.
        return float(np.interp(-np.log(energy + 1e-3), -np.log(self.energies + 1e-3), _BLURS_PX))


def skin_above(part: CropPart, mask: np.ndarray) -> np.ndarray:
    """What tells about detail: nose and cheeks above the blend mask (96, 96), grey (h, w) float32, 0–255."""
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.02), np.flatnonzero(mask.max(axis=0) > 0.02)
    top, middle = max(int(rows[0]) - 2, 1), int(columns.mean())
    half = min(32, middle, CROP_PX - middle)
    corners = np.array([[middle - half, 1, 1], [middle + half, top, 1]]) @ part.to_image.T
    (x0, y0), (x1, y1) = np.sort(np.round(corners).astype(int), axis=0)
    area = part.image[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    if min(area.shape[:2]) < 4:
        return np.zeros((4, 4), np.float32)
    return cv2.cvtColor(area, cv2.COLOR_RGB2GRAY).astype(np.float32)


def grain(skin: np.ndarray) -> float:
    """Standard deviation of the grain in a grey picture, 8-bit levels; 0 when there is none to be seen."""
    response = np.abs(cv2.filter2D(skin, -1, _GRAIN_FILTER)[1:-1, 1:-1])
    sigma = 1.4826 * float(np.median(response)) / 6  # the filter's coefficients have norm 6
    return sigma if sigma > _VISIBLE_GRAIN else 0.0


def _grain_like(sigma: float, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Grain of that standard deviation, `shape` float32."""
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), _GRAIN_SIZE_PX)
    return soft * np.float32(sigma / max(float(soft.std()), 1e-6))


def _energy(grey: np.ndarray) -> float:
    return float((cv2.Laplacian(grey, cv2.CV_32F) ** 2).mean())
