"""The compositor: what it leaves alone, and what it keeps sharp."""

import cv2
import numpy as np
import pytest

from voicelip.face.crop import CropPart
from voicelip.lips.compositor import MouthLayers, ReferenceView, colour_field, composite
from voicelip.lips.enlarged import EnlargedViews
from voicelip.lips.light import light_between
from voicelip.media import RgbPicture

MASK = cv2.GaussianBlur(np.pad(np.ones((56, 56), np.float32), 20), (0, 0), 2.5)


def detailed_frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.2).clip(0, 255).astype(np.uint8)


def placement(scale: float, x: float, y: float, angle: float = 0.0) -> np.ndarray:
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def still_layers() -> MouthLayers:
    """No motion, everything from the first reference."""
    weights = np.zeros((3, 96, 96), np.float32)
    weights[0] = 1
    return MouthLayers(np.zeros((2, 2, 48, 48), np.float32), weights, np.zeros((3, 96, 96), np.float32))


def render(
    frame: np.ndarray, to_frame: np.ndarray, layers: MouthLayers, other: np.ndarray | None = None
) -> np.ndarray:
    part = CropPart(frame, to_frame, 0, 0)
    view = ReferenceView.of(part)
    second = view if other is None else ReferenceView.of(CropPart(other, to_frame, 0, 0))
    views = EnlargedViews().of((view, second))
    patch = composite(part, part.crop().astype(np.float32) / 255, MASK, layers, views)
    return RgbPicture(frame).with_patch(patch).rgb()


@pytest.mark.parametrize("scale", [0.7, 1.0, 2.3, 5.0])
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_no_motion_gives_the_frame_back_at_any_size(scale: float, angle: float) -> None:
    frame = detailed_frame(540, 640)
    result = render(frame, placement(scale, 200, 20, angle), still_layers())
    difference = np.abs(result.astype(int) - frame)
    assert difference.max() <= 2  # one resampling at whole positions, then rounding
    assert difference.mean() < 0.1


@pytest.mark.parametrize("bright", [0.4, 0.98, 1.6])
def test_a_reference_in_other_light_is_read_in_the_frame_s(bright: float) -> None:
    reference = cv2.GaussianBlur(detailed_frame(540, 640), (0, 0), 4) // 2 + 10
    frame = np.clip(np.rint(bright * reference), 0, 255).astype(np.uint8)
    to_frame = placement(2.3, 200, 20)
    part, other = CropPart(frame, to_frame, 0, 0), ReferenceView.of(CropPart(reference, to_frame, 0, 0))
    current = part.crop().astype(np.float32) / 255
    lights = np.stack([light_between(current, other.crop, MASK)] * 2)
    views = EnlargedViews().of((other, other))
    patch = composite(part, current, MASK, still_layers(), views, lights=lights)
    result = RgbPicture(frame).with_patch(patch).rgb()
    assert np.abs(result.astype(int) - frame).mean() < 1


def test_pixels_outside_the_mask_are_the_sources_own() -> None:
    frame, other = detailed_frame(360, 480), detailed_frame(360, 480, seed=1)
    to_frame = placement(2.0, 120.3, 70.7, 0.1)
    layers = still_layers()
    layers.weights[0], layers.weights[1] = 0, 1
    result = render(frame, to_frame, layers, other)
    area = cv2.warpAffine(MASK, to_frame, (480, 360), flags=cv2.INTER_LINEAR)
    changed = (result != frame).any(axis=-1)
    assert changed.any()
    assert not changed[area == 0].any()


@pytest.mark.parametrize("place", [(-60.0, -50.0), (440.0, 300.0), (5000.0, 5000.0)])
def test_a_mouth_at_or_beyond_the_edge_is_no_problem(place: tuple[float, float]) -> None:
    frame = detailed_frame(360, 480)
    result = render(frame, placement(1.5, *place), still_layers())
    assert result.shape == frame.shape
    assert np.abs(result.astype(int) - frame).max() <= 2


def test_the_source_frame_is_not_written_on() -> None:
    frame = detailed_frame(200, 200)
    before = frame.copy()
    layers = still_layers()
    layers.weights[0], layers.weights[2] = 0, 1
    assert (render(frame, placement(1.5, 20, 20), layers) != before).any()
    assert np.array_equal(frame, before)


def test_a_reference_in_other_light_leaves_no_step_at_the_edge() -> None:
    skin = np.full((96, 96, 3), 0.6, np.float32)
    darker = skin - np.float32([0.05, 0.03, 0.08])
    field = colour_field(skin, darker, MASK)
    inside = MASK > 0.5
    assert np.abs(darker + field - skin)[inside].max() < 0.012


def test_reading_between_the_pixels_of_an_enlarged_reference_is_as_sharp_as_lanczos() -> None:
    frame = detailed_frame(200, 200)
    view = ReferenceView.of(CropPart(frame, placement(2.0, 4, 4), 0, 0))
    x, y = np.meshgrid(np.arange(10, 190, 0.77, np.float32), np.arange(10, 190, 0.77, np.float32))
    expected = cv2.remap(frame, x, y, cv2.INTER_LANCZOS4)
    larger = view.enlarged()
    back = larger.to_image @ np.vstack((cv2.invertAffineTransform(view.to_image), (0, 0, 1)))
    places = [(row[0] * x + row[1] * y + row[2]).astype(np.float32) for row in back]
    read = cv2.remap(larger.image, *places, cv2.INTER_LINEAR)
    blurred = cv2.remap(frame, x, y, cv2.INTER_LINEAR)
    assert cv2.PSNR(read, expected) > 52
    assert cv2.PSNR(blurred, expected) < 47


def test_enlarged_references_are_kept_while_there_is_room() -> None:
    parts = [CropPart(detailed_frame(600, 600, seed), placement(4.0, 9, 9), 0, 0) for seed in range(8)]
    views, enlarged = [ReferenceView.of(part) for part in parts], EnlargedViews()
    first, second = (enlarged.of((view,))[0] for view in views[:2])
    assert enlarged.of((views[0],))[0] is first
    enlarged.of(tuple(views[2:]))
    assert enlarged.of((views[7],))[0] is not second
    assert enlarged.of((views[1],))[0] is not second
