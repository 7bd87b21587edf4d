"""Sound as other microphones and voices would give it, on mel spectrograms."""

import numpy as np

from voicelip.lips.mel import SILENCE


def augment_sound(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gain, spectral tilt, shifted bands, masked bands and added noise, each within what microphones and
    voices differ by.
    """
    bands = np.arange(80)
    decibels = (mel + 4) * 12.5 - 80
    decibels = decibels + rng.uniform(-15, 15) + rng.uniform(-10, 10) * (bands[:, None] / 40 - 1)
    shift = rng.uniform(-6, 6)
    decibels = interpolate(decibels.T, bands + shift).T
    power = 10 ** (decibels / 10)
    if rng.random() < 0.7:
        floor = rng.uniform(-75, -25) + rng.uniform(-15, 15) * (bands / 40 - 1)
        power = power + (10 ** (floor / 10))[:, None] * rng.exponential(1.0, power.shape)
    noisy = np.clip((10 * np.log10(np.maximum(power, 1e-12)) + 80) / 12.5 - 4, -4, 4)
    if rng.random() < 0.3:
        first, width = rng.integers(0, 80), rng.integers(2, 12)
        noisy[first : first + width] = SILENCE
    return noisy.astype(np.float32)


def interpolate(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Linear interpolation of (R, N) rows at positions (P,), ends held → (R, P)."""
    at = np.clip(at, 0, rows.shape[1] - 1)
    low = np.minimum(at.astype(np.int64), rows.shape[1] - 2)
    part = (at - low).astype(np.float32)
    return rows[:, low] * (1 - part) + rows[:, low + 1] * part
