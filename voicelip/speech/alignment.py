"""Word times for speech whose engine gives none: from what a recogniser heard, or else by letters."""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from voicelip.speech.engine import Segment

PAUSE_LETTERS = {",": 3, ";": 4, ":": 4, ".": 5, "!": 5, "?": 5}  # as long as so many letters


def by_hearing(
    words: Sequence[str], heard: Sequence[Segment], start_s: float, end_s: float
) -> tuple[Segment, ...]:
    """Written words with the times of the same words heard; others share the time between by letters."""
    ours, theirs = [_bare(word) for word in words], [_bare(word.text) for word in heard]
    found: list[Segment | None] = [None] * len(words)
    for a, b, size in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        for i in range(size):
            found[a + i] = Segment(words[a + i], heard[b + i].start_s, heard[b + i].end_s)
    timed: list[Segment] = []
    at = 0
    while at < len(words):
        if (segment := found[at]) is not None:
            timed.append(segment)
            at += 1
            continue
        until = next((i for i in range(at, len(words)) if found[i] is not None), len(words))
        follower = found[until] if until < len(words) else None
        since = timed[-1].end_s if timed else start_s
        timed += by_letters(words[at:until], since, max(since, follower.start_s if follower else end_s))
        at = until
    return tuple(timed)


def by_letters(words: Sequence[str], start_s: float, end_s: float) -> tuple[Segment, ...]:
    """An estimate: each word takes time as it has letters, and marks are pauses."""
    shares = [max(1, len(_bare(word))) + 1 for word in words]
    pauses = [PAUSE_LETTERS.get(word[-1:], 0) for word in words]
    if pauses:
        pauses[-1] = 0
    scale = (end_s - start_s) / max(1, sum(shares) + sum(pauses))
    timed, at = [], start_s
    for word, share, pause in zip(words, shares, pauses, strict=True):
        timed.append(Segment(word, at, at + share * scale))
        at += (share + pause) * scale
    return tuple(timed)


def disagreement(text: str, heard: Sequence[Segment]) -> float:
    """0 when the letters heard are those of the text, 1 when nothing is alike; spaces do not count."""
    ours, theirs = _bare(text), _bare("".join(word.text for word in heard))
    return 1 - SequenceMatcher(None, ours, theirs, autojunk=False).ratio() if ours or theirs else 0.0


def _bare(text: str) -> str:
    """Letters, marks of Indic scripts and digits only, small."""
    kept = "".join(char for char in text.lower() if unicodedata.category(char)[0] in "LMN")
    return unicodedata.normalize("NFKC", kept)
