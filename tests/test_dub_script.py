"""Subtitles meet what is in the job folder: edits stand, takes go with their cues, nothing is lost."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from voicelip.dub.cast import Cast, Role
from voicelip.dub.cues import Cue
from voicelip.dub.job import CueState, Job, Take
from voicelip.dub.script import Script, merged
from voicelip.errors import JobError

CAST = Cast(anyone=Role("", "stock:ef_dora", None, "es"))


def cues(*texts: str) -> tuple[Cue, ...]:
    """One every two seconds, or where `text@seconds` says."""
    found = []
    for number, text in enumerate(texts, 1):
        said, _, at = text.partition("@")
        start = float(at) if at else 2.0 * number
        found.append(Cue(number, start, start + 1.5, said, "", 4 * number))
    return tuple(found)


def script(now: Sequence[Cue], old: Sequence[CueState] = (), cast: Cast = CAST) -> Script:
    return merged(now, cast, old, 100.0)


def spoken(states: Sequence[CueState]) -> list[CueState]:
    """With a take each, known by the cue's text."""
    return [replace(state, takes=(Take(state.text, "", 1.0, 1.0),)) for state in states]


def test_takes_go_with_what_is_said_not_with_the_number() -> None:
    old = spoken(script(cues("uno@2", "dos@4", "tres@6")).cues)
    now = script(cues("uno@2", "y medio@3", "dos@4", "tres@6"), old).cues
    assert [take.key for cue in now for take in cue.takes] == ["uno", "dos", "tres"]
    fewer = script(cues("uno@2", "tres@6"), old).cues
    assert [take.key for cue in fewer for take in cue.takes] == ["uno", "tres"]


def test_an_edit_stands_while_the_subtitles_say_the_same() -> None:
    old = [replace(script(cues("uno")).cues[0], text="una", voice="stock:em_alex")]
    found = script(cues("uno"), old)
    assert (found.cues[0].text, found.cues[0].voice) == ("una", "stock:em_alex")
    assert found.cues[0].edited == ("text", "voice")
    assert found.told == ()


def test_an_edit_gives_way_to_a_later_change_of_the_same_and_stands_beside_others() -> None:
    old = [replace(script(cues("uno@2")).cues[0], text="una", voice="stock:em_alex")]
    found = script(cues("primero@2"), old)
    assert (found.cues[0].text, found.cues[0].voice) == ("primero", "stock:em_alex")
    assert found.told == ("cue 1: the edited text gave way to what is new in the subtitles",)


def test_another_voice_in_the_cast_is_heard_where_nobody_chose_one() -> None:
    old = list(script(cues("uno", "dos")).cues)
    old[1] = replace(old[1], voice="stock:em_alex")
    other = Cast(anyone=Role("", "stock:ff_siwis", None, "es"))
    found = script(cues("uno", "dos"), old, other)
    assert [cue.voice for cue in found.cues] == ["stock:ff_siwis", "stock:ff_siwis"]
    assert found.told == ("cue 2: the edited voice gave way to what is new in the subtitles",)


def test_a_cue_that_was_moved_behind_the_end_is_refused() -> None:
    old = [replace(script(cues("uno")).cues[0], start_s=200.0, end_s=201.0)]
    with pytest.raises(JobError, match="cue 1 begins at 200 s, after the clip's end"):
        script(cues("uno"), old)


CHANGES = [
    ("uno@2", "nuevo@3", "dos@4", "tres@6", "cuatro@8"),
    ("dos@4", "tres@6", "cuatro@8"),
    ("uno@2", "cuatro@8"),
    ("cero@1", "uno@2", "tres@6", "cuatro@8", "cinco@10"),
]


@pytest.mark.parametrize("texts", CHANGES)
def test_an_edit_survives_a_run_that_is_killed_between_any_two_files(
    texts: tuple[str, ...], tmp_path: Path
) -> None:
    first = script(cues("uno@2", "dos@4", "tres@6", "cuatro@8"))
    edited = [replace(cue, text=f"{cue.text}!") for cue in first.cues]
    wanted = script(cues(*texts), edited)
    for killed_after in range(7):
        job = Job(tmp_path / f"{killed_after}")
        with job.locked():
            for cue in edited:
                job.write_cue(cue)
            written = _killed_after(killed_after, job, wanted)
            again = script(cues(*texts), job.cues())
            again.write(job)
            assert job.cues() == wanted.cues, written


def _killed_after(count: int, job: Job, wanted: Script) -> list[int]:
    """Write the script, but for all files after the first few."""
    written: list[int] = []

    class Killed(Job):
        def write_cue(self, cue: CueState) -> None:
            if len(written) < count:
                super().write_cue(cue)
                written.append(cue.number)

        def forget_cues_after(self, number: int) -> None:
            if len(written) < count:
                super().forget_cues_after(number)

    wanted.write(Killed(job.folder))
    return written
