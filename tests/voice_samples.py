"""Sound that is like speech, made by rule: buzzing syllables with formants, intonation and pauses; and
speech of somebody else.
"""

import functools

import numpy as np

from voicelip.media import Audio

RATE = 16_000
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))


def voice(seconds: float, pitch_hz: float = 120.0, tract: float = 1.0, seed: int = 0) -> Audio:
    """Babble of somebody with this pitch; formants are multiplied by `tract`."""
    rng = np.random.default_rng(seed)
    pieces: list[np.ndarray] = []
    length = 0
    while length < seconds * RATE:
        piece = _syllable(rng, pitch_hz, tract)
        gap = np.zeros(int(RATE * (0.28 if rng.random() < 0.2 else 0.04)))
        pieces += [piece, gap]
        length += len(piece) + len(gap)
    sound = np.concatenate(pieces)[: round(seconds * RATE)]
    sound = 0.3 * sound / np.abs(sound).max() + 3e-4 * rng.standard_normal(len(sound))
    return Audio(sound.astype(np.float32), RATE)


@functools.cache
def somebody_else() -> Audio:
    """Another person than any babble is: what tells people apart has heard people, and takes all babble for
    one.
    """
    from voicelip.speech import speak_text

    text = "We walked along the shore until it was dark, and then went slowly home through the rain."
    return speak_text(text, "stock:bm_george").audio


def _syllable(rng: np.random.Generator, pitch_hz: float, tract: float) -> np.ndarray:
    from scipy.signal import lfilter

    count = int(RATE * rng.uniform(0.12, 0.26))
    t = np.arange(count) / count
    glide = pitch_hz * 2 ** ((rng.uniform(-3, 3) + rng.uniform(-5, 5) * t) / 12)
    phase = np.cumsum(glide) / RATE
    sound = (np.diff(np.floor(phase), prepend=0) > 0).astype(float) + 0.02 * rng.standard_normal(count)
    first, second = (np.array(VOWELS[rng.integers(len(VOWELS))]) * tract for _ in range(2))
    halves = np.array_split(sound, 2)
    for formants, half in zip((first, second), halves, strict=True):
        for hz in formants:
            pole = np.exp(-np.pi * 90 / RATE + 2j * np.pi * hz / RATE)
            half[:] = lfilter([1 - abs(pole)], [1, -2 * pole.real, abs(pole) ** 2], half)
    return np.concatenate(halves) * np.minimum(1, np.minimum(t, 1 - t) * 8)
