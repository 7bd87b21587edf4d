"""Marks in the text: pauses, pronunciations and stress, and what is wrong with them."""

import numpy as np
import pytest

from voicelip.errors import TextError
from voicelip.speech import markup, speak_text
from voicelip.speech.phonemes import phonemize
from voicelip.speech.script import SENTENCE_PAUSE_S, script


def phonemes(text: str, lang: str = "en-us") -> list[str]:
    return [utterance.phonemes for utterance in script(text, lang)[0]]


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("<break 400ms>", 0.4),
        ('<break time="400ms"/>', 0.4),
        ("<break time='1.5s' />", 1.5),
        ("<break 2s>", 2.0),
        ("<break/>", 0.5),
        ('<break strength="strong"/>', 0.8),
    ],
)
def test_a_pause_stands_between_what_is_before_and_after(tag: str, seconds: float) -> None:
    first, second = script(f"Wait {tag} and go.", "en-us")[0]
    assert (first.written, second.written) == ("Wait", "and go.")
    assert first.asked_s == pytest.approx(seconds)
    assert first.pause_s == 0
    assert first.sentence_text == "Wait and go."


def test_a_pause_is_heard_as_long_as_it_was_asked_for() -> None:
    speech = speak_text("One. <break 1200ms> Two.", "stock:af_heart")
    one, two = speech.segments
    assert two.start_s - one.end_s == pytest.approx(1.2, abs=0.01)
    rate = speech.audio.sample_rate
    assert not speech.audio.samples[round(one.end_s * rate) + 1 : round(two.start_s * rate) - 1].any()


def test_a_pause_may_begin_the_text() -> None:
    (only,) = script("<break 300ms> Hello.", "en-us")[0]
    assert (only.before_s, only.pause_s) == (0.3, pytest.approx(0.55))


@pytest.mark.parametrize(
    "text", ["[Nguyen](/wˈɪn/) is here.", '<phoneme ph="wˈɪn">Nguyen</phoneme> is here.']
)
def test_a_word_sounds_as_it_is_told_to(text: str) -> None:
    (utterance,) = script(text, "en-us")[0]
    assert utterance.phonemes.startswith("wˈɪn ")
    assert utterance.words[0].text == "Nguyen"
    assert utterance.sentence_text == "Nguyen is here."


def test_told_pronunciations_use_the_model_s_letters() -> None:
    assert phonemes("[day](/deɪ/) [chat](/tʃæt/)") == ["dA ʧæt"]


def test_stress_is_put_on_a_word() -> None:
    assert phonemes("on *the* day") != phonemes("on the day")
    assert "ðˈə" in phonemes("on *the* day")[0]


def test_a_substitute_is_spoken() -> None:
    (found,) = phonemes('<speak><sub alias="World Wide Web">WWW</sub></speak>')
    assert found == phonemize("World Wide Web", "en-us")


def test_other_brackets_and_stars_stay_text() -> None:
    for text in ("2*3*4", "[a note] (aside)", "a < b"):
        assert markup.parse(text) == markup.Marked(text, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Wait <break 4x> now.", "<break 400ms>"),
        ("Wait <break 90s> now.", "at most 60"),
        ('Wait <break strength="huge"/>.', "x-strong"),
        ("[word](/w5rd/)", "5"),
    ],
)
def test_wrong_marks_are_named(text: str, said: str) -> None:
    with pytest.raises(TextError, match=said):
        script(text, "en-us")


def test_private_characters_of_the_text_are_no_marks() -> None:
    assert markup.parse("a\U000f0000b\ue000c").text == "abc"


def test_a_pause_replaces_the_one_between_sentences() -> None:
    pauses = [utterance.pause_s for utterance in script("One. <break 1s> Two. Three.", "en-us")[0]]
    assert pauses[:2] == [0.0, SENTENCE_PAUSE_S]
    assert np.isfinite(pauses).all()
