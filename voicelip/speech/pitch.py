"""The pitch of a voice: its fundamental frequency, frame by frame, and the middle and range of it.

After Boersma 1993: the autocorrelation of a windowed frame, divided by that of the window.
"""

from dataclasses import dataclass

import numpy as np

from voicelip.media import Audio

RATE = 16_000
HOP_S = 0.02
WINDOW_S = 0.045
LOWEST_HZ, HIGHEST_HZ = 60.0, 480.0
CUTOFF_HZ = 1000.0  # above it harmonics only blur where the pitch moves
VOICED = 0.55  # of the normalised autocorrelation's peak, 1 for a periodic sound
OCTAVE_COST = 0.06  # what a peak loses for each octave that it lies below the highest pitch
QUIETEST_DB = -30.0  # below the loud frames; softer ones are not asked


@dataclass(frozen=True)
class Pitch:
    """Where a voice lies: median in Hz, and the 10th and 90th percentile."""

    median_hz: float
    low_hz: float
    high_hz: float

    @property
    def range_semitones(self) -> float:
        """From low to high."""
        return float(12 * np.log2(self.high_hz / self.low_hz))


def pitch_of(audio: Audio) -> Pitch | None:
    """The voice's pitch; None if hardly anything is voiced."""
    track = pitch_track(audio.resampled(RATE).samples)
    voiced = track[track > 0]
    if len(voiced) < 10:
        return None
    low, median, high = np.percentile(voiced, [10, 50, 90])
    return Pitch(round(float(median), 2), round(float(low), 2), round(float(high), 2))


def pitch_track(samples: np.ndarray) -> np.ndarray:
    """(T,) Hz every 20 ms of sound at 16 kHz; 0 where nothing is voiced."""
    size = round(WINDOW_S * RATE)
    if len(samples) < size:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(_below(samples, CUTOFF_HZ), size)[
        :: round(HOP_S * RATE)
    ]
    loudness = np.sqrt(np.mean(frames**2, axis=1))
    track = np.zeros(len(frames))
    loud = np.flatnonzero(loudness > max(np.percentile(loudness, 95) * 10 ** (QUIETEST_DB / 20), 1e-5))
    if len(loud):
        track[loud] = _pitch_of_frames(frames[loud])
    return _without_jumps(track)


def _below(samples: np.ndarray, hz: float) -> np.ndarray:
    from scipy.signal import butter, sosfiltfilt

    result: np.ndarray = sosfiltfilt(butter(4, hz, fs=RATE, output="sos"), samples)
    return result.astype(np.float32)


def _pitch_of_frames(frames: np.ndarray) -> np.ndarray:
    """(T, N) → (T,) Hz, 0 for unvoiced ones."""
    shortest, longest = int(RATE / HIGHEST_HZ), int(RATE / LOWEST_HZ)
    likeness = _autocorrelation(frames)[:, : longest + 2]
    lags = np.arange(likeness.shape[1])
    inner = likeness[:, 1:-1]
    is_peak = (inner > likeness[:, :-2]) & (inner >= likeness[:, 2:])
    is_peak[:, : shortest - 1] = False
    cost = OCTAVE_COST * np.log2(np.maximum(lags[1:-1], 1) / shortest)
    scores = np.where(is_peak, inner - cost, -1.0)
    best = scores.argmax(axis=1) + 1
    rows = np.arange(len(frames))
    before, at, after = (likeness[rows, best + step] for step in (-1, 0, 1))
    bend = np.minimum(before - 2 * at + after, -1e-9)
    lag = best + 0.5 * (before - after) / bend
    # Without a peak there is no period, however alike a soft sound is to itself a sample later.
    return np.where(is_peak.any(axis=1) & (at > VOICED), RATE / np.maximum(lag, 1.0), 0.0)


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    """Of each frame, 1 at lag 0, freed from the window's own."""
    size = frames.shape[1]
    length = 1 << (2 * size - 1).bit_length()
    window = np.hanning(size).astype(np.float32)
    still = (frames - frames.mean(axis=1, keepdims=True)) * window
    both = np.fft.irfft(np.abs(np.fft.rfft(still, length)) ** 2)[:, :size]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, length)) ** 2)[:size]
    result: np.ndarray = both / np.maximum(both[:, :1], 1e-12) / np.maximum(own / own[0], 1e-3)
    return result


def _without_jumps(track: np.ndarray) -> np.ndarray:
    """Frames far off their voiced neighbours are octave errors or chance; they become 0."""
    padded = np.pad(track, 2)
    around = np.lib.stride_tricks.sliding_window_view(padded, 5)
    counted = np.where(around > 0, around, np.nan)
    enough = (around > 0).sum(axis=1) >= 3
    middle = np.full(len(track), np.nan)
    if enough.any():
        middle[enough] = np.nanmedian(counted[enough], axis=1)
    steady = enough & (np.abs(track / np.where(np.isfinite(middle), middle, 1) - 1) < 0.2)
    return np.where(steady, track, 0.0)
