"""The stock voices that ship with voicelip are the published ones, compressed."""

import numpy as np
import pytest

from voicelip import hub
from voicelip.speech.phonemes import LANGUAGES
from voicelip.speech.voices import DEFAULT_VOICES, ROWS, WIDTH, stock_voices

# Columns 0, 64, 128, 200, 255 of rows 0, 100, 509 of the published tables.
PUBLISHED = {
    "af_heart": [
        [-0.2543, -0.0009, -0.0951, -0.5990, -0.0269],
        [-0.2173, 0.0868, -0.0598, 0.0452, 0.1241],
        [-0.2153, 0.0927, -0.0833, 0.0317, 0.1424],
    ],
    "bm_george": [
        [-0.0774, 0.1044, 0.4438, 0.1510, -0.0096],
        [-0.2394, 0.0812, -0.0612, 0.0686, 0.0174],
        [-0.2495, 0.0800, -0.0816, 0.0472, 0.0130],
    ],
    "hf_alpha": [
        [-0.0704, 0.0682, 0.3249, 0.1460, 0.3430],
        [-0.0687, 0.0814, 0.0083, 0.1747, 0.1628],
        [-0.0684, 0.0769, -0.0193, 0.1737, 0.1163],
    ],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_style_is_the_published_table(name: str) -> None:
    style = stock_voices().style(name)
    assert style.shape == (ROWS, WIDTH)
    kept = style[np.ix_([0, 100, 509], [0, 64, 128, 200, 255])]
    np.testing.assert_allclose(kept, PUBLISHED[name], atol=1e-3)


def test_there_are_54_in_less_than_800_kilobytes() -> None:
    assert len(stock_voices().names) == 54
    assert hub.pretrained("kokoro_voices.npz").stat().st_size < 800_000


def test_every_language_has_a_voice() -> None:
    assert set(DEFAULT_VOICES) == set(LANGUAGES)
    assert set(DEFAULT_VOICES.values()) <= set(stock_voices().names)


def test_every_voice_has_its_place_among_speakers() -> None:
    lengths = np.linalg.norm(stock_voices().embeddings, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=0.01)


def test_a_mixture_lies_between_its_parts() -> None:
    stock = stock_voices()
    mixed = stock.mixture([("af_heart", 0.25), ("am_adam", 0.75)])
    np.testing.assert_allclose(
        mixed, 0.25 * stock.style("af_heart") + 0.75 * stock.style("am_adam"), atol=1e-6
    )
