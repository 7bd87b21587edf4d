"""Who is speaking: GE2E speaker embeddings (Wan et al. 2018) with Resemblyzer's published weights.

The front end must equal the one the weights were trained with: 16 kHz, 25 ms Hann windows every 10 ms, 40
Slaney mel bands of power, no logarithm.
"""

import functools
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.media import Audio
from voicelip.melscale import mel_filters
from voicelip.progress import Progress, silent
from voicelip.speech import waveform

RATE = 16_000
WINDOW = 400
HOP = 160
BANDS = 40
PARTIAL_FRAMES = 160
PARTIAL_STEP = 80
LEAST_COVERED = 0.5
LEVEL_DBFS = -25.0
LONGEST_PAUSE_S = 0.18


def embed(audio: Audio, progress: Progress = silent) -> np.ndarray:
    """(256,) float32 of length 1; cosines between them compare speakers."""
    return middle(embed_windows(audio, progress))


def embed_windows(audio: Audio, progress: Progress = silent) -> np.ndarray:
    """(P, 256) float32 of length 1: one embedding for each window of 1.6 s, every 0.8 s."""
    partials = mel_partials(prepare(audio))
    import torch

    forward = network(progress)
    with torch.inference_mode():
        each: np.ndarray = forward(torch.from_numpy(partials)).numpy()
    return each


def middle(embeddings: np.ndarray) -> np.ndarray:
    """(256,) float32 of length 1: the mean direction of (P, 256)."""
    mean = embeddings.mean(axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def prepare(audio: Audio) -> np.ndarray:
    """(N,) float32 at 16 kHz, long pauses shortened, at −25 dBFS.

    The bands carry no logarithm, so the level matters: the published code only raises what is below −30 dBFS,
    but then one voice at −20 and at −30 dBFS has a cosine of 0.95 with itself. −25 is LibriSpeech's level.
    """
    samples = without_pauses(audio.resampled(RATE).samples, RATE)
    level = waveform.dbfs(samples)
    if not np.isfinite(level):
        return samples
    return samples * np.float32(10 ** ((LEVEL_DBFS - level) / 20))


def without_pauses(samples: np.ndarray, rate: int) -> np.ndarray:
    """Samples whose pauses last at most 0.18 s; a pause is 36 dB below the loud frames."""
    frame_s = 0.03
    size = round(rate * frame_s)
    levels = waveform.frame_levels(samples, rate, frame_s)
    if not levels.any():
        return samples
    is_speech = levels > np.percentile(levels, 95) * 10 ** (-36 / 20)
    reach = round(LONGEST_PAUSE_S / frame_s / 2)
    kept = np.convolve(is_speech, np.ones(2 * reach + 1), mode="same") > 0
    return samples[np.repeat(kept, size)[: len(samples)]]


def mel_partials(samples: np.ndarray) -> np.ndarray:
    """(P, 160, 40) float32: overlapping stretches of 1.6 s, the last at least half covered by sound."""
    frames = len(samples) // HOP + 1
    last = max(0, frames - int(PARTIAL_FRAMES * LEAST_COVERED))
    starts = range(0, last + 1, PARTIAL_STEP)
    needed = (starts[-1] + PARTIAL_FRAMES) * HOP
    mel = power_mel(np.pad(samples, (0, max(0, needed - len(samples)))))
    return np.stack([mel[start : start + PARTIAL_FRAMES] for start in starts])


def power_mel(samples: np.ndarray) -> np.ndarray:
    """(T, 40) float32, T = 1 + N // 160; windows are centred, zeros stand beyond the ends."""
    padded = np.pad(samples.astype(np.float32), WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    spectrum = np.fft.rfft(windows * hann.astype(np.float32), axis=1)
    return ((np.abs(spectrum) ** 2) @ mel_filters(RATE, WINDOW, BANDS, 0.0, RATE / 2).T).astype(np.float32)


def network(progress: Progress = silent) -> Any:
    """The published network as a torch function: (P, 160, 40) → (P, 256) of length 1; gradients reach the
    input.
    """
    return _network(str(hub.fetch("ge2e", progress)))


@functools.cache
def _network(path: str) -> Any:
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    lstm = torch.nn.LSTM(BANDS, 256, num_layers=3, batch_first=True)
    linear = torch.nn.Linear(256, 256)
    lstm.load_state_dict({key[5:]: value for key, value in state.items() if key.startswith("lstm.")})
    linear.load_state_dict({key[7:]: value for key, value in state.items() if key.startswith("linear.")})

    lstm.requires_grad_(False)
    linear.requires_grad_(False)

    def forward(mels: Any) -> Any:
        _, (hidden, _) = lstm(mels)
        return torch.nn.functional.normalize(torch.relu(linear(hidden[-1])), dim=1)

    return forward
