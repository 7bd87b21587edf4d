"""Sentences become phonemes that Kokoro knows, abbreviations and numbers read out."""

import pytest

from voicelip.errors import UnsupportedLanguageError
from voicelip.speech.phonemes import MAX_TOKENS, chunks, phonemize, resolve_language, tokens

SAMPLES = {
    "en-us": "Dr. Smith's little bottle — “quoted”, (aside); 3.5% of $20: done!",
    "en-gb": "The nurse went home over there, near the fire.",
    "es": "¿Dónde está la chica? ¡Qué llueve mucho!",
    "fr-fr": "Bonjour, je m’appelle Henri « un bon » vin blanc.",
    "hi": "नमस्ते, आप कैसे हैं?",
    "it": "Gli gnocchi della zia sono più buoni; pizza.",
    "pt-br": "Olá, não há pão na mesa.",
}


@pytest.mark.parametrize("lang", SAMPLES)
def test_every_language_gives_known_phonemes(lang: str) -> None:
    phonemes = phonemize(SAMPLES[lang], lang)
    assert len(tokens(phonemes)) == len(phonemes) > 15


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dr. Smith", "doctor Smith"),
        ("It is 3.5", "It is three point five"),
        ("in 1,000 days", "in one thousand days"),
        ("cash, e.g. coins", "cash, for example coins"),
    ],
)
def test_abbreviations_and_numbers_are_read_out(one: str, other: str) -> None:
    plain = [
        phonemize(text, "en-gb").replace(" ", "").replace("ˌ", "").replace("ˈ", "") for text in (one, other)
    ]
    assert plain[0] == plain[1]


def test_punctuation_stays_where_it_is_heard() -> None:
    phonemes = phonemize("Yes, it is: 10:30; really? No!", "en-us")
    assert [mark for mark in phonemes if mark in ",:;?!."] == [",", ":", ";", "?", "!"]


def test_english_diphthongs_are_single_letters() -> None:
    assert phonemize("day", "en-us") == "dˈA"
    assert phonemize("go", "en-us") == "ɡˈO"
    assert phonemize("go", "en-gb") == "ɡˈQ"


def test_currency_is_said_after_its_amount() -> None:
    assert phonemize("$5", "en-us") == phonemize("5 $", "en-us")


def test_nothing_spoken_gives_nothing() -> None:
    assert phonemize("...", "en-us") == ""


@pytest.mark.parametrize(
    ("given", "meant"), [("en", "en-us"), ("EN_GB", "en-gb"), ("pt", "pt-br"), ("fr", "fr-fr"), ("es", "es")]
)
def test_language_names_are_forgiving(given: str, meant: str) -> None:
    assert resolve_language(given) == meant


def test_an_unknown_language_lists_the_known() -> None:
    with pytest.raises(UnsupportedLanguageError, match=r"en-us, en-gb, es, fr-fr, hi, it, pt-br"):
        resolve_language("tlh")


@pytest.mark.parametrize("separator", [", ", " ", ""])
def test_long_sentences_are_cut_without_loss(separator: str) -> None:
    long = separator.join(["wˈɜɹd"] * 400)
    pieces = chunks(long)
    assert max(map(len, pieces)) < MAX_TOKENS
    assert "".join(pieces).replace(" ", "") == long.replace(" ", "")
    assert min(map(len, pieces)) > 50


def test_cuts_prefer_clauses() -> None:
    assert chunks("a b c, d e f", limit=8) == ["a b c,", "d e f"]
