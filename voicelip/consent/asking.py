"""Consent before anything is done with a real person's voice or face: one call, `require`, before the work.

What a voice or face is known again by is found out here; whether that is covered is decided in `trust`.
Stock voices and the presenter that comes with voicelip are nobody's and need no consent.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelip.consent.choice import WHOEVER, FaceChoice
from voicelip.consent.shown import faces_in, voices_in
from voicelip.errors import ConsentError, UnsupportedLanguageError
from voicelip.trust import audit_log, consent_check, consent_store
from voicelip.trust.consent import Consent
from voicelip.trust.consent import read as read_consent
from voicelip.trust.consent_check import Ask, Grant, Shown

if TYPE_CHECKING:
    from voicelip.face import FaceTrack
    from voicelip.media import Clip
    from voicelip.speech.profile import Profile
    from voicelip.trust.likeness import Likeness


@dataclass(frozen=True)
class Agreement:
    """What a user says about consent: records besides those kept here, and what the result is for."""

    records: tuple[Path, ...] = ()
    purpose: str | None = None


_NOTHING_SAID = Agreement()


@dataclass(frozen=True)
class Use:
    """What is about to be done.

    `action` is the command's name (`trust.consent.ACTIONS`). `voice` is as users write it: `stock:NAME`, a
    profile's name or a recording; or it is several recordings, or a profile. `lang` is what will be spoken,
    if that is known. `out` is what will be written. `choice` says which of several faces.
    """

    action: str
    voice: "str | Path | Sequence[Path] | Profile | None" = None
    face: str | Path | None = None
    lang: str | None = None
    out: str | Path | None = None
    agreement: Agreement = _NOTHING_SAID
    choice: FaceChoice = WHOEVER


@dataclass(frozen=True)
class Granted:
    """What was granted: the records' ids, for the credentials, and the face that it was granted for."""

    ids: tuple[str, ...] = ()
    face: Grant | None = None
    use: Use | None = None

    def confirm(self, clip: "Clip", track: "FaceTrack") -> None:
        """Refuse a track of a clip that follows anybody but the person who agreed.

        Nothing is to be done for a recording that the record names and that shows nobody else.
        """
        if self.face is None or self.face.by_hash or self.use is None:
            return
        from voicelip.consent.faces import stranger_in

        consent = self.face.consent
        at_s = stranger_in(clip, track, [medium.likeness for medium in consent.of_kind("face")])
        if at_s is not None:
            error = ConsentError(
                f"{clip.path}: at {at_s:.1f} s the face is not that of {consent.subject}, whom consent "
                f"{consent.id} is of; cut the clip, or choose with --face-index N or --face-like PHOTO",
                "wrong face",
            )
            _log(self.use, "refused", self.ids, error.reason)
            raise error


def require(use: Use) -> Granted:
    """Check that everybody whose voice or face is used has agreed; the audit log gets what was found.

    Raises ConsentError, with the reason and what to do next.
    """
    return _required(use, _shown(use))


def check_consent(use: Use) -> Granted:
    """The same for work that asks again when it comes to this voice or face: a refusal stands in the log, a
    grant only then.
    """
    shown = _shown(use)
    return _as_granted(use, _grants(use, shown)[0]) if shown else Granted()


def require_drawn(use: Use, clip: "Clip", tracks: "Iterable[tuple[int, FaceTrack]]") -> Granted:
    """The same for everybody in a clip whose mouth is to be drawn anew, once it is known where they are.

    `tracks` begin with the given frames of the clip. Nothing is looked at if a record names the clip and the
    clip shows nobody else.
    """
    whole = faces_in(use.face, use.choice)
    if not whole:
        return Granted()
    hashes = whole[0].hashes
    if any(_is_alone_in(consent, hashes) for consent in _usable(use)):
        return _required(use, whole)
    from voicelip.consent.faces import people_in

    return _required(
        use,
        [
            Shown("face", f"{clip.path} at {at_s:.1f} s", (), _already(found), (str(clip.path),))
            for at_s, found in people_in(clip, tracks)
        ],
    )


def _shown(use: Use) -> list[Shown]:
    return [*voices_in(use.voice), *faces_in(use.face, use.choice)]


def _already(found: "Likeness") -> "Callable[[], Likeness]":
    return lambda: found


def _usable(use: Use) -> list[Consent]:
    return [*_given(use), *consent_store.load().consents]


def _given(use: Use) -> list[Consent]:
    return [read_consent(Path(path)) for path in use.agreement.records]


def _is_alone_in(consent: Consent, hashes: Sequence[str]) -> bool:
    return any(each.sha256 in hashes and not each.several for each in consent.of_kind("face"))


def _required(use: Use, shown: Sequence[Shown]) -> Granted:
    if not shown:
        return Granted()
    grants, given = _grants(use, shown)
    for each in given:
        if any(each == grant.consent for _, grant in grants):
            consent_store.keep_file(each)
    granted = _as_granted(use, grants)
    _log(use, "granted", granted.ids, None, shown)
    return granted


def _as_granted(use: Use, grants: Sequence[tuple[Shown, Grant]]) -> Granted:
    ids = tuple(dict.fromkeys(grant.consent.id for _, grant in grants))
    face = next((grant for each, grant in grants if each.kind == "face"), None)
    return Granted(ids, face, use)


def _grants(use: Use, shown: Sequence[Shown]) -> tuple[list[tuple[Shown, Grant]], list[Consent]]:
    """A grant for each, and the records that the user gave."""
    asked = Ask(use.action, full_language(use.lang), use.agreement.purpose)
    try:
        given = _given(use)
        return _granted(shown, asked, consent_store.load(), given), given
    except ConsentError as error:
        _log(use, "refused", (), error.reason)
        raise


def _granted(
    shown: Sequence[Shown], ask: Ask, shelf: consent_store.Shelf, given: Sequence[Consent]
) -> list[tuple[Shown, Grant]]:
    """A grant for each; if several lack a record, one error tells how to make it for all of them."""
    grants, lacking, first = [], [], None
    for each in shown:
        try:
            grants.append((each, consent_check.grant(each, ask, shelf, given)))
        except ConsentError as error:
            first = first or error
            if error.reason == "missing":
                lacking.append(each)
    if first is None:
        return grants
    if first.reason == "missing" and len(lacking) > 1:
        kinds = " and ".join(dict.fromkeys(f"this {each.kind}" for each in lacking))
        names = ", ".join(each.name for each in lacking)
        command = consent_check.new_command(lacking, ask)
        raise ConsentError(
            f"{names}: no consent record covers {kinds}; if the person has agreed: {command}", "missing"
        )
    raise first


def full_language(lang: str | None) -> str | None:
    """A language as it is spoken here (`en` is `en-us`); others as they were written."""
    if lang is None:
        return None
    from voicelip.speech.phonemes import resolve_language

    try:
        return resolve_language(lang)
    except UnsupportedLanguageError:
        return lang


def _log(use: Use, event: str, ids: Sequence[str], reason: str | None, shown: Sequence[Shown] = ()) -> None:
    """Hashes, ids and the output's name; no subject, no text, no folder."""
    entry: dict[str, Any] = {"event": event, "action": use.action, "consents": list(ids)}
    entry |= {"lang": use.lang, "purpose": use.agreement.purpose, "reason": reason}
    entry["media"] = [{"kind": each.kind, "sha256": list(each.hashes)[:20]} for each in shown]
    entry["out"] = Path(use.out).name[:200] if use.out is not None else None
    audit_log.append({key: value for key, value in entry.items() if value not in (None, [])})
