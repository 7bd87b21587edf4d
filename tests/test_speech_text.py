"""Text is cut into the sentences that a reader would speak."""

import pytest

from voicelip.errors import TextError
from voicelip.speech.text import clean, split_sentences


def split(text: str, lang: str = "en-us") -> list[str]:
    return [sentence.text for sentence in split_sentences(clean(text)[0], lang)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("Dr. Smith met Mrs. Jones. They spoke.", ["Dr. Smith met Mrs. Jones.", "They spoke."]),
        ("It costs 3.5 dollars. Or 1,200.75!", ["It costs 3.5 dollars.", "Or 1,200.75!"]),
        ("Pay in cash, e.g. Euros. Thanks.", ["Pay in cash, e.g. Euros.", "Thanks."]),
        ("John F. Kennedy spoke. We heard.", ["John F. Kennedy spoke.", "We heard."]),
        ("He moved to the U.S. He liked it.", ["He moved to the U.S.", "He liked it."]),
        ("At 10 a.m. we left.", ["At 10 a.m. we left."]),
        ('"Really?" she said. "Yes."', ['"Really?" she said.', '"Yes."']),
        ("Well... maybe. Go on...", ["Well... maybe.", "Go on..."]),
        ("See www.example.com for more.", ["See www.example.com for more."]),
        ("no full stop", ["no full stop"]),
        ("A sentence that was\nwrapped by an editor.", ["A sentence that was wrapped by an editor."]),
        ("A title\nA line", ["A title", "A line"]),
    ],
)
def test_english(text: str, parts: list[str]) -> None:
    assert split(text) == parts


@pytest.mark.parametrize(
    ("text", "lang", "parts"),
    [
        ("El Sr. García vino. ¿Y tú?", "es", ["El Sr. García vino.", "¿Y tú?"]),
        ("Mme. Durand arrive. Ça va ?", "fr-fr", ["Mme. Durand arrive.", "Ça va ?"]),
        ("Il dott. Rossi parla. Bene!", "it", ["Il dott. Rossi parla.", "Bene!"]),
        ("A Dra. Silva chegou. Olá!", "pt-br", ["A Dra. Silva chegou.", "Olá!"]),
        ("नमस्ते। आप कैसे हैं?", "hi", ["नमस्ते।", "आप कैसे हैं?"]),
    ],
)
def test_other_languages(text: str, lang: str, parts: list[str]) -> None:
    assert split(text, lang) == parts


def test_an_empty_line_ends_a_paragraph() -> None:
    ends = [sentence.ends_paragraph for sentence in split_sentences("One. Two.\n\nThree.", "en-us")]
    assert ends == [False, True, True]


@pytest.mark.parametrize("text", ["", "   \n\n ", "...", "—!?", "😀 🎉", "日本語", "\u200b"])
def test_nothing_to_speak_is_an_error(text: str) -> None:
    with pytest.raises(TextError):
        split(text)


def test_emoji_are_silent_and_foreign_letters_are_reported() -> None:
    cleaned, foreign = clean("Hello 😀 日本 world ☎")
    assert cleaned.split() == ["Hello", "world"]
    assert foreign == "日本"
