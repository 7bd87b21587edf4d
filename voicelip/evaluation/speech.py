"""Metrics of synthesised speech: cosine of speaker embeddings (SECS), and DNSMOS. Word errors are in
`voicelip.speech.word_errors`.
"""

from collections.abc import Sequence

import numpy as np

from voicelip.errors import VoicelipError
from voicelip.media import Audio


def secs(audio: Audio, centroid: np.ndarray) -> float:
    """Cosine of the GE2E embedding of `audio` with a (256,) centroid of other recordings."""
    from voicelip.speech.encoder import embed

    return float(embed(audio) @ centroid)


def centroid(embeddings: Sequence[np.ndarray]) -> np.ndarray:
    """(256,) float32 of length 1: the direction in the middle of several embeddings."""
    mean = np.mean(embeddings, axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def dnsmos(audio: Audio) -> float:
    """Overall quality, 1 to 5, as the DNSMOS P.835 network hears it."""
    try:
        from speechmos import dnsmos as network
    except ImportError:
        raise VoicelipError(
            "DNSMOS needs speechmos; run `pip install voicelip[evaluate]`, or leave it out with --no-dnsmos"
        ) from None
    samples = audio.resampled(16_000).samples.astype(np.float64)
    return float(network.run(np.clip(samples, -1, 1), sr=16_000, return_df=False)["ovrl_mos"])
