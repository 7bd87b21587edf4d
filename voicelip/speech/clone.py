"""A voice from recordings at once, without a fit: stock voices mixed, at the person's pitch and pace.

The finish, which brings the speech to the colour of the recordings, does the rest.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech import finish, phonemes
from voicelip.speech.engine import Voice
from voicelip.speech.pace import syllable_rate
from voicelip.speech.pitch import pitch_of
from voicelip.speech.reference import read_reference
from voicelip.speech.voices import stock_voices

NEAREST = 4
SOFTNESS = 0.03  # in units of cosine
LEAST_WEIGHT = 0.03

# Farther than this from the stock voices' own pitch and pace they would sound unnatural.
LEAST_FACTOR, GREATEST_FACTOR = 0.65, 1.5
SLOWEST, FASTEST = 0.92, 1.08
STOCK_RATE = 4.9  # syllables per second of the stock voices
PACE_SHARE = 0.5  # of the difference in pace, for a few seconds tell a person's pace only roughly
PHRASE = "The old bridge was closed for repairs, so everyone had to take the longer road."
PITCH_CONSTANTS = ("encoder.predictor.F0_proj.weight_scale", "encoder.predictor.F0_proj.bias")


@dataclass(frozen=True)
class Likeness:
    """The part of a `Voice` that is made from measurements; fields as there."""

    mixture: tuple[tuple[str, float], ...]
    overrides: dict[str, np.ndarray] = field(default_factory=dict)
    pace: float = 1.0


def clone_voice(path: Path, progress: Progress = silent) -> Voice:
    """The voice of the person heard in a recording (or video)."""
    reference = read_reference(path, progress)
    found = one_shot(reference.embedding, reference.audio, progress)
    return Voice(
        path.stem,
        found.mixture,
        path,
        reference.embedding,
        tuple(f"{path.name} {finding.text}" for finding in reference.findings),
        overrides=found.overrides,
        pace=found.pace,
        target=finish.Target(finish.long_term_spectrum(reference.audio), pitch_of(reference.audio)),
        recordings=(path,),
    )


def one_shot(embedding: np.ndarray, audio: Audio, progress: Progress = silent) -> Likeness:
    """What can be had in seconds from a speaker's embedding and their cleaned recordings."""
    mixture = nearest_mixture(embedding)
    pitch = pitch_of(audio)
    overrides = pitched(mixture, pitch.median_hz, progress) if pitch else {}
    return Likeness(mixture, overrides, pace_of(syllable_rate(audio)))


def nearest_mixture(embedding: np.ndarray) -> tuple[tuple[str, float], ...]:
    """The nearest stock voices, weighted by how near they are.

    Weights that bring the sum of embeddings nearest (non-negative least squares) were tried: no better, and
    worse the more voices take part, because a mixed style's embedding is not the mixture of embeddings.
    Timbre pushed away from the middle of all voices raised GE2E by 0.005, but lowered the judge's cosine (an
    encoder that takes no part) by 0.02.
    """
    stock = stock_voices()
    cosines = stock.embeddings @ embedding
    near = np.argsort(-cosines)[:NEAREST]
    weights = np.exp((cosines[near] - cosines[near[0]]) / SOFTNESS)
    weights = np.where(weights < LEAST_WEIGHT, 0, weights)
    weights /= weights.sum()
    return tuple(
        (stock.names[i], float(weight)) for i, weight in zip(near, weights, strict=True) if weight > 0
    )


def pitched(
    mixture: tuple[tuple[str, float], ...], median_hz: float, progress: Progress = silent
) -> dict[str, np.ndarray]:
    """Constants of the model with which a mixture of stock voices speaks around this pitch.

    The model's last step towards a pitch curve is linear; scaling it scales the curve.
    """
    from voicelip.speech.decoder_front import FrontHalf
    from voicelip.speech.onnx_file import read_graph

    model = hub.fetch("kokoro", progress).read_bytes()
    constants = read_graph(model).initializers
    phrase = FrontHalf(model).phrase(phonemes.phonemize(PHRASE, "en-us"), stock_voices().mixture(mixture))
    factor = float(np.clip(median_hz / phrase.median_hz, LEAST_FACTOR, GREATEST_FACTOR))
    return {name: np.asarray(constants[name] * factor, np.float32) for name in PITCH_CONSTANTS}


def pace_of(syllables_per_s: float | None) -> float:
    """The factor on the speed for a person of this pace."""
    if syllables_per_s is None:
        return 1.0
    return float(np.clip((syllables_per_s / STOCK_RATE) ** PACE_SHARE, SLOWEST, FASTEST))
