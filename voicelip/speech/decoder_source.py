"""The decoder's harmonic source: sines that follow the pitch (neural source filter, Wang et al. 2019)."""

import numpy as np

RATE = 24_000
SAMPLES_PER_VALUE = 300
HARMONICS = 9
AMPLITUDE = 0.1
UNVOICED_BELOW_HZ = 10.0
N_FFT, HOP = 20, 5


def source_spectrum(pitch: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(22, 60·K + 1) float32: magnitudes and phases of the source of K pitch values (80 a second, Hz, 0 = no
    voice).

    `weight` (1, 9) and `bias` (1,) mix the sines into one. No phase or noise is random, as in the ONNX file.
    """
    wave = np.tanh(_sines(pitch) @ weight.T + bias)[:, 0]
    padded = np.pad(wave, N_FFT // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP] * window
    spectrum = np.fft.rfft(frames.astype(np.float32), axis=1).T
    return np.concatenate([np.abs(spectrum), np.angle(spectrum)]).astype(np.float32)


def _sines(pitch: np.ndarray) -> np.ndarray:
    """(300·K, 9): each harmonic's phase is summed at 80 Hz and drawn straight between."""
    cycles = (pitch.astype(np.float64)[:, None] * np.arange(1, HARMONICS + 1) / RATE) % 1
    phase = 2 * np.pi * np.cumsum(cycles, axis=0) * SAMPLES_PER_VALUE
    places = (np.arange(len(pitch) * SAMPLES_PER_VALUE) + 0.5) / SAMPLES_PER_VALUE - 0.5
    drawn = np.stack([np.interp(places, np.arange(len(pitch)), column) for column in phase.T], axis=1)
    voiced = np.repeat(pitch > UNVOICED_BELOW_HZ, SAMPLES_PER_VALUE)[:, None]
    return AMPLITUDE * np.sin(drawn) * voiced
