"""Another sample rate for sound in memory."""

from math import gcd

import numpy as np

from voicelip import filters
from voicelip.errors import OptionError


def resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """(N,) float32 at `rate` Hz as (M,) float32 at `wanted` Hz, clipped to [-1, 1].

    By polyphase filtering with a Kaiser-windowed sinc (80 dB).
    """
    if wanted <= 0:
        raise OptionError(f"{wanted} Hz is no sample rate; choose for example 16000 or 48000")
    common = gcd(wanted, rate)
    up, down = wanted // common, rate // common
    widest = max(up, down)
    half_length = 32 * widest
    grid = np.arange(-half_length, half_length + 1)
    low_pass = np.sinc(0.96 / widest * grid) * np.kaiser(len(grid), 8.0)
    filtered = filters.resampled(samples, up, down, low_pass / low_pass.sum())
    return np.clip(filtered, -1, 1).astype(np.float32, copy=False)
