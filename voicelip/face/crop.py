"""Mouth crops that stay still while the head moves, and the way back to the frame.

A crop is a similarity transform of the frame that puts the eyes level and a fixed distance apart, so the
networks see every face at one size and upright. It is fitted to points that speech does not move and smoothed
without delay.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from voicelip import filters
from voicelip.face.points import LEFT_EYE_OUTER, LIPS, RIGHT_EYE_OUTER, STABLE
from voicelip.face.track import FaceTrack
from voicelip.media import Box, Picture

CROP_PX = 96
PX_PER_IOD = 74.0  # px of the crop per inter-ocular distance
MOUTH_XY = (47.5, 40.0)  # where the mouth's usual centre lies; above the middle: the jaw needs room to open
_SMOOTHING_FRAMES = 1.0
_REACH_PX = 8  # around a crop: what reading and blurring at its border looks at


@dataclass(frozen=True)
class MouthCrops:
    """Where the mouth crop of every frame lies.

    `to_frame` (T, 2, 3) float64 maps crop px (of the 96 px crop) to frame px; rows of frames without a usable
    face are NaN. `points` (T, 478, 2) float32 are the track's landmarks in crop px. `cuts` are the frames
    that begin a camera shot, but the first.
    """

    to_frame: np.ndarray
    points: np.ndarray
    cuts: tuple[int, ...] = ()

    def scaled_to_frame(self, index: int, size_px: int) -> np.ndarray:
        """(2, 3) matrix from px of a `size_px` crop to frame px; pixel centres lie at whole coordinates."""
        return _scaled(self.to_frame[index], size_px)

    def part(self, picture: Picture, index: int, margin: float = 0.0) -> "CropPart":
        """What the crop of frame `index` is cut from, with `margin` crop sides more around it."""
        low, high = -margin * CROP_PX, (1 + margin) * CROP_PX
        box = _box_around(self.to_frame[index], low, high, picture.width, picture.height)
        to_image = self.to_frame[index].copy()
        to_image[:, 2] -= box[:2]
        return CropPart(picture.rgb(box), to_image, *box[:2])

    def cut(self, image: np.ndarray, index: int, size_px: int = CROP_PX) -> np.ndarray:
        """The crop of `image` (H, W, 3) for frame `index`: (size_px, size_px, 3), edges repeated outwards."""
        return _cut(image, self.scaled_to_frame(index, size_px), size_px)

    def native_px(self, index: int) -> int:
        """Side of a crop that shows frame `index` at the footage's own resolution."""
        scale = float(np.hypot(*self.to_frame[index][:, 0]))
        return max(CROP_PX, 2 * round(CROP_PX * scale / 2))


@dataclass(frozen=True)
class CropPart:
    """The part of one frame around its mouth crop: `image` (h, w, 3) uint8 RGB, its upper left pixel at
    (`left`, `top`) of the frame; `to_image` (2, 3) float64 maps crop px to px of the image.
    """

    image: np.ndarray
    to_image: np.ndarray
    left: int
    top: int

    def crop(self, size_px: int = CROP_PX) -> np.ndarray:
        """(size_px, size_px, 3), as `MouthCrops.cut` takes it from the whole frame."""
        return _cut(self.image, _scaled(self.to_image, size_px), size_px)


def stabilise(track: FaceTrack) -> MouthCrops:
    """Crops for every frame of `track`; the mouth's usual place is `MOUTH_XY`, shot by shot."""
    to_frame = np.full((len(track), 2, 3), np.nan)
    points = np.full((len(track), 478, 2), np.nan, np.float32)
    for run in track.runs():
        run_points = track.points[run].astype(np.float64)
        fitted = _fit_similarity(run_points)
        smooth = filters.gaussian(fitted, _SMOOTHING_FRAMES)
        to_frame[run] = _centre_on_mouth(_as_matrices(smooth), run_points)
        points[run] = _apply_inverse(to_frame[run], run_points)
    return MouthCrops(to_frame, points, tuple((np.flatnonzero(np.diff(track.shot)) + 1).tolist()))


def _fit_similarity(points: np.ndarray) -> np.ndarray:
    """Least-squares similarity from a mean face (unit: IOD) to each frame; (T, 478, 2) → (T, 4): a, b, x, y.

    The mean face is the run's own, so a person's proportions do not tilt or scale the crop.
    """
    template = _mean_stable_shape(points)
    centred = template - template.mean(axis=0)
    targets = points[:, STABLE]
    middle = targets.mean(axis=1)
    offsets = targets - middle[:, None]
    norm = (centred**2).sum()
    a = np.einsum("kd,tkd->t", centred, offsets) / norm
    b = np.einsum("k,tk->t", centred[:, 0], offsets[..., 1]) - np.einsum(
        "k,tk->t", centred[:, 1], offsets[..., 0]
    )
    b /= norm
    mean_x, mean_y = template.mean(axis=0)
    x = middle[:, 0] - (a * mean_x - b * mean_y)
    y = middle[:, 1] - (b * mean_x + a * mean_y)
    return np.stack([a, b, x, y], axis=1)


def _mean_stable_shape(points: np.ndarray) -> np.ndarray:
    """Median place of the stable points with the eye line level, its middle at 0 and its length 1; (8, 2)."""
    left, right = points[:, LEFT_EYE_OUTER], points[:, RIGHT_EYE_OUTER]
    along = (right - left) / np.linalg.norm(right - left, axis=1, keepdims=True) ** 2
    offset = points[:, STABLE] - ((left + right) / 2)[:, None]
    x = np.einsum("tkd,td->tk", offset, along)
    y = np.einsum("tkd,td->tk", offset, np.stack([-along[:, 1], along[:, 0]], axis=1))
    return np.median(np.stack([x, y], axis=-1), axis=0)


def _as_matrices(parameters: np.ndarray) -> np.ndarray:
    """(T, 4) similarity parameters → (T, 2, 3) matrices from crop px, origin amid the eyes, to frame px."""
    a, b, x, y = parameters.T
    a, b = a / PX_PER_IOD, b / PX_PER_IOD
    return np.stack([np.stack([a, -b, x], axis=-1), np.stack([b, a, y], axis=-1)], axis=1)


def _centre_on_mouth(matrices: np.ndarray, points: np.ndarray) -> np.ndarray:
    lips = _apply_inverse(matrices, points)[:, LIPS]
    corner = np.median(lips.mean(axis=1), axis=0) - MOUTH_XY
    moved = matrices.copy()
    moved[:, :, 2] += matrices[:, :, :2] @ corner
    return moved


def _apply_inverse(matrices: np.ndarray, points: np.ndarray) -> np.ndarray:
    inverse = np.linalg.inv(matrices[:, :, :2])
    return np.einsum("tij,tkj->tki", inverse, points - matrices[:, None, :, 2])


def _scaled(to_image: np.ndarray, size_px: int) -> np.ndarray:
    ratio = CROP_PX / size_px
    matrix = to_image.copy()
    matrix[:, 2] += matrix[:, :2] @ np.full(2, (ratio - 1) / 2)
    matrix[:, :2] *= ratio
    return matrix


def _cut(image: np.ndarray, matrix: np.ndarray, size_px: int) -> np.ndarray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shrink = float(np.hypot(*matrix[:, 0]))
    if shrink > 1.5:  # warpAffine reads single pixels: without this, a large face aliases
        image, matrix = _blurred_part(image, matrix, size_px)
    return cv2.warpAffine(image, matrix, (size_px, size_px), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _blurred_part(image: np.ndarray, matrix: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of `image` that the crop shows, low-passed, and the matrix from crop px to its px."""
    height, width = image.shape[:2]
    left, top, right, bottom = _box_around(matrix, 0, size_px, width, height)
    shifted = matrix.copy()
    shifted[:, 2] -= (left, top)
    shrink = float(np.hypot(*matrix[:, 0]))
    return cv2.GaussianBlur(image[top:bottom, left:right], (0, 0), 0.35 * shrink), shifted


def _box_around(matrix: np.ndarray, low: float, high: float, width: int, height: int) -> Box:
    """The part of an image that holds the square from `low` to `high`, placed by `matrix`, and some px more;
    at least one pixel of the image's edge.
    """
    placed = np.array([[low, low, 1], [high, low, 1], [low, high, 1], [high, high, 1]]) @ matrix.T
    start = np.floor(placed.min(axis=0)) - _REACH_PX
    stop = np.ceil(placed.max(axis=0)) + _REACH_PX
    left, top = np.clip(start, 0, [width - 1, height - 1]).astype(int).tolist()
    right, bottom = np.clip(stop, [left + 1, top + 1], [width, height]).astype(int).tolist()
    return left, top, right, bottom
