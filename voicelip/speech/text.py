"""Text as it is written → the sentences that are spoken, one after the other."""

import re
import unicodedata
from collections.abc import Iterator, Set
from dataclasses import dataclass

from voicelip.errors import TextError
from voicelip.speech.markup import MARK, STRESS
from voicelip.speech.reading.tables import abbreviations

SPOKEN_SYMBOLS = set("°©®™№")
SPOKEN_SCRIPTS = frozenset({"LATIN", "DEVANAGARI", "MODIFIER", "FEMININE", "MASCULINE", "MICRO"})

# Words before which a full stop abbreviates; in lower case, without the stop.
ABBREVIATIONS = {
    "en": "dr mr mrs ms prof st jr sr gen col capt lt sgt rev hon vs e.g i.e cf no nos vol pp fig ed approx",
    "es": "sr sra srta dr dra d dña prof ud uds núm pág págs vol ej p.ej etc av avda",
    "fr": "m mm mme mlle dr pr st ste me no vol p pp av bd fig ex p.ex cf",
    "it": "sig sigg sig.ra dott dott.ssa prof prof.ssa ing avv on dr pag pagg vol n art es p.es ecc cfr",
    "pt": "sr sra srs sras dr dra prof profa d exmo pág págs vol n av ex p.ex",
    "hi": "डॉ श्री प्रो",
}

# Stops that a space follows, and those of scripts without spaces.
SENTENCE_END = re.compile(r"([.!?…।॥؟]+)([\"'”’»)\]]*)(?=\s|$)|[。！？]+[」』”）]*")


@dataclass(frozen=True)
class Sentence:
    """One sentence, and whether it is the last of its paragraph."""

    text: str
    ends_paragraph: bool


def clean(text: str, scripts: Set[str] = SPOKEN_SCRIPTS) -> tuple[str, str]:
    """Text without what cannot be read aloud, and the letters of foreign scripts that were left out."""
    dropped: dict[str, None] = {}
    kept = []
    for char in unicodedata.normalize("NFC", text):
        if _is_foreign_letter(char, scripts):
            dropped[char] = None
            kept.append(" ")
        elif _is_picture(char):
            kept.append(" ")
        else:
            kept.append(char)
    return "".join(kept), "".join(dropped)


def split_sentences(text: str, lang: str) -> list[Sentence]:
    """Cleaned text, split; an empty line ends a paragraph."""
    found: list[Sentence] = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        pieces = [piece for line in _lines(paragraph) for piece in _split(line, lang) if _is_speakable(piece)]
        found += [Sentence(piece, i + 1 == len(pieces)) for i, piece in enumerate(pieces)]
    if not found:
        raise TextError(
            "the text holds nothing that can be spoken; give at least one word in its language's script"
        )
    return found


def _is_foreign_letter(char: str, scripts: Set[str]) -> bool:
    if not unicodedata.category(char).startswith("L"):
        return False
    return unicodedata.name(char, "UNKNOWN").split(" ", 1)[0] not in scripts


def _is_picture(char: str) -> bool:
    """Emoji, dingbats and other signs that espeak would spell out by name; control characters."""
    category = unicodedata.category(char)
    if category in ("So", "Co", "Cn", "Cs"):
        return not (char in SPOKEN_SYMBOLS or MARK.match(char) or char == STRESS)
    return char in "\ufe0f\u20e3\ufeff" or (category == "Cc" and char not in "\n\r\t")


def _is_speakable(text: str) -> bool:
    return any(char.isalnum() or char in "%&$€£+=°" for char in text) or bool(MARK.search(text))


def _lines(paragraph: str) -> Iterator[str]:
    """Lines of a paragraph, those of a wrapped sentence joined: the next begins in lower case."""
    joined = re.sub(r"(?<![.!?:;…।])[ \t]*\n[ \t]*(?=[a-zà-ÿ])", " ", paragraph.strip())
    for line in joined.split("\n"):
        yield " ".join(line.split())


def _split(line: str, lang: str) -> Iterator[str]:
    start = 0
    for match in SENTENCE_END.finditer(line):
        if _ends_sentence(line, match, lang):
            yield line[start : match.end()].strip()
            start = match.end()
    if line[start:].strip():
        yield line[start:].strip()


def _ends_sentence(line: str, match: "re.Match[str]", lang: str) -> bool:
    """Whether the stop found by `SENTENCE_END` closes a sentence and not an abbreviation or an initial."""
    following = line[match.end() :].lstrip()
    if not following or match.group(1) is None:
        return True
    if match.group(1) != ".":
        return not following[0].islower()
    if following[0].islower():
        return False
    word = re.split(r"[\s(\"“«]", line[: match.start()])[-1]
    if re.fullmatch(r"(\w\.)*[^\W\d_]", word) and word.isupper():
        # "U.S. He" ends one, "John F. Kennedy" does not.
        return word.count(".") > 0 and _starts_sentence(following)
    if following[0].isdigit() and f"{word}." in abbreviations(lang):
        return False  # "Jan. 5", "p. 12"
    return word.lower() not in ABBREVIATIONS.get(lang.split("-")[0], "").split()


def _starts_sentence(text: str) -> bool:
    """Whether text after a spelled abbreviation begins with one of the words that open a sentence."""
    openers = "the a an he she it we they you i this that these those but and in on at if when however there"
    return text.split()[0].lower().strip(",'’") in openers.split()
