"""Filters along time, as in scipy.ndimage and scipy.signal, which take a second to load."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_REACH = 4.0  # standard deviations after which a Gaussian is cut off


def gaussian(values: np.ndarray, sigma: float) -> np.ndarray:
    """`values` (T, …) smoothed over the first axis, the ends repeated outwards; of the same dtype."""
    radius = int(_REACH * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    padded = np.pad(values, [(radius, radius)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    smooth = np.zeros(values.shape)
    for start, weight in enumerate(weights):
        smooth += weight * padded[start : start + len(values)]
    return smooth.astype(values.dtype)


def median(values: np.ndarray, size: int) -> np.ndarray:
    """(T,) the median of `size` values, an odd number, around each; the ends repeated outwards."""
    return np.median(_windows(values, size, "edge"), axis=1)


def maximum(values: np.ndarray, size: int) -> np.ndarray:
    """(T,) the largest of `size` values, an odd number, around each; zeros beyond the ends."""
    return _windows(values, size, "constant").max(axis=1)


def _windows(values: np.ndarray, size: int, mode: str) -> np.ndarray:
    return sliding_window_view(np.pad(values, size // 2, mode=mode), size)  # type: ignore[call-overload]


def resampled(samples: np.ndarray, up: int, down: int, low_pass: np.ndarray) -> np.ndarray:
    """(N,) at `up` / `down` times the rate: (ceil(N up / down),) float64.

    Zeros are put between the samples, the filter `low_pass`, of odd length and centred, is run over them, and
    every `down`-th value is kept; of all this only the products that are not zero are made.
    """
    count = -(-len(samples) * up // down)
    taps = -(-len(low_pass) // up)
    branches = np.zeros(taps * up)
    branches[: len(low_pass)] = low_pass * up
    branches = branches.reshape(taps, up)[::-1]
    # Output n looks back from position n · down + half the filter on the grid with the zeros in.
    positions = np.arange(min(up, count)) * down + len(low_pass) // 2
    rounds = -(-count // up)
    length = int(positions[-1]) // up + (rounds - 1) * down + 1
    padded = np.pad(samples, (taps - 1, max(0, length - len(samples))))
    windows = sliding_window_view(padded, taps)
    result = np.empty((rounds, len(positions)))
    for phase, position in enumerate(positions):
        heard = windows[position // up :: down][:rounds]
        result[:, phase] = np.einsum("tk,k->t", heard, branches[:, position % up])  # copies no windows
    return result.ravel()[:count]
