"""Speech comes out equally loud, and no peak passes −1 dBTP."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from voicelip.speech import loudness

RATE = 24_000


def bursts(seconds: float, level: float, crest: float = 1.0, rate: int = RATE) -> np.ndarray:
    """Syllables of a tone, with clicks that are `crest` times as high."""
    t = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * 180 * t) * (np.sin(2 * np.pi * 3 * t) > -0.5)
    tone[:: rate // 2] *= 1
    tone[rate // 8 :: rate // 2] = crest
    return (tone * level).astype(np.float32)


def true_peak_db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.abs(resample_poly(samples.astype(np.float64), 8, 1)).max()))


@pytest.mark.parametrize("level", [0.001, 0.05, 0.9])
@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_speech_comes_out_at_the_common_loudness(level: float, rate: int) -> None:
    out = loudness.levelled(bursts(4, level, rate=rate), rate)
    assert loudness.loudness(out, rate) == pytest.approx(-16, abs=0.1)
    assert out.dtype == np.float32


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.39, 0.41])
def test_short_sounds_too(seconds: float) -> None:
    out = loudness.levelled(bursts(seconds, 0.01), RATE)
    assert loudness.loudness(out, RATE) == pytest.approx(-16, abs=0.3)


def test_peaks_are_held_without_making_the_rest_quieter() -> None:
    out = loudness.levelled(bursts(4, 0.1, crest=9.0), RATE)
    assert true_peak_db(out) <= -1
    assert loudness.loudness(out, RATE) == pytest.approx(-16, abs=0.5)


def test_peaks_between_samples_count() -> None:
    t = np.arange(RATE)
    wave = np.sin(2 * np.pi * (RATE / 4) * t / RATE + np.pi / 4).astype(np.float32)  # samples at 0.707 only
    assert loudness.true_peak(wave) == pytest.approx(1, abs=0.02)
    assert true_peak_db(loudness.limited(wave, RATE)) <= -1


def test_what_is_quiet_enough_is_not_touched() -> None:
    wave = bursts(1, 0.5)
    assert loudness.limited(wave, RATE) is wave


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_silence_stays_silence(count: int) -> None:
    out = loudness.levelled(np.zeros(count, np.float32), RATE)
    assert out.shape == (count,)
    assert not out.any()
