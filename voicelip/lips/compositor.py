"""Puts the regenerated mouth into the frame at the frame's own resolution.

Every pixel of the mouth is read from a reference frame in one step, through crop, flow and crop again, so it
is resampled once; only blend weights and the painted inner mouth are scaled up from the network's 96 px.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from voicelip.face.crop import CROP_PX, CropPart
from voicelip.lips.texture import Texture
from voicelip.media import Patch

VIEW_MARGIN = 0.25  # crop sides kept around a reference's mouth, for flows that reach beyond it
_RING_BLUR_PX = 9.0  # how far a colour difference at the mask's edge is carried inwards, crop px
_DECISIVENESS = 8  # power that the references' weights are raised to: a mix of two views is blurred
_TIMES = 3  # odd, so that the pixels that there were are among the enlarged ones
# Gives back what linear reading takes away: with it a mouth has 0.995 of the detail (mean squared Laplacian)
# that reading by Lanczos gives, without it 0.980.
_LINEAR_LOSS = np.array([-1, 10, -1], np.float32) / 8
_MAX_COLOUR_STEP = 0.12  # a larger difference is not light but another thing in the picture

_PLAIN = Texture()


@dataclass(frozen=True, eq=False)
class ReferenceView:
    """`image` (h, w, 3) uint8 RGB, the part of a source frame around the mouth; `to_image` (2, 3) from crop
    px to its px; `crop` (96, 96, 3) float32 in 0–1, as the network sees it.
    """

    image: np.ndarray
    to_image: np.ndarray
    crop: np.ndarray

    @classmethod
    def of(cls, part: CropPart) -> "ReferenceView":
        """From a part cut with `VIEW_MARGIN`."""
        return cls(part.image, part.to_image, part.crop().astype(np.float32) / 255)

    def enlarged(self) -> "ReferenceView":
        """The same with a larger `image`: reading it linearly is all but as sharp as reading the image as it
        was by Lanczos, and ten times as fast.
        """
        image = cv2.resize(self.image, None, fx=_TIMES, fy=_TIMES, interpolation=cv2.INTER_LANCZOS4)
        image = cv2.sepFilter2D(image, -1, _LINEAR_LOSS, _LINEAR_LOSS, borderType=cv2.BORDER_REPLICATE)
        to_image = _TIMES * self.to_image
        to_image[:, 2] += _TIMES // 2
        return ReferenceView(image, to_image, self.crop)


@dataclass(frozen=True)
class MouthLayers:
    """The renderer's answer for one frame: `flow` (R, 2, 48, 48) in crop sides, `weights` (R + 1, 96, 96),
    `paint` (3, 96, 96).
    """

    flow: np.ndarray
    weights: np.ndarray
    paint: np.ndarray


def composite(
    part: CropPart,
    current: np.ndarray,
    mask: np.ndarray,
    layers: MouthLayers,
    references: tuple[ReferenceView, ...],
    texture: Texture = _PLAIN,
    lights: np.ndarray | None = None,
) -> Patch:
    """The mouth of a frame made anew, from the `part` of it that shows the crop.

    `current` (96, 96, 3) float32 is the frame's own crop, 0–1; `mask` (96, 96) the opacity; `texture` what
    the frame's surroundings ask for; `lights` (R, 3) by how much each reference's colours are brightened.
    """
    lights = np.ones((len(references), 3), np.float32) if lights is None else lights
    left, top, right, bottom = _bounds(part.to_image, part.image.shape, *_extent(mask))
    if right - left < 2 or bottom - top < 2:
        return Patch.nothing()
    place = part.to_image.copy()
    place[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    flow = CROP_PX * cv2.resize(
        _interleaved_flow(layers.flow), (CROP_PX, CROP_PX), interpolation=cv2.INTER_CUBIC
    )
    blend, paint = _decided(layers)
    painted = layers.weights[-1]
    correction = colour_field(current, _assemble_crop(flow, blend, paint, references, lights), mask)

    # What the network drew at 96 px is worked out there and scaled up once; reading is done at full size.
    drawn = _spread(np.dstack((255 * (paint + correction), mask)), place, size)
    *colours, alpha = cv2.split(drawn)
    *weights, painted = cv2.split(_spread(np.dstack((blend, layers.weights[-1])), place, size))
    places = _places(flow, references, place, size)
    mouth = cv2.merge(colours)
    for view, light, weight, (x, y) in zip(references, lights, weights, places, strict=True):
        read = cv2.remap(view.image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cv2.accumulateProduct(read.astype(np.float32), _thrice(weight, light), mouth)

    mouth = texture.give(mouth, painted)
    area = part.image[top:bottom, left:right]
    blended = cv2.blendLinear(mouth, area.astype(np.float32), alpha, 1 - alpha)
    image = np.clip(np.rint(blended), 0, 255).astype(np.uint8)
    return Patch(part.left + left, part.top + top, image, alpha > 0)


def _thrice(values: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(h, w) → (h, w, 3), each by its factor of `light` (3,): arithmetic with three whole channels is far
    faster than with one for all.
    """
    if (light == 1).all():
        return cv2.merge((values, values, values))
    return cv2.merge([values * factor for factor in light])


def _extent(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper left and lower right corner of what the mask covers, crop px as (x, y)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros(2), np.zeros(2)
    return np.array([columns[0] - 1, rows[0] - 1]), np.array([columns[-1] + 1, rows[-1] + 1])


def _decided(layers: MouthLayers) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the references (96, 96, R), the stronger favoured, and the weighted paint (96, 96, 3)."""
    weights = layers.weights.transpose(1, 2, 0)
    painted = weights[..., -1:]
    decided = weights[..., :-1] ** _DECISIVENESS
    decided = decided * ((1 - painted) / (decided.sum(axis=-1, keepdims=True) + 1e-6))
    return decided, layers.paint.transpose(1, 2, 0) * painted


def colour_field(current: np.ndarray, rendered: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What to add to the rendered mouth so that it meets its surroundings without a step; all (96, 96, 3),
    0–1.

    The difference is measured where the mask fades, and carried inwards by normalised convolution.
    """
    ring = (mask * (1 - mask) * 4)[..., None].astype(np.float32)
    step = np.clip(current - rendered, -_MAX_COLOUR_STEP, _MAX_COLOUR_STEP)
    carried = cv2.GaussianBlur(step * ring, (0, 0), _RING_BLUR_PX)
    return carried / (cv2.GaussianBlur(ring, (0, 0), _RING_BLUR_PX)[..., None] + 1e-4)


def _assemble_crop(
    flow: np.ndarray, blend: np.ndarray, paint: np.ndarray, references: tuple[ReferenceView, ...],
    lights: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The rendered mouth at the network's own 96 px, (96, 96, 3): enough to measure colour."""
    axis = np.arange(CROP_PX, dtype=np.float32)
    result = paint
    for index, view in enumerate(references):
        x, y = axis[None, :] + flow[..., 2 * index], axis[:, None] + flow[..., 2 * index + 1]
        read = cv2.remap(view.crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        result = result + read * lights[index] * blend[..., index : index + 1]
    return result


def _interleaved_flow(flow: np.ndarray) -> np.ndarray:
    """(R, 2, G, G) → (G, G, 2R): x and y of each reference in turn."""
    return np.ascontiguousarray(flow.reshape(-1, *flow.shape[2:]).transpose(1, 2, 0))


def _spread(field: np.ndarray, place: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A field over the crop, (96, 96, C) float32, drawn over a part of the frame, (h, w, C)."""
    return cv2.warpAffine(field, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _places(
    flow: np.ndarray, references: tuple[ReferenceView, ...], place: np.ndarray, size: tuple[int, int]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where each pixel of a part of the frame is read in each reference: x and y in px of its image, (h, w)
    float32; `flow` (96, 96, 2R) in crop px.
    """
    moved = [flow[..., 2 * n : 2 * n + 2] @ view.to_image[:, :2].T for n, view in enumerate(references)]
    spread = cv2.split(_spread(np.dstack(moved).astype(np.float32), place, size))
    columns, rows = np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)[:, None]
    to_crop = np.vstack((cv2.invertAffineTransform(place), (0, 0, 1)))
    places = []
    for view, dx, dy in zip(references, spread[::2], spread[1::2], strict=True):
        (a, b, c), (d, e, f) = (view.to_image @ to_crop).astype(np.float32)
        places.append((dx + (a * columns + c) + b * rows, dy + d * columns + (e * rows + f)))
    return places


def _bounds(
    to_frame: np.ndarray, shape: tuple[int, ...], low: np.ndarray, high: np.ndarray
) -> tuple[int, int, int, int]:
    """left, top, right, bottom in the frame of the crop's part from `low` to `high` (x, y), clipped to it."""
    (x0, y0), (x1, y1) = low, high
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x0, y1, 1], [x1, y1, 1]]) @ to_frame.T
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (shape[1], shape[0]))
    return int(left), int(top), int(right), int(bottom)
