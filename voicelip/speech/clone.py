"""A first, simple clone: the mixture of stock voices whose speaker embedding is nearest to a recording's."""

from pathlib import Path

import numpy as np

from voicelip.errors import BadReferenceError
from voicelip.media import Audio, read_audio
from voicelip.progress import Progress, silent
from voicelip.speech import encoder, waveform
from voicelip.speech.engine import Voice
from voicelip.speech.voices import stock_voices

SHORTEST_S = 2.0
LONGEST_S = 300.0
ENOUGH_S = 5.0
CLIPPED_SHARE = 0.002
QUIETEST_DBFS = -60.0
NEAREST = 4
SOFTNESS = 0.03  # in units of cosine
LEAST_WEIGHT = 0.03


def clone_voice(path: Path, progress: Progress = silent) -> Voice:
    """The voice of the person heard in a recording (or video)."""
    audio = reference_audio(path)
    embedding = encoder.embed(audio, progress)
    return Voice(path.stem, nearest_mixture(embedding), path, embedding, _doubts(path, audio))


def reference_audio(path: Path) -> Audio:
    """The recording at `path`, if it can serve as a reference."""
    audio = read_audio(path)
    spoken_s = _spoken_s(audio)
    if spoken_s == 0:
        raise BadReferenceError(f"{path}: the recording is silent; give 2 s to 5 min of one person speaking")
    if audio.duration_s > LONGEST_S:
        raise BadReferenceError(
            f"{path}: the recording lasts {audio.duration_s / 60:.1f} min, over 5; cut out a clear minute"
        )
    if spoken_s < SHORTEST_S:
        raise BadReferenceError(
            f"{path}: only {spoken_s:.1f} s of sound; give 2 s to 5 min of one person speaking"
        )
    return audio


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


def _doubts(path: Path, audio: Audio) -> tuple[str, ...]:
    """What makes the likeness worse, for the user to mend."""
    doubts = []
    if _spoken_s(audio) < ENOUGH_S:
        doubts.append(f"{path.name}: short for a reference; 15 s or more give a better likeness")
    if np.mean(np.abs(audio.samples) > 0.99) > CLIPPED_SHARE:
        doubts.append(f"{path.name}: overdriven; record it more quietly for a better likeness")
    return tuple(doubts)


def _spoken_s(audio: Audio) -> float:
    """Seconds between the first and the last sound that is louder than noise."""
    if waveform.dbfs(audio.samples) < QUIETEST_DBFS:
        return 0.0
    start, end = waveform.speech_span(audio.samples, audio.sample_rate, below_loudest_db=40.0)
    return (end - start) / audio.sample_rate
