"""Speech at a common loudness: −16 LUFS by ITU-R BS.1770-4, true peak at most −1 dBTP.

Loudness alone decides the gain; peaks that it lifts too high are turned down for the few milliseconds they
last, so that one loud syllable does not make the rest quieter.
"""

import warnings

import numpy as np

from voicelip.speech import waveform

LUFS = -16.0
TRUE_PEAK_DB = -1.0
BLOCK_S = 0.4  # what the standard measures over; a shorter sound is one block
LOOK_S = 0.005
OVERSAMPLED = 4
_MARGIN = 0.98  # of the peak: what oversampling by four may miss


def load() -> None:
    """Import what measures loudness, half a second's work, at a time of the caller's choice."""
    import pyloudnorm  # noqa: F401
    import scipy.signal  # noqa: F401


def levelled(samples: np.ndarray, rate: int, lufs: float = LUFS) -> np.ndarray:
    """(N,) float32 speech at `lufs`; silence stays silence."""
    factor = gain(samples, rate, lufs)
    louder = apply(samples, rate, factor)
    # Where peaks were held, a little loudness went with them.
    return apply(samples, rate, factor * gain(louder, rate, lufs))


def gain(samples: np.ndarray, rate: int, lufs: float = LUFS) -> float:
    """The factor that brings speech to `lufs`; 1 for silence."""
    loud = loudness(samples, rate)
    return float(10 ** ((lufs - loud) / 20)) if np.isfinite(loud) else 1.0


def apply(samples: np.ndarray, rate: int, factor: float) -> np.ndarray:
    """Speech made louder by a factor, its peaks held below −1 dBTP."""
    return limited((samples * np.float32(factor)).astype(np.float32), rate)


def loudness(samples: np.ndarray, rate: int) -> float:
    """Integrated loudness in LUFS; −inf for silence. The pauses around a short sound do not count."""
    start, end = waveform.speech_span(samples, rate, below_loudest_db=60.0)
    if end == start:
        return -np.inf
    if len(samples) < BLOCK_S * rate:
        samples = samples[start:end]
    import pyloudnorm

    block_s = min(BLOCK_S, len(samples) / rate)
    meter = pyloudnorm.Meter(rate, block_size=block_s)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of blocks that are silent
        return float(meter.integrated_loudness(samples.astype(np.float64)))


def true_peak(samples: np.ndarray) -> float:
    """The highest level between samples too (BS.1770-4, annex 2), as a share of full scale."""
    return float(between(samples).max(initial=0.0))


def limited(samples: np.ndarray, rate: int, ceiling_db: float = TRUE_PEAK_DB) -> np.ndarray:
    """Samples whose true peak is at most the ceiling: a gain that looks ahead and moves smoothly."""
    gains = held_down(between(samples), rate, ceiling_db)
    return samples if gains is None else (samples * gains).astype(np.float32)


def held_down(peaks: np.ndarray, rate: int, ceiling_db: float = TRUE_PEAK_DB) -> np.ndarray | None:
    """(N,) the gains that keep levels, (N,) as of `between`, below the ceiling; None where none is needed."""
    ceiling = 10 ** (ceiling_db / 20) * _MARGIN
    if peaks.max(initial=0.0) <= ceiling:
        return None
    from scipy.ndimage import minimum_filter1d

    reach = max(1, round(LOOK_S * rate))
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    held = minimum_filter1d(needed, 2 * reach + 1, mode="nearest")
    window = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(np.pad(held, reach, mode="edge"), window / window.sum(), mode="valid")


def between(samples: np.ndarray) -> np.ndarray:
    """(N,) the highest absolute level from each sample up to the next."""
    from scipy.signal import resample_poly

    if not len(samples):
        return np.zeros(0)
    fine = np.abs(resample_poly(samples.astype(np.float64), OVERSAMPLED, 1))
    return np.maximum(fine.reshape(-1, OVERSAMPLED).max(axis=1), np.abs(samples))
