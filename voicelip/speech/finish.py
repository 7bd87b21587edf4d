"""The last touch on synthesised speech: its long-term spectrum brought to that of the reference.

What is left to correct is the colour of microphone and vocal tract that a style cannot express. The
difference of the smoothed spectra, bounded, becomes one linear-phase filter for the whole text.
"""

from dataclasses import dataclass

import numpy as np

from voicelip.media import Audio
from voicelip.speech import waveform
from voicelip.speech.measures import FRAME_S, speech_frames
from voicelip.speech.pitch import Pitch

RATE = 16_000
LOWEST_HZ, HIGHEST_HZ, BANDS = 90.0, 7600.0, 32
LARGEST_DB = 12.0
TAPS = 511
PEAK = 0.95
TRUSTED_S = 3.0  # of speech, for the spectrum of a text to be half known
SILENT_DB = -55.0  # below the strongest band: above a telephone's band there is nothing to match


def _mel(hz: float | np.ndarray) -> float | np.ndarray:
    return 2595 * np.log10(1 + np.asarray(hz) / 700)


_EDGES = 700 * (10 ** (np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2) / 2595) - 1)
BANDS_HZ = _EDGES[1:-1]


@dataclass(frozen=True)
class Target:
    """What finished speech should measure: `spectrum` ((32,) dB at `BANDS_HZ`, mean 0) and pitch."""

    spectrum: np.ndarray
    pitch: Pitch | None = None
    is_fitted: bool = False


def long_term_spectrum(audio: Audio) -> np.ndarray:
    """(32,) float32 dB, mean 0: power of the speech frames in overlapping mel bands."""
    sound = audio.resampled(RATE).samples
    size = round(2 * FRAME_S * RATE)
    hop = size // 2
    if len(sound) < size:
        return np.zeros(BANDS, np.float32)
    levels = waveform.frame_levels(sound, RATE, FRAME_S)
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    spoken = speech_frames(levels)[: len(frames)]
    if not spoken.any():
        return np.zeros(BANDS, np.float32)
    power = np.mean(
        np.abs(np.fft.rfft(frames[: len(spoken)][spoken] * np.hanning(size), axis=1)) ** 2, axis=0
    )
    decibels = 10 * np.log10(np.maximum(_band_weights(size) @ power, 1e-12))
    return (decibels - decibels.mean()).astype(np.float32)


def finished(audio: Audio, target: Target) -> Audio:
    """`audio` with the target's colour, at the loudness that it had."""
    gains = correction_db(audio, target.spectrum)
    filtered = _filtered(audio, gains)
    before, after = waveform.dbfs(audio.samples), waveform.dbfs(filtered)
    if not (np.isfinite(before) and np.isfinite(after)):
        return audio
    louder = 10 ** ((before - after) / 20)
    peak = float(np.abs(filtered).max()) * louder
    return Audio((filtered * louder * min(1.0, PEAK / peak)).astype(np.float32), audio.sample_rate)


def correction_db(audio: Audio, wanted: np.ndarray) -> np.ndarray:
    """(32,) dB to add in each band, within ±12; less for a short text, whose own spectrum is chance."""
    difference = wanted - long_term_spectrum(audio)
    audible = wanted > wanted.max() + SILENT_DB
    if not audible.any():
        return np.zeros(BANDS)
    last = np.flatnonzero(audible)[-1]
    difference[last + 1 :] = difference[last]
    return bounded(difference, trust=audio.duration_s / (audio.duration_s + TRUSTED_S))


def bounded(difference_db: np.ndarray, trust: float = 1.0) -> np.ndarray:
    """(32,) dB: a difference of spectra as it is corrected, smooth, of mean 0, within ±12."""
    smooth = np.convolve(np.pad(difference_db, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    result: np.ndarray = np.clip((smooth - smooth.mean()) * trust, -LARGEST_DB, LARGEST_DB)
    return result


def _filtered(audio: Audio, gains_db: np.ndarray) -> np.ndarray:
    from scipy.signal import fftconvolve, firwin2

    nyquist = audio.sample_rate / 2
    inner = nyquist > BANDS_HZ
    hz = np.concatenate([[0.0], BANDS_HZ[inner], [nyquist]])
    decibels = np.concatenate([[gains_db[0]], gains_db[inner], [gains_db[inner][-1]]])
    taps = firwin2(TAPS, hz / nyquist, 10 ** (decibels / 20))
    result: np.ndarray = fftconvolve(audio.samples, taps, mode="same")
    return result


def _band_weights(size: int) -> np.ndarray:
    """(32, size // 2 + 1): triangles on the mel scale, each of area 1."""
    hz = np.fft.rfftfreq(size, 1 / RATE)
    left, middle, right = (_EDGES[i : i + BANDS, None] for i in range(3))
    rising, falling = (hz - left) / (middle - left), (right - hz) / (right - middle)
    weights = np.maximum(0, np.minimum(rising, falling))
    result: np.ndarray = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return result
