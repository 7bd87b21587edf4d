"""Text cut for engines that speak letters, and speech that cannot be what its text says."""

import pytest

from voicelip.errors import TextError
from voicelip.speech.engine import Segment
from voicelip.speech.parts import parts
from voicelip.speech.plausible import fault
from voicelip.speech.xtts import LIMITS

LONG = "and then the small train went slowly over the wide bridge, while nobody looked, "


@pytest.mark.parametrize("limit", [60, 120, 250])
def test_no_part_is_longer_than_the_limit_and_nothing_is_lost(limit: int) -> None:
    text = "First " + LONG * 6 + "until it stopped. It stopped."
    found, _ = parts(text, "en-us", limit)
    assert max(len(part.text) for part in found) <= limit
    assert " ".join(word for part in found for word in part.words) == text
    assert [part.sentence_text for part in found][-1] == "It stopped."


def test_cuts_are_made_at_clauses() -> None:
    found, _ = parts(LONG * 3 + "the end.", "en-us", 120)
    assert all(part.text.endswith((",", ".")) for part in found)


@pytest.mark.parametrize(
    ("text", "lang"),
    [("これは長い文です、" * 20 + "終わり。次の文。", "ja"),
     ("这是一个很长的句子，" * 20 + "结束。", "zh-cn"),
     ("Это длинное предложение, " * 20 + "конец.", "ru")],
)  # fmt: skip
def test_scripts_without_spaces_are_cut_too(text: str, lang: str) -> None:
    found, warnings = parts(text, lang, LIMITS[lang])
    assert max(len(part.text) for part in found) <= LIMITS[lang]
    assert "".join("".join(part.words) for part in found) == text.replace(" ", "")
    assert warnings == ()


def test_numbers_are_read_where_the_language_is_known() -> None:
    (english,), _ = parts("It is 5.", "en-us", 250)
    assert (english.text, english.words) == ("It is five.", ("It", "is", "5."))


def test_what_the_engine_cannot_do_is_said() -> None:
    (only,), warnings = parts("[Nguyen](/wˈɪn/) said 日 *this*.", "en-us", 250)
    assert only.text == "Nguyen said this."
    assert any("日" in warning for warning in warnings)
    assert any("Nguyen" in warning for warning in warnings)


def test_pauses_that_are_asked_for_stand_after_the_part() -> None:
    first, _ = parts("One <break 2s> two.", "en-us", 250)[0]
    assert first.pause_s == 2.0


def test_nothing_to_say_is_an_error() -> None:
    with pytest.raises(TextError):
        parts("<break 2s>", "en-us", 250)


@pytest.mark.parametrize(
    ("text", "lang", "spoken_s", "heard", "said"),
    [
        ("Good morning to you all.", "en", 1.6, None, ""),
        ("Good morning.", "en", 9.0, None, "runs on"),
        ("Good morning to everybody who is here today.", "en", 0.5, None, "ends after"),
        ("Good morning.", "en", 1.0, "Good morning", ""),
        ("Good morning.", "en", 1.0, "uh huh the zoo", "sounds like"),
        ("おはようございます。", "ja", 1.6, None, ""),
        ("おはようございます。", "ja", 12.0, None, "runs on"),
    ],
)
def test_babble_and_fragments_are_told_from_speech(
    text: str, lang: str, spoken_s: float, heard: str | None, said: str
) -> None:
    words = None if heard is None else [Segment(word, 0.0, 1.0) for word in heard.split()]
    found = fault(text, lang, spoken_s, words)
    assert said in found
    assert bool(said) == bool(found)
