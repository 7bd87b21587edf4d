"""Recordings of a person → a voice profile."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import numpy as np

from voicelip.errors import BadReferenceError, ModelFileError
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech import campplus, clone, encoder, finish, phonemes
from voicelip.speech.pace import syllable_rate
from voicelip.speech.pitch import pitch_of
from voicelip.speech.profile import Origin, Profile
from voicelip.speech.profile_store import check_free, save_profile, voices_folder
from voicelip.speech.reference import LONGEST_S, Reference, read_references
from voicelip.version import __version__

Fit = Literal["none", "quick", "full"]
MOST_RECORDINGS = 200
GAP_S = 0.2


def enrol(
    name: str,
    recordings: Sequence[Path],
    *,
    fit: Fit = "quick",
    lang: str | None = None,
    keep_audio: bool = False,
    overwrite: bool = False,
    seed: int = 0,
    consents: tuple[str, ...] = (),
    progress: Progress = silent,
) -> Profile:
    """Make the profile `name` of the person heard in `recordings`, and keep it.

    `consents` are ids of the records under which it is made, which `voicelip.consent.keeping.add_voice` asks
    for.
    """
    name = check_free(name, overwrite)
    lang = phonemes.resolve_language(lang) if lang else None
    references = read_references(_counted(recordings), progress)
    _check_total(references)
    profile = describe(name, references, lang, keep_audio, progress)
    profile = replace(profile, consents=consents)
    if fit != "none":
        profile = fitted(profile, references, fit, seed, progress)
    sounds = (
        {f"reference-{i}.flac": _flac(one.audio) for i, one in enumerate(references)} if keep_audio else {}
    )
    save_profile(profile, sounds, overwrite)
    return profile


def describe(
    name: str,
    references: Sequence[Reference],
    lang: str | None,
    keep_audio: bool,
    progress: Progress = silent,
) -> Profile:
    """A profile by what can be measured at once, without a fit."""
    windows = np.concatenate([reference.windows for reference in references])
    embedding = encoder.middle(windows)
    joined = join([reference.audio for reference in references])
    found = clone.one_shot(embedding, joined, progress)
    return Profile(
        name=name,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        voicelip=__version__,
        lang=lang,
        origins=tuple(_origin(i, one, keep_audio) for i, one in enumerate(references)),
        embedding=embedding,
        windows=windows,
        campplus=campplus.embed(joined),
        mixture=found.mixture,
        overrides=found.overrides,
        pace=found.pace,
        pitch=pitch_of(joined),
        syllables_per_s=syllable_rate(joined),
        spectrum=finish.long_term_spectrum(joined),
    )


def fitted(
    profile: Profile, references: Sequence[Reference], fit: Fit, seed: int, progress: Progress
) -> Profile:
    """The profile with a style and decoder constants fitted to its speaker.

    A fit that was interrupted goes on where it stopped when the same recordings are given again.
    """
    import hashlib

    from voicelip.speech.fit import fit_voice

    if fit == "none":
        return profile
    digest = hashlib.sha256(
        "".join([*(one.sha256 for one in references), fit, str(seed)]).encode()
    ).hexdigest()
    state = voices_folder().parent / "fits" / f"{digest[:24]}.state"
    state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    audio = [one.audio for one in references]
    try:
        found = fit_voice(audio, fit, seed, progress=progress, resume_from=state)
    except ModelFileError:
        # Of a version that fitted otherwise, or damaged: nothing in it is the user's, so the fit begins anew.
        if not state.exists():
            raise
        state.unlink()
        found = fit_voice(audio, fit, seed, progress=progress, resume_from=state)
    return replace(
        profile,
        mixture=found.mixture,
        style=found.style,
        overrides=found.overrides,
        # A fit that leaves the pace alone keeps the one that was measured.
        pace=profile.pace if found.pace == 1.0 else found.pace,
        fit={"mode": found.mode, "seed": found.seed, "scores": dict(found.scores)},
    )


def join(recordings: Sequence[Audio]) -> Audio:
    """All recordings one after the other, at the highest of their rates."""
    rate = max(audio.sample_rate for audio in recordings)
    gap = np.zeros(round(GAP_S * rate), np.float32)
    pieces = [piece for audio in recordings for piece in (audio.resampled(rate).samples, gap)]
    return Audio(np.concatenate(pieces[:-1]), rate)


def _counted(recordings: Sequence[Path]) -> Sequence[Path]:
    if not recordings:
        raise BadReferenceError("no recording was given; name one or more of the person speaking")
    if len(recordings) > MOST_RECORDINGS:
        raise BadReferenceError(
            f"{len(recordings)} recordings are more than is of use; give a clear minute or two"
        )
    return recordings


def _check_total(references: Sequence[Reference]) -> None:
    total = sum(reference.speech_s for reference in references)
    if total > 2 * LONGEST_S:
        raise BadReferenceError(
            f"the recordings hold {total / 60:.0f} min of speech; give one or two clear minutes"
        )


def _origin(number: int, reference: Reference, keep_audio: bool) -> Origin:
    return Origin(
        file=reference.path.name,
        sha256=reference.sha256,
        duration_s=round(reference.duration_s, 2),
        speech_s=round(reference.speech_s, 2),
        findings=tuple(f"{finding.kind}: {finding.text}" for finding in reference.findings),
        kept=f"reference-{number}.flac" if keep_audio else None,
    )


def _flac(audio: Audio) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, audio.samples, audio.sample_rate, subtype="PCM_16", format="FLAC")
    return buffer.getvalue()
