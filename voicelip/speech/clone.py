"""A voice from one recording at once, without a profile and without a fit."""

from pathlib import Path

import numpy as np

from voicelip.progress import Progress, silent
from voicelip.speech import finish
from voicelip.speech.engine import Voice
from voicelip.speech.pitch import pitch_of
from voicelip.speech.reference import read_reference
from voicelip.speech.voices import stock_voices

NEAREST = 4
SOFTNESS = 0.03  # in units of cosine
LEAST_WEIGHT = 0.03


def clone_voice(path: Path, progress: Progress = silent) -> Voice:
    """The voice of the person heard in a recording (or video)."""
    reference = read_reference(path, progress)
    target = finish.Target(finish.long_term_spectrum(reference.audio), pitch_of(reference.audio))
    return Voice(
        path.stem,
        nearest_mixture(reference.embedding),
        path,
        reference.embedding,
        tuple(f"{path.name} {finding.text}" for finding in reference.findings),
        target=target,
        recordings=(path,),
    )


def nearest_mixture(embedding: np.ndarray) -> tuple[tuple[str, float], ...]:
    """The nearest stock voices, weighted by how near they are.

    Weights that bring the sum of embeddings nearest (non-negative least squares) were tried: no better, and
    worse the more voices take part, because a mixed style's embedding is not the mixture of embeddings.
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
