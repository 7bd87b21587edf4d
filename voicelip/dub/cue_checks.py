"""Which cues can be said: small faults are mended and told, the others stop the run before any work."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from voicelip.dub.cues import Cue
from voicelip.errors import SubtitleError

SHORTEST_MS = 300  # of a slot; in less nothing can be said
_TOLD = 8  # faults in one message


@dataclass(frozen=True)
class Found:
    """A subtitle as it was read; times in ms."""

    start_ms: int
    end_ms: int
    text: str
    line: int
    speaker: str


def checked(
    name: str, found: Sequence[Found], faults: Sequence[tuple[int, str]], duration_s: float
) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    """Cues in order of time, and what was mended; `faults` are (line, reason) known already.

    Left out: cues without words. Mended: an end after the clip's, an end after the speaker's next start.
    Refused, all in one SubtitleError: no time or a negative one, a start after the clip's end or together
    with another cue of the same speaker.
    """
    told: list[tuple[int, str]] = []
    broken = list(faults)
    end_ms = int(duration_s * 1000)
    cues = []
    for each in sorted(found, key=lambda cue: (cue.start_ms, cue.line)):
        if any(line == each.line for line, _ in faults):
            continue
        if not any(char.isalnum() for char in each.text):
            told.append((each.line, "holds no words and is left out"))
        elif fault := _fault(each, end_ms):
            broken.append((each.line, fault))
        else:
            cues.append(_ending(each, end_ms, told))
    cues = _apart(cues, told, broken)
    _refuse(name, broken, bool(cues))
    numbered = tuple(
        Cue(number, each.start_ms / 1000, each.end_ms / 1000, each.text, each.speaker, each.line)
        for number, each in enumerate(cues, 1)
    )
    return numbered, tuple(_said(name, line, what) for line, what in sorted(told))


def _fault(cue: Found, end_ms: int) -> str | None:
    if cue.start_ms < 0:
        return "its time is negative"
    if cue.end_ms == cue.start_ms:
        return "it ends when it starts"
    if cue.end_ms < cue.start_ms:
        return f"it ends {(cue.start_ms - cue.end_ms) / 1000:g} s before it starts"
    if cue.start_ms >= end_ms - SHORTEST_MS:
        return f"it starts at {cue.start_ms / 1000:g} s, but the clip ends at {end_ms / 1000:g} s"
    return None


def _ending(cue: Found, end_ms: int, told: list[tuple[int, str]]) -> Found:
    if cue.end_ms <= end_ms:
        return cue
    told.append(
        (cue.line, f"ends {(cue.end_ms - end_ms) / 1000:.2g} s after the clip; it ends with the clip")
    )
    return replace(cue, end_ms=end_ms)


def _apart(cues: list[Found], told: list[tuple[int, str]], broken: list[tuple[int, str]]) -> list[Found]:
    """No two cues of one speaker at once: the earlier one gives way."""
    latest: dict[str, int] = {}
    kept: list[Found] = []
    for cue in cues:
        place = latest.get(cue.speaker.casefold())
        if place is not None and kept[place].end_ms > cue.start_ms:
            before = kept[place]
            if cue.start_ms - before.start_ms < SHORTEST_MS:
                broken.append((cue.line, f"it starts together with line {before.line} of the same speaker"))
                continue
            over = (before.end_ms - cue.start_ms) / 1000
            told.append((before.line, f"overlaps the next cue by {over:g} s; it ends where that begins"))
            kept[place] = replace(before, end_ms=cue.start_ms)
        latest[cue.speaker.casefold()] = len(kept)
        kept.append(cue)
    return kept


def _refuse(name: str, broken: Sequence[tuple[int, str]], any_left: bool) -> None:
    if broken:
        told = "; ".join(f"line {line}: {why}" for line, why in sorted(broken)[:_TOLD])
        more = f"; and {len(broken) - _TOLD} more" if len(broken) > _TOLD else ""
        cues = "a cue cannot" if len(broken) == 1 else f"{len(broken)} cues cannot"
        raise SubtitleError(f"{name}: {cues} be dubbed: {told}{more}; mend them and run again")
    if not any_left:
        raise SubtitleError(f"{name}: holds nothing to say; check that it is the right file")


def _said(name: str, line: int, what: str) -> str:
    return f"{PurePath(name).name}, line {line}: {what}"
