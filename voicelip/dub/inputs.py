"""The files that go into a dub: known by their hashes, agreed to, and declared in the output."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from voicelip import claims, consents
from voicelip.dub.cast import Role
from voicelip.dub.job import CueState, JobState
from voicelip.dub.options import DubOptions
from voicelip.dub.voices import Voices
from voicelip.hashing import content_hash
from voicelip.trust import Claim, Source


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


def agreed(
    clip: Path, roles: Sequence[Role], states: Sequence[CueState], out: Path, options: DubOptions
) -> tuple[consents.Granted, ...]:
    """Consent of everybody whose voice or face is used; raises ConsentError before any work."""
    spoken = sorted({(state.voice, state.lang) for state in states})
    langs = sorted({lang for _, lang in spoken})
    granted = [
        consents.require(
            consents.Use("dub", voice=voice, lang=lang, out=out, agreement=options.agreement)
        )
        for voice, lang in spoken
    ]  # fmt: skip
    for choice in _choices(roles):
        for lang in langs:
            use = consents.Use(
                "dub", face=clip, lang=lang, out=out, agreement=options.agreement, choice=choice
            )
            granted.append(consents.require(use))
    return tuple(granted)


def _choices(roles: Sequence[Role]) -> list[consents.FaceChoice]:
    """The faces that the cast names, each once; the clip's largest where it names none."""
    choices: list[consents.FaceChoice] = []
    for role in roles:
        if isinstance(role.face, int):
            choice = consents.FaceChoice(index=role.face)
        elif role.face is not None:
            choice = consents.FaceChoice(photo=role.face)
        else:
            choice = consents.FaceChoice()
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
