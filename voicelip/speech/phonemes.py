"""Sentences → Kokoro's phoneme strings, by espeak-ng.

Kokoro's alphabet is IPA with single letters for what English writes as two (eɪ → A) and for affricates
(tʃ → ʧ). Its list is in `kokoro_vocabulary.json`, from hexgrad/Kokoro-82M (Apache-2.0).
"""

import functools
import json
import logging
import re
import threading
from collections.abc import Mapping
from importlib import resources
from typing import Any

from voicelip.errors import UnsupportedLanguageError, VoicelipError

LANGUAGES = ("en-us", "en-gb", "es", "fr-fr", "hi", "it", "pt-br")
ALIASES = {
    "en": "en-us",
    "fr": "fr-fr",
    "pt": "pt-br",
    "en-uk": "en-gb",
    "es-es": "es",
    "it-it": "it",
    "hi-in": "hi",
}

MAX_TOKENS = 510
# Near the limit Kokoro hurries and drops words.
COMFORTABLE_TOKENS = 380

# Marks that the model knows. A comma or colon in a number has no space after it, and within one sentence
# a full stop is an abbreviation's unless it is the last.
MARKS = re.compile(r"""([;!?—…()"“”]+|[,:](?=[\s"”)]|$)|\.(?=[\s"”)]*$))""")
WRITTEN_AS = str.maketrans(
    {"„": "“", "‟": "”", "।": ".", "॥": ".", "¿": "", "¡": "", "’": "'", "‘": "'", "–": "—",
     "[": "(", "]": ")"}
)  # fmt: skip

# espeak marks sounds that belong together with a tie, here ^.
TIED = {
    "a^ɪ": "I", "a^ʊ": "W", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "ɔ^ɪ": "Y",
    "d^ʒ": "ʤ", "t^ʃ": "ʧ", "d^z": "ʣ", "t^s": "ʦ", "s^s": "S",
}  # fmt: skip
ENGLISH = {"ə^l": "ᵊl", "ʲo": "jo", "ʲə": "jə", "ʲ": "", "ɚ": "əɹ", "r": "ɹ", "x": "k", "ç": "k", "ɐ": "ə",
           "ɬ": "l", "\u0303": "", "ʔ": "t"}  # fmt: skip
AMERICAN = {"ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ɾ": "T", "ː": ""}
BRITISH = {"e^ə": "ɛː", "iə": "ɪə", "i^ə": "ɪə"}

_espeak_lock = threading.Lock()


def resolve_language(lang: str) -> str:
    """The espeak name of a language as users write it."""
    wanted = lang.strip().lower().replace("_", "-")
    wanted = ALIASES.get(wanted, wanted)
    if wanted not in LANGUAGES:
        raise UnsupportedLanguageError(
            f"language {lang!r} is not spoken here; choose one of {', '.join(LANGUAGES)}"
        )
    return wanted


def phonemize(sentence: str, lang: str) -> str:
    """Kokoro phonemes of one sentence, its punctuation kept; empty if nothing in it is spoken."""
    pieces = MARKS.split(_written(sentence))
    words = [piece.strip() for piece in pieces[0::2]]
    spoken = iter(_espeak([word for word in words if word], lang))
    out = []
    for i, piece in enumerate(pieces):
        if i % 2:
            out.append(piece)
        elif words[i // 2]:
            out.append(_spaces_of(piece, _to_kokoro(next(spoken), lang)))
        else:
            out.append(" " if piece else "")
    known = vocabulary()
    phonemes = "".join(char for char in "".join(out) if char in known)
    phonemes = re.sub(r"\s+", " ", phonemes).strip()
    return phonemes if any(char.isalpha() for char in phonemes) else ""


def tokens(phonemes: str) -> list[int]:
    """Kokoro's token ids."""
    known = vocabulary()
    return [known[char] for char in phonemes]


def chunks(phonemes: str, limit: int = COMFORTABLE_TOKENS) -> list[str]:
    """Phonemes in pieces of at most `limit`, cut near the middle at a clause, else between words."""
    if len(phonemes) <= limit:
        return [phonemes]
    middle = len(phonemes) / 2
    inner = range(len(phonemes) // 4, 3 * len(phonemes) // 4)
    for marks in (";:—….!?", ",", " "):
        cuts = [i + 1 for i in inner if phonemes[i] in marks]
        if cuts:
            break
    cut = min(cuts, key=lambda i: abs(i - middle)) if cuts else int(middle)
    halves = (phonemes[:cut].strip(), phonemes[cut:].strip())
    return [piece for half in halves if half for piece in chunks(half, limit)]


@functools.cache
def vocabulary() -> Mapping[str, int]:
    """Kokoro's phoneme letters and their token ids."""
    text = resources.files("voicelip.speech").joinpath("kokoro_vocabulary.json").read_text(encoding="utf-8")
    return json.loads(text)


def _written(sentence: str) -> str:
    """Punctuation reduced to the marks that Kokoro knows; a currency sign after its amount, as it is said."""
    text = sentence.translate(WRITTEN_AS)
    text = re.sub(r"«\s*", "“", re.sub(r"\s*»", "”", text))
    text = re.sub(r"\s+(?=[;:!?…])", "", text)
    text = re.sub(r"\.{2,}", "…", text)
    text = re.sub(r"(\b\w\.\w\.)(?=[\"”)]*$)", r"\1.", text)  # the stop of "U.S." ends the sentence as well
    text = re.sub(r"\s+-+\s+|--+", " — ", text)
    return re.sub(r"([$€£])\s?(\d[\d.,]*\d|\d)", r"\2 \1", text)


def _spaces_of(piece: str, spoken: str) -> str:
    lead = " " if piece[:1].isspace() else ""
    tail = " " if piece[-1:].isspace() else ""
    return f"{lead}{spoken}{tail}"


def _to_kokoro(ipa: str, lang: str) -> str:
    steps: list[Mapping[str, str]] = [TIED]
    if lang.startswith("en"):
        ipa = re.sub(r"(\S)\u0329", r"ᵊ\1", ipa)
        steps = [ENGLISH, AMERICAN if lang == "en-us" else BRITISH, TIED]
        steps = [TIED, *steps[:2]] if lang == "en-us" else [BRITISH, TIED, ENGLISH]
    for table in steps:
        for old, new in table.items():
            ipa = ipa.replace(old, new)
    return ipa.replace("^", "").replace("-", "")


def _espeak(texts: list[str], lang: str) -> list[str]:
    """IPA of each text; espeak-ng keeps one global state, so one caller at a time."""
    if not texts:
        return []
    with _espeak_lock:
        return [ipa.strip() for ipa in _backend(lang).phonemize(texts, strip=True)]


@functools.cache
def _backend(lang: str) -> Any:
    """phonemizer's driver of the espeak-ng library that espeakng-loader brings."""
    try:
        import espeakng_loader
        from phonemizer.backend import EspeakBackend
        from phonemizer.backend.espeak.wrapper import EspeakWrapper

        EspeakWrapper.set_library(espeakng_loader.get_library_path())
        EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
        logger = logging.getLogger("voicelip.phonemizer")
        logger.setLevel(logging.ERROR)
        # No mark is punctuation to phonemizer: it would cut "Dr." from its stop and "3.5" in two.
        return EspeakBackend(
            lang,
            punctuation_marks="\x00",
            with_stress=True,
            tie="^",
            language_switch="remove-flags",
            words_mismatch="ignore",
            logger=logger,
        )
    except (ImportError, RuntimeError, OSError) as error:
        raise VoicelipError(
            f"espeak-ng does not start ({error}); run `pip install --force-reinstall espeakng-loader`"
        ) from error
