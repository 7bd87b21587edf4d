"""Puts the regenerated mouth into the frame at the frame's own resolution.

Every pixel of the mouth is read from a reference frame in one step, through crop, flow and crop again, so it
is resampled once; only blend weights and the painted inner mouth are scaled up from the network's 96 px.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX

_RING_BLUR_PX = 9.0  # how far a colour difference at the mask's edge is carried inwards, crop px
_DECISIVENESS = 2  # power that the references' weights are raised to: a mix of two views is blurred
_MAX_COLOUR_STEP = 0.12  # a larger difference is not light but another thing in the picture


@dataclass(frozen=True)
class ReferenceView:
    """`image` (h, w, 3) uint8 RGB, the part of a source frame around the mouth; `to_image` (2, 3) from crop
    px to its px; `crop` (96, 96, 3) float32 in 0–1, as the network sees it.
    """

    image: np.ndarray
    to_image: np.ndarray
    crop: np.ndarray

    @classmethod
    def cut(cls, frame: np.ndarray, to_frame: np.ndarray, crop: np.ndarray) -> "ReferenceView":
        left, top, right, bottom = _bounds(to_frame, frame.shape, margin=0.25)
        moved = to_frame.copy()
        moved[:, 2] -= (left, top)
        return cls(frame[top:bottom, left:right].copy(), moved, crop.astype(np.float32) / 255)


@dataclass(frozen=True)
class MouthLayers:
    """The renderer's answer for one frame: `flow` (R, 2, 48, 48) in crop sides, `weights` (R + 1, 96, 96),
    `paint` (3, 96, 96).
    """

    flow: np.ndarray
    weights: np.ndarray
    paint: np.ndarray


def composite(
    frame: np.ndarray,
    to_frame: np.ndarray,
    current: np.ndarray,
    mask: np.ndarray,
    layers: MouthLayers,
    references: tuple[ReferenceView, ...],
) -> np.ndarray:
    """A copy of `frame` (H, W, 3) uint8 with the mouth replaced.

    `to_frame` (2, 3) maps crop px to frame px; `current` (96, 96, 3) float32 is the frame's own crop; `mask`
    (96, 96) the opacity.
    """
    left, top, right, bottom = _bounds(to_frame, frame.shape, margin=0.0)
    if right - left < 2 or bottom - top < 2:
        return frame.copy()
    place = to_frame.copy()
    place[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    correction = colour_field(current, _assemble_crop(layers, references), mask)

    alpha = _spread(mask, place, size, border=cv2.BORDER_CONSTANT)[..., None]
    weights = _spread(np.ascontiguousarray(layers.weights.transpose(1, 2, 0)), place, size)
    decided = weights[..., :-1] ** _DECISIVENESS
    weights[..., :-1] = decided * ((1 - weights[..., -1:]) / (decided.sum(axis=-1, keepdims=True) + 1e-6))
    flow = _spread(_interleaved_flow(layers.flow), place, size, cv2.INTER_CUBIC)
    mouth = _spread(np.ascontiguousarray(layers.paint.transpose(1, 2, 0)), place, size, cv2.INTER_CUBIC)
    mouth = mouth * weights[..., -1:] + _spread(correction, place, size)
    x, y = _crop_coordinates(place, size)
    for index, view in enumerate(references):
        source_x, source_y = x + CROP_PX * flow[..., 2 * index], y + CROP_PX * flow[..., 2 * index + 1]
        read = _read(view, source_x, source_y)
        mouth += read * (weights[..., index : index + 1] / 255)

    result = frame.copy()
    area = result[top:bottom, left:right]
    blended = area + alpha * (mouth * 255 - area)
    # Where nothing is blended the source's own bytes stay, untouched by rounding.
    result[top:bottom, left:right] = np.where(
        alpha > 0, np.clip(np.rint(blended), 0, 255).astype(np.uint8), area
    )
    return result


def colour_field(current: np.ndarray, rendered: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What to add to the rendered mouth so that it meets its surroundings without a step; all (96, 96, 3),
    0–1.

    The difference is measured where the mask fades, and carried inwards by normalised convolution.
    """
    ring = (mask * (1 - mask) * 4)[..., None].astype(np.float32)
    step = np.clip(current - rendered, -_MAX_COLOUR_STEP, _MAX_COLOUR_STEP)
    carried = cv2.GaussianBlur(step * ring, (0, 0), _RING_BLUR_PX)
    return carried / (cv2.GaussianBlur(ring, (0, 0), _RING_BLUR_PX)[..., None] + 1e-4)


def _assemble_crop(layers: MouthLayers, references: tuple[ReferenceView, ...]) -> np.ndarray:
    """The rendered mouth at the network's own 96 px, (96, 96, 3): enough to measure colour."""
    axis = np.arange(CROP_PX, dtype=np.float32)
    flow = (
        cv2.resize(_interleaved_flow(layers.flow), (CROP_PX, CROP_PX), interpolation=cv2.INTER_LINEAR)
        * CROP_PX
    )
    result = (layers.paint * layers.weights[-1:]).transpose(1, 2, 0)
    for index, view in enumerate(references):
        x, y = axis[None, :] + flow[..., 2 * index], axis[:, None] + flow[..., 2 * index + 1]
        read = cv2.remap(view.crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        result = result + read * layers.weights[index][..., None]
    return result


def _interleaved_flow(flow: np.ndarray) -> np.ndarray:
    """(R, 2, G, G) → (G, G, 2R): x and y of each reference in turn."""
    return np.ascontiguousarray(flow.reshape(-1, *flow.shape[2:]).transpose(1, 2, 0))


def _spread(
    field: np.ndarray,
    place: np.ndarray,
    size: tuple[int, int],
    interpolation: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_REPLICATE,
) -> np.ndarray:
    """A field over the crop, (G, G[, C]) float32, drawn over a part of the frame, (h, w[, C])."""
    ratio = CROP_PX / field.shape[0]
    matrix = place.copy()
    matrix[:, 2] += matrix[:, :2] @ np.full(2, (ratio - 1) / 2)
    matrix[:, :2] *= ratio
    return cv2.warpAffine(field, matrix, size, flags=interpolation, borderMode=border)


def _crop_coordinates(place: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Crop px of every pixel of the part of the frame, two (h, w) float32."""
    inverse = cv2.invertAffineTransform(place).astype(np.float32)
    columns, rows = np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)[:, None]
    return (
        inverse[0, 0] * columns + inverse[0, 1] * rows + inverse[0, 2],
        inverse[1, 0] * columns + inverse[1, 1] * rows + inverse[1, 2],
    )


def _read(view: ReferenceView, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The reference at crop px (x, y): (h, w, 3) uint8."""
    (a, b, c), (d, e, f) = view.to_image.astype(np.float32)
    return cv2.remap(
        view.image, a * x + b * y + c, d * x + e * y + f, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def _bounds(to_frame: np.ndarray, shape: tuple[int, ...], margin: float) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the crop in the frame, grown by `margin` crop sides, clipped to it."""
    low, high = -margin * CROP_PX - 1, (1 + margin) * CROP_PX
    corners = np.array([[low, low, 1], [high, low, 1], [low, high, 1], [high, high, 1]]) @ to_frame.T
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (shape[1], shape[0]))
    return int(left), int(top), int(right), int(bottom)
