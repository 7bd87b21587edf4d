"""Perth's watermark networks and the spectrogram that they see, at 8 kHz and without torch.

Perth 1.0.1, Resemble AI, MIT licence; recipes/convert_perth.py makes the two files. Its spectrogram has
1025 bins at 32 kHz, of which the networks see the first 128: those up to 2 kHz.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from voicelip import hub

RATE = 8000
_FFT, _HOP, _BANDS = 512, 80, 128
FRAMES_PER_S = RATE // _HOP
_FLOOR_DB, RANGE_DB = -180.0, 195.0  # levels are 0 at the floor and 1 at 15 dB
_SCALE = 32_000 / RATE  # a frame at Perth's rate sums up so many times more samples


def level(decibels: float) -> float:
    """What the networks see for a bin of so many dB."""
    return (decibels - _FLOOR_DB) / RANGE_DB


def spectrum(samples: np.ndarray) -> np.ndarray:
    """(N,) at 8 kHz → (128, T) complex64, bins 15.6 Hz apart, a frame every 10 ms."""
    padded = np.pad(samples, _FFT // 2, mode="reflect" if len(samples) > 1 else "constant")
    frames = sliding_window_view(padded, _FFT)[::_HOP] * _window()
    return np.fft.rfft(frames, axis=1)[:, :_BANDS].T.astype(np.complex64)


def sound(bins: np.ndarray, length: int) -> np.ndarray:
    """The inverse, by overlapping and adding: (128, T) → (length,) float32 at 8 kHz."""
    whole = np.pad(bins.T, ((0, 0), (0, _FFT // 2 + 1 - _BANDS)))
    frames = np.fft.irfft(whole, _FFT, axis=1) * _window()
    total, weight = np.zeros((len(frames) - 1) * _HOP + _FFT), np.zeros((len(frames) - 1) * _HOP + _FFT)
    for number, frame in enumerate(frames):
        place = slice(number * _HOP, number * _HOP + _FFT)
        total[place] += frame
        weight[place] += _window() ** 2
    middle = slice(_FFT // 2, _FFT // 2 + length)
    return (total[middle] / np.maximum(weight[middle], 1e-9)).astype(np.float32)


def levels(bins: np.ndarray) -> np.ndarray:
    """(128, T) → (1, 128, T) float32, as the networks take them."""
    decibels = 20 * np.log10(np.maximum(np.abs(bins) * _SCALE, 1e-9))
    return ((decibels - _FLOOR_DB) / RANGE_DB)[None].astype(np.float32)


def change(bins: np.ndarray) -> np.ndarray:
    """(128, T) → what has to be added to it for the mark."""
    gain_db = _network("mark")(levels(bins))[0] * RANGE_DB
    return bins * (10 ** (gain_db / 20) - 1)


def heard(seen: np.ndarray) -> np.ndarray:
    """What `levels` gives → (T,) float32: about 6 in marked speech, -0.25 in any other."""
    return _network("find")(seen)[0, 0]


@functools.cache
def _window() -> np.ndarray:
    return np.hanning(_FFT + 1)[:-1].astype(np.float32)


@functools.cache
def _network(name: str) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    session: Any = onnxruntime.InferenceSession(
        str(hub.pretrained(f"watermark_{name}.onnx")), options, providers=["CPUExecutionProvider"]
    )
    return lambda seen: session.run(None, {"levels": seen})[0]
