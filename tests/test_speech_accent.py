"""A cloned voice takes as much of a native's timbre as a language needs; stock voices speak as they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voicelip.speech.accent import NATIVES, accented
from voicelip.speech.engine import Voice
from voicelip.speech.kokoro_session import style_of
from voicelip.speech.voices import stock_voices

STOCK = stock_voices()
SOMEBODY = Voice("somebody", (("af_heart", 1.0),), Path("me.wav"), STOCK.embeddings[0])


def test_english_needs_no_accent() -> None:
    np.testing.assert_array_equal(style_of(SOMEBODY, "en-us"), STOCK.style("af_heart"))


def test_french_takes_a_share_of_the_french_voice_s_timbre_and_nothing_of_its_prosody() -> None:
    own, native = STOCK.style("af_heart"), STOCK.style("ff_siwis")
    share = NATIVES["fr-fr"][1]
    spoken = style_of(SOMEBODY, "fr-fr")
    np.testing.assert_allclose(
        spoken[:, :128], (1 - share) * own[:, :128] + share * native[:, :128], atol=1e-5
    )
    np.testing.assert_array_equal(spoken[:, 128:], own[:, 128:])


def test_a_stock_voice_keeps_its_accent() -> None:
    stock = Voice("af_heart", SOMEBODY.mixture)
    np.testing.assert_array_equal(style_of(stock, "fr-fr"), STOCK.style("af_heart"))


@pytest.mark.parametrize(("weight", "taken"), [(1.0, 0.0), (0.2, NATIVES["pt-br"][1] - 0.2)])
def test_what_the_mixture_holds_of_natives_counts(weight: float, taken: float) -> None:
    mixture = (("pm_alex", weight), ("am_adam", 1 - weight))
    style = STOCK.mixture(mixture)
    embedding = STOCK.embeddings[STOCK.names.index("pm_santa")]
    found = accented(style, mixture, embedding, "pt-br")
    expected = style + np.float32(taken) * (STOCK.style("pm_santa") - style)
    np.testing.assert_allclose(found[:, :128], expected[:, :128], atol=1e-5)


def test_a_fitted_style_takes_the_accent_too() -> None:
    fitted = replace(SOMEBODY, style=STOCK.style("af_bella"))
    assert not np.allclose(style_of(fitted, "it"), fitted.style)
