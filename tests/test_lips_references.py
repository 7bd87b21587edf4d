"""Which frames of a clip serve as references, and how far its speaker moves the mouth."""

import cv2
import numpy as np
import pytest
from face_samples import mouth

from voicelip.lips.motion import MOTION_POINTS
from voicelip.lips.reach import prediction_gain
from voicelip.lips.references import crisp, nearest_shape, openings


def shapes(gaps: list[float]) -> np.ndarray:
    return np.stack([mouth(gap) for gap in gaps])[:, MOTION_POINTS]


def test_openings_part_where_the_lips_meet() -> None:
    gap = np.abs(np.sin(np.arange(40) / 40 * 4 * np.pi)) * 8  # four openings of ten frames
    numbers = openings(gap)
    assert numbers.max() == 3
    changes = np.flatnonzero(np.diff(numbers)) + 1
    assert (gap[changes] < 0.5).all()


def test_a_steady_mouth_is_one_opening() -> None:
    assert set(openings(np.full(20, 3.0))) == {0}
    assert openings(np.array([1.0])).tolist() == [0]


def test_the_reference_nearest_in_shape_is_taken_and_wide_frames_count_most() -> None:
    shown = shapes([2.0, 6.0, 10.0])
    assert nearest_shape(shapes([5.5]), shown) == 1
    assert nearest_shape(shapes([1.0, 1.0, 10.0]), shown) == 2


def test_blurred_views_are_left_out() -> None:
    rng = np.random.default_rng(0)
    sharp = rng.random((96, 96, 3), np.float32)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2)
    assert crisp([sharp, blurred, sharp], shapes([4.0] * 3)).tolist() == [True, False, True]


def test_what_is_predicted_too_small_is_raised_to_the_speakers_own_reach() -> None:
    real = np.abs(np.sin(np.arange(100) / 5)) * 6
    rng = np.random.default_rng(0)
    assert prediction_gain(0.7 * real, real) == pytest.approx(1 / 0.7)
    assert prediction_gain(rng.random(100), real) == 1  # another sound: nothing to go by
    assert prediction_gain(0.1 * real, real) == 1.6
    assert prediction_gain(0.7 * real[:20], real[:20]) == 1
