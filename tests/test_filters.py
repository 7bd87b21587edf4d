"""The filters are those of scipy, which would take a second to load."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage, signal

from voicelip import filters


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((57, 5, 2)).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5, 20.0])
def test_gaussian(noise: np.ndarray, sigma: float) -> None:
    expected = ndimage.gaussian_filter1d(noise, sigma, axis=0, mode="nearest")
    assert filters.gaussian(noise, sigma).dtype == noise.dtype
    assert np.abs(filters.gaussian(noise, sigma) - expected).max() < 1e-6


@pytest.mark.parametrize("size", [1, 5, 7])
def test_median_and_maximum(noise: np.ndarray, size: int) -> None:
    values = noise[:, 0, 0]
    assert np.array_equal(filters.median(values, size), ndimage.median_filter(values, size, mode="nearest"))
    assert np.array_equal(
        filters.maximum(values, size), ndimage.maximum_filter1d(values, size, mode="constant")
    )
    grown = filters.maximum(values > 1.5, 5)
    assert np.array_equal(grown, ndimage.binary_dilation(values > 1.5, iterations=2))


@pytest.mark.parametrize(("up", "down"), [(160, 441), (2, 1), (1, 3), (147, 160), (3, 2)])
@pytest.mark.parametrize("length", [1, 7, 1000, 4411])
def test_resampled(up: int, down: int, length: int) -> None:
    samples = np.random.default_rng(1).standard_normal(length).astype(np.float32)
    low_pass = signal.firwin(2 * 32 * max(up, down) + 1, 0.96 / max(up, down), window=("kaiser", 8.0))
    expected = signal.resample_poly(samples.astype(np.float64), up, down, window=low_pass)
    assert np.abs(filters.resampled(samples, up, down, low_pass) - expected).max() < 1e-6


def test_lipsync_loads_neither_scipy_nor_torch() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, voicelip.pipeline, voicelip.lips.embedded; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "voicelip.lips.compositor" in loaded
    assert not {"scipy", "torch", "librosa"} & set(loaded)
