"""The cues of a job: as the subtitles and the cast have them now, with what was edited in the job folder."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from voicelip.dub.cast import Cast
from voicelip.dub.cues import Cue
from voicelip.dub.job import EDITABLE, CueState
from voicelip.errors import JobError


def merged(
    cues: Sequence[Cue], cast: Cast, old: Sequence[CueState], duration_s: float
) -> tuple[list[CueState], list[str]]:
    """A state for every cue, in the order of the subtitles, and what the user should know.

    An edit in the job folder stands until the subtitles or the cast say something new about the same thing.
    """
    found, told = [], []
    for cue, before in zip(cues, _predecessors(cues, old), strict=True):
        role = cast.role(cue.speaker)
        now = {**_said(cue), "voice": role.voice, "lang": role.lang}
        state = CueState(number=cue.number, line=cue.line, subtitle=now, **now)
        if before is not None:
            state = replace(state, takes=before.takes, fit=before.fit, scores=before.scores)
            kept, lost = _edits(before, now)
            state = replace(state, **kept)
            told += [
                f"cue {cue.number}: the edited {name} gave way to what is new in the subtitles"
                for name in lost
            ]
        if state.start_s >= duration_s:
            raise JobError(
                f"cue {cue.number} begins at {state.start_s:g} s, after the clip's end; mend its file"
            )
        found.append(state)
    return found, told


def _said(cue: Cue) -> dict[str, Any]:
    return {name: value for name, value in asdict(cue).items() if name in EDITABLE}


def _predecessors(cues: Sequence[Cue], old: Sequence[CueState]) -> list[CueState | None]:
    """For every cue the state that says the same, else the one of its number if that says nothing else's."""
    waiting = {before.number: before for before in old}
    same = {_identity(before.subtitle): before for before in reversed(old)}
    found: dict[int, CueState] = {}
    for cue in cues:
        before = same.get(_identity(_said(cue)))
        if before is not None and before.number in waiting:
            found[cue.number] = waiting.pop(before.number)
    for cue in cues:
        if cue.number not in found and cue.number in waiting:
            found[cue.number] = waiting.pop(cue.number)
    return [found.get(cue.number) for cue in cues]


def _identity(said: Any) -> tuple[Any, ...]:
    return tuple(said.get(name) for name in ("start_s", "end_s", "text", "speaker"))


def _edits(before: CueState, now: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Edited fields that stand, and the names of those that the subtitles have changed since."""
    standing, lost = {}, []
    for name in before.edited:
        if now[name] == before.subtitle.get(name):
            standing[name] = getattr(before, name)
        elif now[name] != getattr(before, name):
            lost.append(name)
    return standing, lost
