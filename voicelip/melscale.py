"""Mel filters on Slaney's scale (Auditory Toolbox, 1998), shared by the speaker encoder and the lips'
spectrogram.
"""

from functools import lru_cache

import numpy as np

_LINEAR_HZ_PER_MEL = 200 / 3  # linear to 1 kHz, logarithmic above
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27


@lru_cache
def mel_filters(sample_rate: int, n_fft: int, bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """(bands, n_fft // 2 + 1) float32 triangles of unit area."""
    edges = _mel_to_hz(np.linspace(_hz_to_mel(low_hz), _hz_to_mel(high_hz), bands + 2))
    bins = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    filters: np.ndarray = (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return filters


def _hz_to_mel(hz: float) -> float:
    return hz / _LINEAR_HZ_PER_MEL if hz < _KNEE_HZ else _KNEE_MEL + float(np.log(hz / _KNEE_HZ)) / _LOG_STEP


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    return np.where(
        mel < _KNEE_MEL, mel * _LINEAR_HZ_PER_MEL, _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    )
