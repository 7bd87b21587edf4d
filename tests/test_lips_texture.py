"""A new mouth is as sharp and as grainy as the face around it."""

import cv2
import numpy as np
import pytest

from voicelip.face.crop import CropPart
from voicelip.lips.texture import Detail, Texture, grain, skin_above

MASK = np.zeros((96, 96), np.float32)
MASK[30:80, 20:76] = 1
TWICE = np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])  # crop px to footage px


def part(image: np.ndarray) -> CropPart:
    return CropPart(image, TWICE, 0, 0)


def skin_like(seed: int = 0) -> np.ndarray:
    rough = np.random.default_rng(seed).normal(0, 150, (192, 192, 3))
    return np.clip(140 + cv2.GaussianBlur(rough, (0, 0), 1.5), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_a_blurred_frame_asks_for_as_much_blur(sigma: float) -> None:
    detail = Detail.of(part(skin_like()), MASK)
    blurred = cv2.GaussianBlur(skin_like(), (0, 0), sigma)
    assert detail.blur_px(skin_above(part(blurred), MASK)) == pytest.approx(sigma, rel=0.3)


def test_a_frame_as_sharp_as_the_reference_asks_for_none() -> None:
    detail = Detail.of(part(skin_like()), MASK)
    assert detail.blur_px(skin_above(part(skin_like(1)), MASK)) == 0


@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_grain_is_measured_beside_texture_and_given_to_what_is_painted(sigma: float) -> None:
    smooth = cv2.GaussianBlur(skin_like(), (0, 0), 3)
    noise = np.random.default_rng(2).normal(0, sigma, smooth.shape[:2])[..., None]
    grainy = np.clip(smooth + noise, 0, 255).astype(np.uint8)
    assert grain(skin_above(part(smooth), MASK)) == 0
    measured = grain(skin_above(part(grainy), MASK))
    assert measured == pytest.approx(sigma, rel=0.15)
    painted = np.zeros((60, 80), np.float32)
    painted[:, 40:] = 1
    given = Texture(grain=measured, seed=5).give(np.full((60, 80, 3), 100, np.float32), painted)
    assert given[:, :40].std() == 0
    assert given[:, 40:].std() == pytest.approx(measured, rel=0.1)


def test_grain_changes_from_frame_to_frame_and_comes_again_with_the_seed() -> None:
    plain, painted = np.zeros((20, 20, 3), np.float32), np.ones((20, 20), np.float32)
    first, again, other = (Texture(grain=4.0, seed=seed).give(plain, painted) for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).all()


def test_a_face_cut_off_by_the_edge_of_the_picture_asks_for_nothing() -> None:
    outside = CropPart(skin_like(), np.array([[2.0, 0, 0.5], [0, 2.0, -300.0]]), 0, 0)
    skin = skin_above(outside, MASK)
    assert grain(skin) == 0
    assert Detail.of(outside, MASK).blur_px(skin) == 0
