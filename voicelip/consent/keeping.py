"""Keeping somebody's voice or face: allowed only under their consent, which is remembered with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voicelip.consent.asking import Agreement, Use, require
from voicelip.progress import Progress, silent

if TYPE_CHECKING:
    from voicelip.speech.enrol import Fit
    from voicelip.speech.profile import Profile
    from voicelip.training.adapt import Adapted, AdaptOptions


def add_voice(
    name: str,
    recordings: Sequence[Path],
    *,
    fit: "Fit" = "quick",
    lang: str | None = None,
    keep_audio: bool = False,
    agreement: Agreement | None = None,
    overwrite: bool = False,
    seed: int = 0,
    progress: Progress = silent,
) -> "Profile":
    """`speech.enrol.enrol`, for recordings of somebody who agreed to it."""
    from voicelip.speech.profile_store import check_free

    check_free(name, overwrite)
    granted = require(Use("voice", voice=list(recordings), agreement=agreement or Agreement()))
    from voicelip.speech.enrol import enrol  # loads torch, which a refusal need not wait for

    return enrol(
        name, recordings, fit=fit, lang=lang, keep_audio=keep_audio, overwrite=overwrite, seed=seed,
        consents=granted.ids, progress=progress,
    )  # fmt: skip


def import_voice(
    file: Path, name: str | None = None, agreement: Agreement | None = None, overwrite: bool = False
) -> "Profile":
    """Take in a profile that was exported elsewhere, if a consent record that is believed here covers it."""
    from voicelip.speech.profile_store import import_profile

    def checked(profile: "Profile") -> tuple[str, ...]:
        return require(Use("voice", voice=profile, agreement=agreement or Agreement())).ids

    return import_profile(file, name, overwrite, checked)


def adapt_face(
    clip: str | Path,
    options: "AdaptOptions | None" = None,
    agreement: Agreement | None = None,
    progress: Progress = silent,
) -> "Adapted":
    """`training.adapt.adapt`, for a clip of somebody who agreed to it."""
    from voicelip.training.adapt import adapt

    granted = require(Use("adapt", face=clip, agreement=agreement or Agreement()))
    return adapt(clip, options, progress, granted.ids, granted.confirm)
