"""The mel spectrogram of the field, one implementation for training and inference.

Parameters as published with Wav2Lip (Prajwal et al., 2020): 16 kHz, pre-emphasis 0.97, 800-sample Hann
window, hop 200 (80 columns a second), 80 Slaney mels from 55 to 7600 Hz, decibels mapped from [-100, 0] to
[-4, 4].
"""

from fractions import Fraction

import numpy as np

from voicelip.melscale import mel_filters

SAMPLE_RATE = 16_000
HOP = 200
COLUMNS_PER_S = SAMPLE_RATE // HOP
MEL_BANDS = 80
SILENCE = -4.0  # the value of a column without sound

_WINDOW = 800
_PRE_EMPHASIS = 0.97
_LOW_HZ, _HIGH_HZ = 55.0, 7600.0
_CHUNK_COLUMNS = 512  # keeps the memory of an hour's spectrogram to that of some seconds'


def mel_spectrogram(samples: np.ndarray) -> np.ndarray:
    """`samples` (N,) float, 16 kHz, in [-1, 1] → (80, N // 200 + 1) float32 in [-4, 4].

    Raises ValueError for sound shorter than one window or not finite.
    """
    if len(samples) <= _WINDOW // 2:
        raise ValueError(f"sound of {len(samples)} samples is shorter than one mel window")
    if not np.isfinite(samples).all():
        raise ValueError("the sound holds values that are not finite")
    samples = np.asarray(samples, np.float32)
    emphasised = np.append(samples[:1], samples[1:] - _PRE_EMPHASIS * samples[:-1])
    padded = np.pad(emphasised, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    filters = mel_filters(SAMPLE_RATE, _WINDOW, MEL_BANDS, _LOW_HZ, _HIGH_HZ)
    mel = np.empty((MEL_BANDS, len(frames)), np.float32)
    for start in range(0, len(frames), _CHUNK_COLUMNS):
        part = slice(start, start + _CHUNK_COLUMNS)
        magnitude = np.abs(np.fft.rfft(frames[part] * window, axis=1)).astype(np.float32)
        mel[:, part] = filters @ magnitude.T
    decibels = 20 * np.log10(np.maximum(1e-5, mel)) - 20
    return np.clip(8 * (decibels + 100) / 100 - 4, -4, 4).astype(np.float32)


def frame_windows(
    mel: np.ndarray, frames: int, fps: Fraction | float, columns: int, first: int = 0
) -> np.ndarray:
    """Windows of `columns` centred on the middle of each video frame from `first` on: (80, M) → (frames, 80,
    columns); silence beyond the ends.
    """
    middles = (first + np.arange(frames) + 0.5) * (COLUMNS_PER_S / float(fps))
    starts = np.round(middles).astype(np.int64) - columns // 2
    missing = max(0, int(starts[-1]) + columns - mel.shape[1]) if frames else 0
    padded = np.pad(mel, ((0, 0), (columns, missing)), constant_values=SILENCE)
    index = (starts + columns)[:, None] + np.arange(columns)
    return padded[:, index].transpose(1, 0, 2)


def published_starts(columns: int, fps: Fraction | float, window: int = 16) -> np.ndarray:
    """First mel column of each frame's window as published Wav2Lip inference takes them; the last window is
    the final columns.
    """
    step = COLUMNS_PER_S / float(fps)
    starts: list[int] = []
    while (start := int(len(starts) * step)) + window <= columns:
        starts.append(start)
    starts.append(columns - window)
    return np.array(starts)
