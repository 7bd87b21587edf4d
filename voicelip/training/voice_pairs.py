"""Invented voices and how the speaker encoder hears them: what the voice mapper learns from.

Styles of the stock voices are mixed and led beyond them, timbre and prosody apart; each invented voice says
a stretch of a phrase at a pitch of chance. Shards are written as they are full, so that a run can be stopped.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.speech import encoder, fit_phrases, fit_target
from voicelip.speech.decoder import STYLE
from voicelip.speech.decoder_front import FrontHalf, Phrase
from voicelip.speech.fit import spoken_phrase
from voicelip.speech.mapper import length_curve
from voicelip.speech.voices import stock_voices

SHARD = 20  # voices in a file
STRETCH = 88  # frames of 25 ms that a voice is heard for
FRAMES = 208  # mel frames of 10 ms that are kept of it
FLOOR_DB = -80.0  # mel values are kept as half decibels above it, in a byte
MOST_MIXED = 4
OCTAVES = 0.3  # farthest that the pitch is moved
BEYOND = (0.7, 1.7)  # of a mixture's distance from the middle of all voices


@dataclass(frozen=True)
class Pairs:
    """Invented voices; arrays run along them."""

    styles: np.ndarray  # (N, 256) float32, without the curve that a phrase's length adds
    mels: np.ndarray  # (N, 208, 40) float32 power, as the speaker encoder takes it
    pitches: np.ndarray  # (N,) Hz, the median of what was said


def invented_style(rng: np.random.Generator) -> np.ndarray:
    """(256,) float32: timbre and prosody each a mixture of stock voices, led on, and stirred a little."""
    means = stock_voices().means
    middle = means.mean(axis=0)
    found = np.empty(means.shape[1], np.float32)
    for half in (slice(0, STYLE), slice(STYLE, None)):
        chosen = rng.choice(len(means), rng.integers(1, MOST_MIXED + 1), replace=False)
        weights = rng.dirichlet(np.full(len(chosen), 1.5))
        mixed = weights @ means[chosen][:, half]
        stirring = rng.standard_normal(len(means)) @ (means - middle)[:, half] / np.sqrt(len(means))
        found[half] = middle[half] + rng.uniform(*BEYOND) * (mixed - middle[half]) + 0.2 * stirring
    return found


class Studio:
    """Where invented voices are heard: the decoder in PyTorch, since its pitch can be moved freely."""

    def __init__(self) -> None:
        import torch

        from voicelip.speech.decoder import build_decoder, quickest_dtype
        from voicelip.speech.decoder_weights import decoder_weights
        from voicelip.speech.onnx_file import read_graph

        model = hub.fetch("kokoro").read_bytes()
        self._weights = decoder_weights(read_graph(model))
        self._front = FrontHalf(model)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._decoder = build_decoder(self._weights, quickest_dtype(self._device)).to(self._device)

    def heard(self, style: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """What the encoder takes of a (256,) style, (208, 40), and the median pitch in Hz."""
        text = fit_phrases.TRAINING[int(rng.integers(len(fit_phrases.TRAINING)))]
        phrase, row = spoken_phrase(self._front, *text, style + length_curve())
        factor = 2 ** rng.uniform(-OCTAVES, OCTAVES)
        wave = self._wave(phrase, row, np.float32(factor), rng)
        return _as_encoder_hears(wave), phrase.median_hz * factor

    def _wave(
        self, phrase: Phrase, row: np.ndarray, factor: np.float32, rng: np.random.Generator
    ) -> np.ndarray:
        import torch

        from voicelip.speech.decoder_source import source_spectrum

        frames = phrase.text.shape[1]
        start = int(rng.integers(max(1, frames - STRETCH + 1)))
        end = min(frames, start + STRETCH)
        pitch = phrase.pitch[2 * start : 2 * end] * factor
        mix = [self._weights[f"generator.m_source.l_linear.{part}"] for part in ("weight", "bias")]
        parts = [
            phrase.text[:, start:end], pitch, phrase.energy[2 * start : 2 * end], row[:STYLE],
            source_spectrum(pitch, *mix),
        ]  # fmt: skip
        with torch.inference_mode():
            inputs = [torch.from_numpy(np.ascontiguousarray(part)).float().to(self._device) for part in parts]
            wave: np.ndarray = self._decoder(*inputs).cpu().numpy()
        return wave


def _as_encoder_hears(wave: np.ndarray) -> np.ndarray:
    from voicelip.media import Audio

    mel = encoder.power_mel(encoder.prepare(Audio(wave, fit_target.RATE)))
    return np.pad(mel, ((0, max(0, FRAMES - len(mel))), (0, 0)), mode="wrap")[:FRAMES]


def generate(folder: Path, voices: int, told: Callable[[int], None] = lambda done: None) -> None:
    """Write shards until there are so many voices; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    studio: Studio | None = None
    for number in range(-(-voices // SHARD)):
        path = folder / f"{number:04}.npz"
        if not path.exists():
            studio = studio or Studio()
            _write_shard(path, studio, number)
        told((number + 1) * SHARD)


def _write_shard(path: Path, studio: Studio, number: int) -> None:
    rng = np.random.default_rng(number)
    styles = np.stack([invented_style(rng) for _ in range(SHARD)])
    heard = [studio.heard(style, rng) for style in styles]
    decibels = 10 * np.log10(np.maximum(np.stack([mel for mel, _ in heard]), 1e-12)) - FLOOR_DB
    temporary = path.with_suffix(".part.npz")
    np.savez_compressed(
        temporary,
        styles=styles,
        mels=np.clip(np.round(2 * decibels), 0, 255).astype(np.uint8),
        pitches=np.array([hz for _, hz in heard], np.float32),
    )
    os.replace(temporary, path)


def read_pairs(folder: Path) -> Pairs:
    """All shards of a folder."""
    shards = [np.load(path, allow_pickle=False) for path in sorted(folder.glob("[0-9]*[0-9].npz"))]
    styles, mels, pitches = (
        np.concatenate([shard[key] for shard in shards]) for key in ("styles", "mels", "pitches")
    )
    return Pairs(styles, 10 ** ((mels.astype(np.float32) / 2 + FLOOR_DB) / 10), pitches)
