"""A sentence as it is written → its words, each with the words in which it is read aloud."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from voicelip.speech.reading import calendar, plain, quantities, web
from voicelip.speech.reading.rules import Rule
from voicelip.speech.reading.tables import is_known, language

_OPENING = set("([{«“„‘¿¡\"'")


@dataclass(frozen=True)
class Word:
    """What stands between two spaces, or what is read as one ("10 km"); punctuation included."""

    written: str
    spoken: str


def read(sentence: str, lang: str) -> tuple[Word, ...]:
    """The words of a sentence; in a language without tables they are spoken as written."""
    rules = _rules(lang) if is_known(lang) else ()
    return tuple(_without_loose_marks(_words(_chunks(sentence, rules))))


def _chunks(sentence: str, rules: tuple[Rule, ...]) -> list[tuple[str, str | None]]:
    """The sentence cut into pieces: written, and spoken if a rule reads it."""
    taken: list[tuple[int, int, str]] = []
    for rule in rules:
        for match in rule.pattern.finditer(sentence):
            start, end = match.span()
            if start == end or any(
                start < other_end and other_start < end for other_start, other_end, _ in taken
            ):
                continue
            said = rule.say(match)
            if said is not None:
                taken.append((start, end, said + _full_stop(match, said)))
    chunks: list[tuple[str, str | None]] = []
    at = 0
    for start, end, said in sorted(taken):
        chunks += [(sentence[at:start], None), (sentence[start:end], said)]
        at = end
    return [*chunks, (sentence[at:], None)]


def _full_stop(match: "re.Match[str]", said: str) -> str:
    """The stop of an abbreviation that ends the sentence ends it still."""
    ends = match.group().endswith(".") and not match.string[match.end() :].strip(" \"”»')")
    return "." if ends and not said.endswith(".") else ""


@functools.cache
def _rules(lang: str) -> tuple[Rule, ...]:
    table = language(lang)
    kinds = (web, calendar, quantities, plain)
    return tuple(rule for kind in kinds for rule in kind.rules(table))


def _words(chunks: list[tuple[str, str | None]]) -> Iterator[Word]:
    """Words between the spaces of what no rule touched; a read piece joins what it touches."""
    written = spoken = ""
    for text, said in chunks:
        if said is not None:
            written, spoken = written + text, spoken + said
            continue
        for piece in re.split(r"(\s+)", text):
            if piece and not piece.isspace():
                written, spoken = written + piece, spoken + piece
            elif piece and written:
                yield _word(written, spoken)
                written = spoken = ""
    if written:
        yield _word(written, spoken)


def _word(written: str, spoken: str) -> Word:
    return Word(written, re.sub(r"\s+(?=[,.;:!?…])", "", " ".join(spoken.split())))


def _without_loose_marks(words: Iterator[Word]) -> Iterator[Word]:
    """Marks that stand alone join the word that they belong to: « oui » , va ? , this – that."""
    held: Word | None = None
    lead = ""
    for word in words:
        if any(_is_read(char) for char in word.spoken):
            if held:
                yield held
            held, lead = Word(_joined(lead, word.written), lead.replace(" ", "") + word.spoken), ""
        elif word.spoken and word.spoken[0] in _OPENING and word.spoken not in ('"', "'"):
            lead = _joined(lead, word.written)
        elif held:
            tail = f" {word.spoken}" if re.fullmatch(r"[-–—]+", word.spoken) else word.spoken
            held = Word(f"{held.written} {word.written}", held.spoken + tail)
        else:
            lead = _joined(lead, word.written)
    if held:
        yield held if not lead else Word(f"{held.written} {lead}", held.spoken)


def _joined(lead: str, text: str) -> str:
    return f"{lead} {text}" if lead else text


def _is_read(char: str) -> bool:
    return char.isalnum() or not (char.isascii() or char in "«»“”„‟‘’–—…¿¡।॥·•")
