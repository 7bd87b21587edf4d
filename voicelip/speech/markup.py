"""Marks in the text that say how it is to be spoken: pauses, pronunciations, stress.

`<break 400ms>` pauses, `[word](/ipa/)` says how a word sounds, `*word*` stresses one. Of SSML, `<break
time="1s"/>` (or `strength="strong"`), `<phoneme ph="ipa">word</phoneme>`, `<sub alias="said">written</sub>`
and `<emphasis>` are understood, and `<speak>`, `<p>`, `<s>` are allowed around.
"""

import re
import unicodedata
from dataclasses import dataclass

from voicelip.errors import TextError

LONGEST_PAUSE_S = 60.0
STRESS = "\ue000"  # before a word that is to be stressed
_FIRST, _LAST = 0xF0000, 0xFFFFD  # private characters: one stands for each mark
MARK = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")

_STRENGTHS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.25, "medium": 0.5, "strong": 0.8, "x-strong": 1.2}
_BREAK = re.compile(
    r"<break\b\s*(?:time\s*=\s*)?[\"']?(?P<time>[\d.]+\s*m?s)?[\"']?"
    r"(?:\s*strength\s*=\s*[\"'](?P<strength>[\w-]+)[\"'])?[^<>]*>",
    re.IGNORECASE,
)
_SPOKEN_AS = re.compile(
    r"\[(?P<word>[^\[\]\n]+)\]\(/(?P<ipa>[^/\n]+)/\)"
    r"|<phoneme\b[^<>]*\bph\s*=\s*[\"'](?P<ph>[^\"']+)[\"'][^<>]*>(?P<inner>[^<>]*)</phoneme>",
    re.IGNORECASE,
)
_SUBSTITUTED = re.compile(r"<sub\b[^<>]*\balias\s*=\s*[\"']([^\"']+)[\"'][^<>]*>[^<>]*</sub>", re.IGNORECASE)
_STRESSED = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])|<emphasis\b[^<>]*>([^<>]*)</emphasis>")
_FRAME = re.compile(r"</?(?:speak|p|s|voice|prosody)\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True)
class Break:
    """A pause."""

    seconds: float


@dataclass(frozen=True)
class Pronounced:
    """A word that sounds as `ipa` says."""

    word: str
    ipa: str


@dataclass(frozen=True)
class Marked:
    """Text in which one private character stands for each of `marks`, in order."""

    text: str
    marks: tuple[Break | Pronounced, ...]

    def mark(self, char: str) -> Break | Pronounced:
        """What a private character stands for."""
        return self.marks[ord(char) - _FIRST]

    def written(self, text: str) -> str:
        """A part of the text as a reader sees it: without pauses, pronounced words as words."""
        return " ".join(MARK.sub(self._as_word, text).replace(STRESS, "").split())

    def at_breaks(self, text: str) -> list[tuple[str, float]]:
        """A part of the text, cut at its pauses; each piece with the pause after it in seconds."""
        pieces, start = [], 0
        for match in MARK.finditer(text):
            mark = self.mark(match.group())
            if isinstance(mark, Break):
                pieces.append((text[start : match.start()], mark.seconds))
                start = match.end()
        return [*pieces, (text[start:], 0.0)]

    def _as_word(self, match: "re.Match[str]") -> str:
        mark = self.mark(match.group())
        return mark.word if isinstance(mark, Pronounced) else ""


def parse(text: str) -> Marked:
    """Find the marks in a text."""
    marks: list[Break | Pronounced] = []

    def keep(mark: Break | Pronounced) -> str:
        if len(marks) > _LAST - _FIRST:
            raise TextError("the text holds too many marks; speak it in parts")
        marks.append(mark)
        return chr(_FIRST + len(marks) - 1)

    text = "".join(char for char in text if unicodedata.category(char) != "Co")
    text = _FRAME.sub("", _SUBSTITUTED.sub(r"\1", text))
    both = re.compile(f"(?:{_BREAK.pattern})|(?:{_SPOKEN_AS.pattern})", re.IGNORECASE)
    text = both.sub(lambda match: keep(_pause(match) if match.group().lower().startswith("<break") else
                                       _pronounced(match)), text)  # fmt: skip
    return Marked(_STRESSED.sub(_stressed, text), tuple(marks))


def _pause(match: "re.Match[str]") -> Break:
    if match["time"]:
        number = re.sub(r"[^\d.]", "", match["time"])
        try:
            seconds = float(number) / (1000 if match["time"].lower().endswith("ms") else 1)
        except ValueError:
            raise TextError(f"{match.group()}: write the pause as in <break 400ms>") from None
    elif match["strength"]:
        if match["strength"] not in _STRENGTHS_S:
            raise TextError(f"{match.group()}: strength is one of {', '.join(_STRENGTHS_S)}")
        seconds = _STRENGTHS_S[match["strength"]]
    elif re.fullmatch(r"<break\s*/?>", match.group(), re.IGNORECASE):
        seconds = _STRENGTHS_S["medium"]
    else:
        raise TextError(f"{match.group()}: write the pause as in <break 400ms>")
    if seconds > LONGEST_PAUSE_S:
        raise TextError(f"{match.group()}: a pause lasts at most {LONGEST_PAUSE_S:g} s")
    return Break(seconds)


def _pronounced(match: "re.Match[str]") -> Pronounced:
    return Pronounced((match["word"] or match["inner"]).strip(), (match["ipa"] or match["ph"]).strip())


def _stressed(match: "re.Match[str]") -> str:
    words = (match.group(1) or match.group(2)).split()
    return " ".join(STRESS + word for word in words)
