"""Whether speech can be what its text says: neither cut short nor babbling on."""

from collections.abc import Sequence

from voicelip.speech.alignment import disagreement
from voicelip.speech.engine import Segment

# Letters a second, as slow and as fast as people speak; scripts of syllables have fewer.
SLOWEST, FASTEST = 6.0, 35.0
SYLLABIC_SLOWEST, SYLLABIC_FASTEST = 2.0, 12.0
SYLLABIC = ("zh", "ja", "ko")
SLACK_S = 1.5  # of silence around and of slow starts
MOST_DISAGREEMENT = 0.45


def longest_s(text: str, lang: str, speed: float = 1.0) -> float:
    """Speech that lasts longer says something else as well."""
    slowest = SYLLABIC_SLOWEST if lang[:2] in SYLLABIC else SLOWEST
    return SLACK_S + _letters(text) / slowest / speed


def fault(text: str, lang: str, spoken_s: float, heard: Sequence[Segment] | None, speed: float = 1.0) -> str:
    """What is wrong with speech of `spoken_s` seconds, in words; empty if nothing is.

    `heard` is what a recogniser heard, None where there is none.
    """
    fastest = SYLLABIC_FASTEST if lang[:2] in SYLLABIC else FASTEST
    if spoken_s > longest_s(text, lang, speed):
        return f"runs on for {spoken_s:.1f} s"
    if spoken_s < _letters(text) / fastest / speed:
        return f"ends after {spoken_s:.1f} s"
    if heard is not None and disagreement(text, heard) > MOST_DISAGREEMENT:
        return f"sounds like {' '.join(word.text for word in heard)[:40]!r}"
    return ""


def _letters(text: str) -> int:
    return sum(char.isalnum() for char in text)
