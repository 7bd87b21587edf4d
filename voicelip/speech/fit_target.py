"""What a fit aims at: how the references sound, as numbers, and the same measured of synthesised sound by
torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from voicelip.media import Audio
from voicelip.melscale import mel_filters
from voicelip.speech import campplus, encoder, waveform
from voicelip.speech.pitch import pitch_of

RATE = 24_000
# 25 ms and 10 ms as the speaker encoder has them; at 24 kHz the bins lie where they do at 16 kHz.
GE2E_WINDOW, GE2E_HOP = encoder.WINDOW * 3 // 2, encoder.HOP * 3 // 2
PARTIAL_STEP = 20

WINDOW, HOP, BANDS = 1024, 300, 80  # two columns for each of the decoder's frames
LOWEST_HZ, HIGHEST_HZ = 0.0, 7600.0
FLOOR = 1e-4
SPEECH_BELOW_LOUD_DB = 36.0


@dataclass(frozen=True)
class Target:
    """The speaker, as the references show them."""

    windows: np.ndarray  # (P, 256) GE2E of stretches of 1.6 s
    centroid: np.ndarray  # (256,) their middle, length 1
    campplus: np.ndarray  # (192,) the middle of the references' CAM++ embeddings, length 1
    mel_mean: np.ndarray  # (80,) log mel over speech
    mel_spread: np.ndarray  # (80,) its standard deviation
    median_hz: float | None


def target_of(references: Sequence[Audio]) -> Target:
    """Measure the references."""
    windows = np.concatenate([encoder.embed_windows(audio) for audio in references])
    mels = []
    with torch.inference_mode():
        for audio in references:
            samples = encoder.without_pauses(audio.resampled(RATE).samples, RATE)
            mels.append(log_mel(torch.from_numpy(np.ascontiguousarray(samples))))
    mean, spread = speech_statistics(torch.cat([mel[:, speech_mask(mel)] for mel in mels], dim=1))
    joined = Audio(np.concatenate([audio.resampled(RATE).samples for audio in references]), RATE)
    pitch = pitch_of(joined)
    median_hz = pitch.median_hz if pitch else None
    second = encoder.middle(np.stack([campplus.embed(audio) for audio in references]))
    return Target(windows, encoder.middle(windows), second, mean.numpy(), spread.numpy(), median_hz)


def levelled(wave: Tensor) -> Tensor:
    """(N,) at the level that the speaker encoder is given."""
    level = wave.detach().square().mean().sqrt().clamp_min(1e-6)
    return wave * (10 ** (encoder.LEVEL_DBFS / 20) / level)


def as_encoders_hear(wave: Tensor) -> Tensor:
    """(N,) without long pauses, at the encoders' level."""
    return levelled(wave[loud_samples(wave)])


def ge2e_windows(prepared: Tensor, network: Any) -> Tensor:
    """(N,) at 24 kHz, as `as_encoders_hear` leaves it → (P, 256): embeddings of its stretches of 1.6 s."""
    window = torch.hann_window(GE2E_WINDOW, device=prepared.device)
    spectrum = torch.stft(
        prepared, GE2E_WINDOW, GE2E_HOP, window=window, return_complex=True, pad_mode="constant"
    )
    power = (spectrum.real.square() + spectrum.imag.square())[: encoder.WINDOW // 2 + 1]
    scale = (encoder.WINDOW / GE2E_WINDOW) ** 2
    filters = torch.from_numpy(
        mel_filters(encoder.RATE, encoder.WINDOW, encoder.BANDS, 0.0, encoder.RATE / 2)
    )
    mel = (filters.float().to(power) @ power * scale).T
    frames = encoder.PARTIAL_FRAMES
    if len(mel) < frames:
        mel = torch.nn.functional.pad(mel, (0, 0, 0, frames - len(mel)))
    partials = mel.unfold(0, frames, PARTIAL_STEP).transpose(1, 2)
    return network(partials.cpu())


def loud_samples(wave: Tensor) -> Tensor:
    """(N,) bool: all but long pauses, chosen as the speaker encoder's front end chooses."""
    samples = wave.detach().cpu().numpy()
    levels = waveform.frame_levels(samples, RATE, 0.03)
    is_speech = levels > np.percentile(levels, 95) * 10 ** (-SPEECH_BELOW_LOUD_DB / 20)
    reach = round(encoder.LONGEST_PAUSE_S / 0.03 / 2)
    kept = np.convolve(is_speech, np.ones(2 * reach + 1), mode="same") > 0
    return torch.from_numpy(np.repeat(kept, round(RATE * 0.03))[: len(samples)]).to(wave.device)


def log_mel(wave: Tensor) -> Tensor:
    """(N,) at 24 kHz → (80, F) natural logarithm, at the encoder's level."""
    window = torch.hann_window(WINDOW, device=wave.device)
    spectrum = torch.stft(levelled(wave), WINDOW, HOP, window=window, return_complex=True)
    filters = torch.from_numpy(mel_filters(RATE, WINDOW, BANDS, LOWEST_HZ, HIGHEST_HZ)).float()
    magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()
    return torch.log(filters.to(magnitude) @ magnitude + FLOOR)


def speech_mask(mel: Tensor) -> Tensor:
    """(F,) bool: frames not far below the loud ones."""
    level = mel.detach().mean(dim=0)
    return level > torch.quantile(level, 0.95) - 4.0


def speech_statistics(mel: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the frames of (80, F)."""
    return mel.mean(dim=1), mel.std(dim=1)
