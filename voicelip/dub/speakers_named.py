"""Who a subtitle says is speaking: `Name:` before the text, or WebVTT's voices."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

_NAME = r"[^\W\d_][\w.'’-]*"
_PREFIX = re.compile(
    rf"^\s*(?:[-–—]\s*)?(?:>>\s*)?({_NAME}(?:[ ]{_NAME}|[ ]\d+){{0,2}})\s*(?:\([^)]*\))?\s*:(?:\s+|$)"
)
_VOICE = re.compile("^\0([^\0]*)\0")
_OFTEN = 2


def names_in(lines: Sequence[str], known: Collection[str] = ()) -> frozenset[str]:
    """What stands before a colon and is a speaker, in lower case: names of the cast, and names written with
    capitals that come more than once or before most lines.
    """
    found = [match.group(1) for line in lines if (match := _PREFIX.match(line))]
    names = [name for name in found if all(word[0].isupper() or word[0].isdigit() for word in name.split())]
    counts = Counter(name.casefold() for name in names)
    everywhere = len(names) > 0.5 * len([line for line in lines if line.strip()])
    often = {name for name, count in counts.items() if count >= _OFTEN or everywhere}
    return frozenset(often | {name.casefold() for name in known})


def split_by_speaker(text: str, speaker: str, named: Collection[str]) -> list[tuple[str, list[str]]]:
    """Speakers and their lines, in order; `speaker` says what stands before any name."""
    parts: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        who, said = _who(line, named)
        if who is not None or not parts:
            parts.append((speaker if who is None else who, []))
        parts[-1][1].append(said)
    return [part for part in parts if any(line.strip() for line in part[1])] or parts[:1]


def _who(line: str, named: Collection[str]) -> tuple[str | None, str]:
    if voice := _VOICE.match(line):
        return voice.group(1), line[voice.end() :]
    prefix = _PREFIX.match(line)
    if prefix and prefix.group(1).casefold() in named:
        return prefix.group(1), line[prefix.end() :]
    return None, line
