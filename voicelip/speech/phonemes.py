"""Words that were read → Kokoro's phoneme strings, by espeak-ng, and which letters are whose.

Kokoro's alphabet is IPA with single letters for what English writes as two (eɪ → A) and for affricates
(tʃ → ʧ). Its list is in `kokoro_vocabulary.json`, from hexgrad/Kokoro-82M (Apache-2.0).
"""

import functools
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib import resources
from typing import Any

from voicelip.errors import TextError, UnsupportedLanguageError, VoicelipError
from voicelip.speech.markup import MARK, STRESS
from voicelip.speech.reading import Word, read

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


@dataclass(frozen=True)
class Spoken:
    """Phonemes, and the range of them (start, end) that each word owns; marks and spaces are nobody's."""

    phonemes: str
    spans: tuple[tuple[int, int], ...]


def phonemize(sentence: str, lang: str) -> str:
    """Kokoro phonemes of one sentence as it is written, its punctuation kept; empty if nothing is spoken."""
    return pronounce(read(sentence, lang), lang).phonemes


def pronounce(words: Sequence[Word], lang: str, ipa_of: Callable[[str], str] = lambda mark: "") -> Spoken:
    """Kokoro phonemes of words; `ipa_of` tells what a mark's private character sounds like."""
    text, owners = _joined([_written(word.spoken) for word in words])
    letters = [(char, owner) for run, owner in _runs(text, owners, lang, ipa_of) for char in run]
    letters = _tidy([(char, owner) for char, owner in letters if char in vocabulary()])
    if not any(char.isalpha() for char, _ in letters):
        return Spoken("", ((0, 0),) * len(words))
    places: dict[int, list[int]] = {}
    for place, (char, owner) in enumerate(letters):
        if owner is not None and not char.isspace():
            places.setdefault(owner, []).append(place)
    spans, at = [], 0
    for index in range(len(words)):
        own = places.get(index)
        spans.append((own[0], own[-1] + 1) if own else (at, at))
        at = spans[-1][1]
    return Spoken("".join(char for char, _ in letters), tuple(spans))


def tokens(phonemes: str) -> list[int]:
    """Kokoro's token ids."""
    known = vocabulary()
    return [known[char] for char in phonemes]


def chunks(phonemes: str, limit: int = COMFORTABLE_TOKENS) -> list[str]:
    """Phonemes in pieces of at most `limit`, cut near the middle at a clause, else between words."""
    return [phonemes[start:end] for start, end in chunk_spans(phonemes, limit)]


def chunk_spans(phonemes: str, limit: int = COMFORTABLE_TOKENS, start: int = 0) -> list[tuple[int, int]]:
    """Where the pieces of `chunks` stand."""
    if len(phonemes) <= limit:
        return [(start, start + len(phonemes))]
    middle = len(phonemes) / 2
    inner = range(len(phonemes) // 4, 3 * len(phonemes) // 4)
    for marks in (";:—….!?", ",", " "):
        cuts = [i + 1 for i in inner if phonemes[i] in marks]
        if cuts:
            break
    cut = min(cuts, key=lambda i: abs(i - middle)) if cuts else int(middle)
    return [
        span
        for a, b in ((0, cut), (cut, len(phonemes)))
        for span in _stripped_spans(phonemes, a, b, limit, start)
    ]


def _stripped_spans(phonemes: str, a: int, b: int, limit: int, start: int) -> list[tuple[int, int]]:
    half = phonemes[a:b]
    lead = len(half) - len(half.lstrip())
    return chunk_spans(half.strip(), limit, start + a + lead) if half.strip() else []


@functools.cache
def vocabulary() -> Mapping[str, int]:
    """Kokoro's phoneme letters and their token ids."""
    text = resources.files("voicelip.speech").joinpath("kokoro_vocabulary.json").read_text(encoding="utf-8")
    return json.loads(text)


def _written(text: str) -> str:
    """Punctuation reduced to the marks that Kokoro knows."""
    text = text.translate(WRITTEN_AS)
    text = re.sub(r"«\s*", "“", re.sub(r"\s*»", "”", text))
    text = re.sub(r"\.{2,}", "…", text)
    text = re.sub(r"(\b\w\.\w\.)(?=[\"”)]*$)", r"\1.", text)  # the stop of "U.S." ends the sentence as well
    return re.sub(r"\s+-+(?=\s|$)|--+", " — ", text).rstrip()


def _joined(words: list[str]) -> tuple[str, list[int]]:
    """One text, and the index of the word that each letter belongs to."""
    text, owners = "", []
    for index, word in enumerate(words):
        piece = word if index == 0 else f" {word}"
        text += piece
        owners += [index] * len(piece)
    return text, owners


def _runs(
    text: str, owners: list[int], lang: str, ipa_of: Callable[[str], str]
) -> Iterator[tuple[str, int | None]]:
    """Phonemes and marks in order, each with its word; marks have none."""
    pieces, at = [], 0
    for match in re.finditer(f"{MARKS.pattern}|{MARK.pattern}", text):
        pieces += [(at, text[at : match.start()], False), (match.start(), match.group(), True)]
        at = match.end()
    pieces.append((at, text[at:], False))
    phrases = [[(m.group(), owners[start + m.start()]) for m in re.finditer(r"\S+", piece)]
               for start, piece, is_mark in pieces if not is_mark]  # fmt: skip
    spoken = iter(_phrases(phrases, lang))
    for start, piece, is_mark in pieces:
        if not is_mark:
            yield " " if piece[:1].isspace() else "", None
            yield from next(spoken)
            yield " " if piece[-1:].isspace() else "", None
        elif MARK.fullmatch(piece):
            yield _pronounced(ipa_of(piece), lang), owners[start]
        else:
            yield piece, None


def _phrases(phrases: list[list[tuple[str, int]]], lang: str) -> Iterator[list[tuple[str, int | None]]]:
    """For each phrase between marks, given as words with their owners, its phonemes word by word."""
    texts = [" ".join(word.replace(STRESS, "") for word, _ in phrase) for phrase in phrases]
    spoken = iter(_espeak([text for text in texts if text], lang))
    for phrase, text in zip(phrases, texts, strict=True):
        yield _shared_out(phrase, next(spoken), lang) if text else []


def _shared_out(phrase: list[tuple[str, int]], ipa: str, lang: str) -> list[tuple[str, int | None]]:
    """A phrase's phonemes, given to its words; espeak-ng joins some words and parts others."""
    parts = ipa.split()
    if len(parts) != len(phrase):
        parts = _cut_as(ipa, _espeak([word.replace(STRESS, "") for word, _ in phrase], lang))
    found: list[tuple[str, int | None]] = []
    for part, (word, owner) in zip(parts, phrase, strict=True):
        letters = _to_kokoro(part, lang)
        joined = not part.endswith(" ") and len(parts) != len(ipa.split())
        found += [
            (_stressed(letters) if word.startswith(STRESS) else letters, owner),
            ("" if joined else " ", None),
        ]
    return found[:-1]


def _cut_as(ipa: str, words: list[str]) -> list[str]:
    """`ipa` of a phrase in as many pieces as there are words, cut where the words spoken alone end."""
    blocks = SequenceMatcher(None, "".join(words), ipa, autojunk=False).get_matching_blocks()
    cuts, end = [0], 0
    for word in words[:-1]:
        end += len(word)
        cuts.append(max(cuts[-1], _place(end, blocks)))
    return [ipa[a:b] for a, b in zip(cuts, [*cuts[1:], len(ipa)], strict=True)]


def _place(end: int, blocks: Any) -> int:
    """Where a boundary in one text stands in the other: before the letter that follows, if both have it."""
    place = 0
    for a, b, size in blocks:
        if a > end:
            break
        if end < a + size:
            return b + end - a
        place = b + size if size else place
    return place


def _stressed(letters: str) -> str:
    """The word with the accent of emphasis: what is stressed weakly or not at all is stressed fully."""
    letters = letters.replace("ˌ", "ˈ", 1) if "ˈ" not in letters else letters
    if "ˈ" in letters:
        return letters
    vowel = re.search("[aeiouyæøœɐɑɒɔəɛɜɪʊʌɨɯɤAIOQWYᵊᵻ]", letters)
    return letters[: vowel.start()] + "ˈ" + letters[vowel.start() :] if vowel else letters


def _pronounced(ipa: str, lang: str) -> str:
    """A pronunciation of the user's own in Kokoro's letters."""
    letters = re.sub("d͡ʒ|dʒ", "ʤ", re.sub("t͡ʃ|tʃ", "ʧ", ipa.replace("'", "ˈ").replace("g", "ɡ")))
    if lang.startswith("en"):
        for old, new in TIED.items():
            letters = letters.replace(old.replace("^", ""), new)
    unknown = [char for char in letters if char not in vocabulary()]
    if unknown:
        raise TextError(f"the pronunciation /{ipa}/ holds {' '.join(unknown)}, unknown here")
    return letters


def _tidy(letters: list[tuple[str, int | None]]) -> list[tuple[str, int | None]]:
    """Single spaces, none at the ends or before marks that close."""
    kept: list[tuple[str, int | None]] = []
    for char, owner in letters:
        if char.isspace() and (not kept or kept[-1][0].isspace()):
            continue
        if char in ";:,.!?…”)" and kept and kept[-1][0].isspace():
            kept.pop()
        kept.append((char, owner))
    return kept[:-1] if kept and kept[-1][0].isspace() else kept


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
