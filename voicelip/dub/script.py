"""The cues of a job: as the subtitles and the cast have them now, with what was edited in the job folder."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from voicelip.dub.cast import Cast
from voicelip.dub.cues import Cue
from voicelip.dub.job import EDITABLE, CueState, Job
from voicelip.errors import JobError


@dataclass(frozen=True)
class Script:
    """A state for every cue, in the order of the subtitles, and what the user should know. `moved` holds the
    numbers that cues had before, by those that they have now.
    """

    cues: tuple[CueState, ...]
    told: tuple[str, ...]
    moved: Mapping[int, int]

    def write(self, job: Job) -> None:
        """Write what is not in the job folder yet, each cue before its old file becomes another's."""
        there = {cue.number: cue for cue in job.cues()}
        now = {cue.number: cue for cue in self.cues}
        for number in _safe_order(now, self.moved):
            if there.get(number) != now[number]:
                job.write_cue(now[number])
        job.forget_cues_after(len(now))


def merged(cues: Sequence[Cue], cast: Cast, old: Sequence[CueState], duration_s: float) -> Script:
    """The script as it is now.

    An edit in the job folder stands until the subtitles or the cast say something new about the same thing.
    """
    found, told, moved = [], [], {}
    for cue, before in zip(cues, _predecessors(cues, old), strict=True):
        role = cast.role(cue.speaker)
        now = {**_said(cue), "voice": role.voice, "lang": role.lang}
        state = CueState(number=cue.number, line=cue.line, subtitle=now, **now)
        if before is not None:
            moved[cue.number] = before.number
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
    return Script(tuple(found), tuple(told), moved)


def _safe_order(numbers: Collection[int], moved: Mapping[int, int]) -> list[int]:
    """The numbers, each after the one whose cue stands in its file so far."""
    tenants = {before: number for number, before in moved.items() if before != number}
    order: dict[int, None] = {}
    for number in numbers:
        chain = [number]
        while (tenant := tenants.get(chain[-1])) is not None and tenant not in order and tenant not in chain:
            chain.append(tenant)
        order.update(dict.fromkeys(reversed(chain)))
    return list(order)


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
