"""CAM++ hears the same voice at any rate, tells people apart, and lets gradients through."""

from pathlib import Path

import numpy as np
import pytest
import torch

from voicelip.media import Audio, read_audio
from voicelip.speech import campplus, speak_text

LIBRISPEECH = Path(__file__).parents[2] / "shared" / "data" / "librispeech" / "ten_each"


@pytest.fixture(scope="module")
def speech() -> Audio:
    return speak_text("We walked along the shore until it was dark.", "stock:af_heart").audio


def test_an_embedding_has_length_one(speech: Audio) -> None:
    found = campplus.embed(speech)
    assert found.shape == (campplus.SIZE,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_the_rate_does_not_matter(speech: Audio) -> None:
    with torch.no_grad():
        low, high = (
            campplus.embedding(torch.from_numpy(speech.resampled(rate).samples.copy()), rate)
            for rate in (16_000, 24_000)
        )
    assert float(low @ high) > 0.99


def test_gradients_reach_the_sound_even_after_a_plain_use(speech: Audio) -> None:
    target = torch.from_numpy(campplus.embed(speech))
    wave = torch.from_numpy(speech.samples[:24_000].copy()).requires_grad_()
    (campplus.embedding(wave, 24_000) @ target).backward()
    assert wave.grad is not None
    assert float(wave.grad.abs().sum()) > 0


def test_sound_shorter_than_a_window_is_heard() -> None:
    assert np.isfinite(campplus.embed(Audio(np.full(200, 0.1, np.float32), 16_000))).all()


def test_features_are_kaldi_s() -> None:
    """One frame by the published formula: no offset, pre-emphasis, Povey window, 512 points, triangles on
    the mel scale between 20 Hz and 8 kHz, logarithm.
    """
    rng = np.random.default_rng(0)
    frame = rng.standard_normal(400) * 0.1
    kept = frame * 32768 - (frame * 32768).mean()
    emphasised = kept - 0.97 * np.append(kept[0], kept[:-1])
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    power = np.abs(np.fft.rfft(emphasised * window, 512))[:256] ** 2
    edges = np.linspace(*(1127 * np.log(1 + hz / 700) for hz in (20, 8000)), 82)
    mels = 1127 * np.log(1 + np.arange(256) * 31.25 / 700)
    rises = (mels[None] - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falls = (edges[2:, None] - mels[None]) / np.diff(edges)[1:, None]
    wanted = np.log(np.minimum(rises, falls).clip(0) @ power)
    # Silence after it is the ground from which the mean over time, which is taken off, can be told.
    found = campplus.fbank(torch.from_numpy(np.append(frame, np.zeros(1600))).float(), 16_000).numpy()
    np.testing.assert_allclose(found[0] - found[-1], wanted - np.log(campplus.EPSILON), atol=1.0)
    assert np.abs(found[0] - found[-1] - wanted + np.log(campplus.EPSILON)).mean() < 0.1


@pytest.mark.skipif(not LIBRISPEECH.is_dir(), reason="needs the LibriSpeech recordings")
def test_people_are_told_apart() -> None:
    people = {
        folder.name: [campplus.embed(read_audio(path)) for path in sorted(folder.iterdir())[:3]]
        for folder in sorted(LIBRISPEECH.iterdir())[:3]
    }
    same = [a @ b for one in people.values() for i, a in enumerate(one) for b in one[:i]]
    names = list(people)
    other = [
        a @ b for i, one in enumerate(names) for two in names[:i] for a in people[one] for b in people[two]
    ]
    assert min(same) > max(other) + 0.1
