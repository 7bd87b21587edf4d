"""The files that go into a dub: known by their hashes, agreed to, and declared in the output."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from voicelip import claims
from voicelip.consent.asking import Use, require_drawn
from voicelip.consent.choice import FaceChoice
from voicelip.dub.cast import Role
from voicelip.dub.job import CueState, JobState
from voicelip.dub.options import DubOptions
from voicelip.dub.voices import Voices
from voicelip.face import FaceTrack
from voicelip.hashing import content_hash
from voicelip.media import Clip
from voicelip.trust import Claim, Source

Tracks = Callable[[], Iterable[tuple[int, FaceTrack]]]  # of faces, with the clip's frame that each begins at


def hashed(files: Mapping[str, Path | None]) -> dict[str, dict[str, str]]:
    """Name → {path, sha256} of the files that are there."""
    return {
        name: {"path": str(path), "sha256": content_hash(path)}
        for name, path in files.items()
        if path is not None
    }


def changed(before: JobState | None, inputs: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Names of the files that another run of the job found different."""
    if before is None:
        return []
    known = before.inputs
    return [
        name for name, each in inputs.items() if name in known and known[name].get("sha256") != each["sha256"]
    ]


def voices_used(states: Sequence[CueState], out: Path, options: DubOptions) -> list[Use]:
    """The voices in which the cues are spoken."""
    spoken = sorted({(state.voice, state.lang) for state in states})
    return [_use(out, options, voice=voice, lang=lang) for voice, lang in spoken]


def faces_named(
    clip: Path, roles: Sequence[Role], states: Sequence[CueState], out: Path, options: DubOptions
) -> list[Use]:
    """The faces that are known before any work. Who else is drawn is known only when faces are found."""
    langs = sorted({state.lang for state in states})
    choices = _choices(roles)
    return [_use(out, options, face=clip, choice=choice, lang=lang) for choice in choices for lang in langs]


def agreed_by_drawn(
    clip: Clip, tracks: Tracks, langs: Sequence[str], out: Path, options: DubOptions
) -> tuple[str, ...]:
    """Ids of the records in which all agree whose mouths are made anew; tracks are read one at a time."""
    shown = [_use(out, options, face=clip.path, lang=lang) for lang in langs]
    return tuple(each for use in shown for each in require_drawn(use, clip, tracks()).ids)


def _use(out: Path, options: DubOptions, **what: Any) -> Use:
    return Use("dub", out=out, agreement=options.agreement, **what)


def _choices(roles: Sequence[Role]) -> list[FaceChoice]:
    """The faces that the cast names, each once; a single speaker's is the clip's largest if it names none."""
    choices: list[FaceChoice] = []
    for role in roles:
        if isinstance(role.face, int):
            choice = FaceChoice(index=role.face)
        elif role.face is not None:
            choice = FaceChoice(photo=role.face)
        elif len(roles) == 1:
            choice = FaceChoice()
        else:
            continue
        if choice not in choices:
            choices.append(choice)
    return choices


def claim(
    clip: Path, states: Sequence[CueState], voices: Voices, options: DubOptions, ids: Sequence[str]
) -> Claim:
    """What the output is made from, and with."""
    made = claims.animated(clip, options.lips, options.detector)
    for voice in sorted({state.voice for state in states}):
        made += claims.spoken(options.engine, None, voices.origins(voice))
    if options.background is not None:
        made += Claim((Source(options.background, "componentOf", "background"),))
    return Claim(made.sources, tuple(dict.fromkeys(made.models)), tuple(dict.fromkeys(ids)))
