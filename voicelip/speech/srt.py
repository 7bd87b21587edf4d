"""Subtitles of spoken text: sentence by sentence, at most two lines of 42 characters each."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

from voicelip.errors import OutputError
from voicelip.speech.engine import Segment, Speech

LINE = 42
LINES = 2
_CLOSES_CLAUSE = (",", ";", ":", "—", "–", "،", "、")


def subtitles(speech: Speech) -> list[Segment]:
    """What is read while it is heard; `text` holds its line breaks."""
    return [part for segment in speech.segments for part in parts(segment, speech.words)]


def write_srt(path: Path, speech: Speech, overwrite: bool = False) -> None:
    """Write the subtitles in the format that the ending asks for: .srt, .vtt, .ass and others."""
    write_parts(path, subtitles(speech), overwrite)


def write_parts(path: Path, found_parts: Sequence[Segment], overwrite: bool = False) -> None:
    """The same of subtitles that are cut already."""
    check_subtitles(path, overwrite)
    import pysubs2

    found = pysubs2.SSAFile()
    for part in found_parts:
        start, end = round(part.start_s * 1000), round(part.end_s * 1000)
        found.append(pysubs2.SSAEvent(start=start, end=end, text=part.text.replace("\n", "\\N")))
    try:
        found.save(str(path))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


def check_subtitles(path: Path, overwrite: bool = False) -> None:
    """Refuse now what could not be written later."""
    from pysubs2.exceptions import UnknownFileExtensionError
    from pysubs2.formats import get_format_identifier

    try:
        get_format_identifier(path.suffix.lower())
    except UnknownFileExtensionError:
        raise OutputError(f"{path}: no subtitle format ends so; choose .srt, .vtt or .ass") from None
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; choose another name or allow overwriting")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: there is no such folder; make it first")


def parts(sentence: Segment, words: Sequence[Segment], longest_s: float = math.inf) -> list[Segment]:
    """A sentence, in as few subtitles as will hold it, each with the times of its own words."""
    own = [word for word in words if sentence.start_s - 1e-6 <= word.start_s < sentence.end_s]
    if not own or (_fits(sentence.text) and sentence.end_s - sentence.start_s <= longest_s):
        return [Segment(_lines(sentence.text), sentence.start_s, sentence.end_s)]
    groups = _groups(own, longest_s)
    ends = [*(group[0].start_s for group in groups[1:]), sentence.end_s]
    starts = [sentence.start_s, *(group[0].start_s for group in groups[1:])]
    return [
        Segment(_lines(" ".join(word.text for word in group)), start, end)
        for group, start, end in zip(groups, starts, ends, strict=True)
    ]


def _groups(words: list[Segment], longest_s: float) -> list[list[Segment]]:
    """Words halved, best after a clause near the middle, until each part fits."""
    is_short = words[-1].end_s - words[0].start_s <= longest_s
    if len(words) == 1 or (is_short and _fits(" ".join(word.text for word in words))):
        return [words]
    lengths = [len(word.text) + 1 for word in words]
    total, before, best, cut = sum(lengths), 0, float("inf"), 1
    for i in range(1, len(words)):
        before += lengths[i - 1]
        bonus = 0.4 * total if words[i - 1].text.endswith(_CLOSES_CLAUSE) else 0.0
        cost = abs(2 * before - total) - bonus
        if cost < best:
            best, cut = cost, i
    return [*_groups(words[:cut], longest_s), *_groups(words[cut:], longest_s)]


def _fits(text: str) -> bool:
    return len(textwrap.wrap(text, LINE, break_long_words=True)) <= LINES


def _lines(text: str) -> str:
    """One line if it fits, else two of about the same length."""
    if len(text) <= LINE:
        return text
    cuts = [i for i, char in enumerate(text) if char == " " and i <= LINE and len(text) - i - 1 <= LINE]
    if not cuts:
        return "\n".join(textwrap.wrap(text, LINE))
    cut = min(cuts, key=lambda i: abs(2 * i - len(text)))
    return f"{text[:cut]}\n{text[cut + 1 :]}"
