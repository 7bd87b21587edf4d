"""Text → parts short enough for an engine that speaks letters, with the pauses between them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from voicelip.errors import TextError
from voicelip.speech import markup
from voicelip.speech.markup import Marked, Pronounced
from voicelip.speech.reading import Word, read
from voicelip.speech.script import CLAUSE_PAUSE_S, PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S
from voicelip.speech.text import SPOKEN_SCRIPTS, Sentence, clean, split_sentences

_SCRIPTS = {
    "ru": {"CYRILLIC"},
    "ar": {"ARABIC"},
    "zh": {"CJK", "IDEOGRAPHIC", "FULLWIDTH"},
    "ja": {"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH", "FULLWIDTH"},
    "ko": {"HANGUL", "CJK"},
}
_CLAUSES = (";", ":", "—", "–", ",", "、", "，", "；", "،")


@dataclass(frozen=True)
class Part:
    """What is spoken in one go (`text`), the words as written, and the pause after."""

    sentence: int
    sentence_text: str
    text: str
    words: tuple[str, ...]
    pause_s: float


def parts(text: str, lang: str, limit: int) -> tuple[list[Part], tuple[str, ...]]:
    """Parts of at most `limit` characters, cut between sentences, else clauses, else words; and warnings."""
    marked = markup.parse(text)
    cleaned, foreign = clean(marked.text, SPOKEN_SCRIPTS | _SCRIPTS.get(lang[:2], set()))
    found: list[Part] = []
    for i, sentence in enumerate(split_sentences(cleaned, lang)):
        for piece, asked_s in marked.at_breaks(sentence.text):
            found += _parts(i, sentence, piece, marked, lang, limit)
            if asked_s and found:
                found[-1] = replace(found[-1], pause_s=asked_s)
    if not found:
        raise TextError("the text holds nothing that can be spoken; give at least one word")
    return found, _warnings(marked, foreign, lang)


def _parts(i: int, sentence: Sentence, piece: str, marked: Marked, lang: str, limit: int) -> Iterator[Part]:
    words = [
        Word(marked.written(word.written), marked.written(word.spoken))
        for word in _short_words(read(piece, lang), limit)
    ]
    groups = _grouped([word for word in words if word.spoken], limit)
    after_s = PARAGRAPH_PAUSE_S if sentence.ends_paragraph else SENTENCE_PAUSE_S
    for group in groups:
        if any(char.isalnum() for word in group for char in word.spoken):
            text = " ".join(word.spoken for word in group)
            pause_s = after_s if group is groups[-1] else CLAUSE_PAUSE_S
            yield Part(i, marked.written(sentence.text), text, tuple(word.written for word in group), pause_s)


def _short_words(words: Sequence[Word], limit: int) -> Iterator[Word]:
    """Words no longer than a part: in scripts without spaces a sentence is one word."""
    for word in words:
        if len(word.spoken) <= limit:
            yield word
            continue
        for part in re.findall(rf".{{1,{limit - 1}}}[、，；,;]|.{{1,{limit}}}", word.spoken, re.DOTALL):
            yield Word(part, part)


def _grouped(words: Sequence[Word], limit: int) -> list[list[Word]]:
    """Words halved, best after a clause near the middle, until each part is short enough."""
    if not words:
        return []
    length = sum(len(word.spoken) + 1 for word in words) - 1
    if length <= limit or len(words) == 1:
        return [list(words)]
    before, best, cut = 0, float("inf"), 1
    for i in range(1, len(words)):
        before += len(words[i - 1].spoken) + 1
        bonus = 0.4 * length if words[i - 1].spoken.endswith(_CLAUSES) else 0.0
        cost = abs(2 * before - length) - bonus
        if cost < best:
            best, cut = cost, i
    return [*_grouped(words[:cut], limit), *_grouped(words[cut:], limit)]


def _warnings(marked: Marked, foreign: str, lang: str) -> tuple[str, ...]:
    found = []
    if foreign:
        found.append(f"letters that {lang} does not use were left out: {foreign[:20]}")
    told = [mark.word for mark in marked.marks if isinstance(mark, Pronounced)]
    if told:
        found.append(f"this engine takes no pronunciations; spoken as written: {', '.join(told[:5])}")
    return tuple(found)
