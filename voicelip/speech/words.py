"""When each word is heard, from the lengths that a model gives to its phonemes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from voicelip.speech.engine import Segment


@dataclass(frozen=True)
class Lettered:
    """A written word and the range of phonemes (start, end) that it is spoken with."""

    text: str
    start: int
    end: int


def within(words: Sequence[Lettered], start: int, end: int) -> tuple[Lettered, ...]:
    """The words that begin in a range of phonemes, counted from its start; a silent one joins the one
    before.
    """
    found: list[Lettered] = []
    for word in words:
        if not start <= word.start < max(end, start + 1):
            continue
        if word.start == word.end and found:
            found[-1] = replace(found[-1], text=f"{found[-1].text} {word.text}")
        else:
            found.append(Lettered(word.text, word.start - start, min(word.end, end) - start))
    return tuple(found)


def timed(
    words: Sequence[Lettered], frames: np.ndarray, frame_s: float, cut_s: float, longest_s: float
) -> tuple[Segment, ...]:
    """Words with their times in a sound of which the first `cut_s` were cut off and `longest_s` remain.

    `frames` holds the length of each phoneme, (P + 2,) with the silence before and after. In fluent speech
    words touch: the space between two, one phoneme, belongs to the second.
    """
    edges = np.concatenate([[0], np.cumsum(frames)]) * frame_s - cut_s
    edges = np.clip(edges, 0.0, longest_s)
    found: list[Segment] = []
    for before, word in zip([None, *words], words, strict=False):
        touching = before is not None and word.start - before.end == 1
        found.append(
            Segment(word.text, float(edges[word.start + (0 if touching else 1)]), float(edges[word.end + 1]))
        )
    return tuple(found)


def shifted(words: Sequence[Segment], by_s: float) -> tuple[Segment, ...]:
    """The same words, later."""
    return tuple(replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in words)
