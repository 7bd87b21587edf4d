"""Consent before anything is done with a real person's voice or face: one call, `require`, before the work.

What a voice or face is known again by is found out here; whether that is covered is decided in `trust`.
Stock voices and the presenter that comes with voicelip are nobody's and need no consent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelip.errors import ConsentError, InputNotFoundError, VoicelipError
from voicelip.hashing import content_hash
from voicelip.trust import audit_log, consent_check, consent_store
from voicelip.trust.consent import ID, Consent
from voicelip.trust.consent import read as read_consent
from voicelip.trust.consent_check import Ask, Grant, Shown
from voicelip.trust.likeness import LIMITS

if TYPE_CHECKING:
    from voicelip.face import FaceTrack
    from voicelip.media import Clip
    from voicelip.speech.profile import Profile
    from voicelip.trust.likeness import Kind, Likeness

_BUNDLED = tuple(Path(__file__).parent / "assets" / name for name in ("presenter.mp4", "presenter.wav"))


@dataclass(frozen=True)
class Agreement:
    """What a user says about consent: records besides those kept here, and what the result is for."""

    records: tuple[Path, ...] = ()
    purpose: str | None = None


@dataclass(frozen=True)
class FaceChoice:
    """Which of several faces: counted from the left, or the one in a photo; neither: the largest."""

    index: int | None = None
    photo: Path | None = None


WHOEVER = FaceChoice()  # is the largest
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
        from voicelip.face_identity import stranger_in

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
    shown = [*_voices(use.voice), *_faces(use.face, use.choice)]
    if not shown:
        return Granted()
    asked = Ask(use.action, _full(use.lang), use.agreement.purpose)
    try:
        given = [read_consent(path) for path in use.agreement.records]
        shelf = consent_store.load()
        grants = _granted(shown, asked, shelf, given)
    except ConsentError as error:
        _log(use, "refused", (), error.reason)
        raise
    for each in given:
        if any(each == grant.consent for _, grant in grants):
            consent_store.keep_file(each)
    ids = tuple(dict.fromkeys(grant.consent.id for _, grant in grants))
    _log(use, "granted", ids, None, shown)
    face = next((grant for each, grant in grants if each.kind == "face"), None)
    return Granted(ids, face, use)


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


def _voices(voice: "str | Path | Sequence[Path] | Profile | None") -> list[Shown]:
    """The real voices that are meant."""
    if voice is None or voice == "stock:presenter":
        return []
    if isinstance(voice, (str, Path)):
        from voicelip.speech.speaking import VoiceSpec

        named = VoiceSpec.parse(voice)
        if named.kind == "stock":
            return []
        if named.kind == "recording":
            return _recordings("voice", [Path(named.name)], _voice_of)
        from voicelip.speech.profile_store import load_profile

        return [_profile(load_profile(named.name))]
    if isinstance(voice, Sequence):
        return _recordings("voice", [Path(each) for each in voice], _voice_of)
    return [_profile(voice)]


def _profile(profile: "Profile") -> Shown:
    from voicelip.trust.likeness import Likeness

    return Shown(
        "voice",
        f"the voice {profile.name}",
        tuple(origin.sha256 for origin in profile.origins),
        lambda: Likeness.of("voice", profile.embedding),
        files=tuple(origin.file for origin in profile.origins),
        remembered=profile.consents,
    )


def _faces(face: str | Path | None, choice: FaceChoice) -> list[Shown]:
    if face is None or str(face).startswith("stock:"):
        return []

    def likeness_of(path: Path) -> "Likeness":
        from voicelip.face_identity import likeness_of_face

        return likeness_of_face(path, choice)

    return _recordings("face", [Path(face)], likeness_of)


def _recordings(kind: "Kind", paths: Sequence[Path], likeness_of: Callable[[Path], Any]) -> list[Shown]:
    shown = []
    for path in paths:
        if not path.is_file():
            raise InputNotFoundError(f"{path}: no such file; check the name and the folder")
        if not _is_bundled(path):
            shown.append(
                Shown(kind, str(path), (content_hash(path),), _once(likeness_of, path), (str(path),))
            )
    return shown


def _full(lang: str | None) -> str | None:
    """A language as it is spoken here (`en` is `en-us`); others as they were written."""
    if lang is None:
        return None
    from voicelip.errors import UnsupportedLanguageError
    from voicelip.speech.phonemes import resolve_language

    try:
        return resolve_language(lang)
    except UnsupportedLanguageError:
        return lang


def _once(likeness_of: Callable[[Path], Any], path: Path) -> "Callable[[], Likeness]":
    found: list[Any] = []

    def likeness() -> "Likeness":
        if not found:
            found.append(likeness_of(path))
        return found[0]

    return likeness


def _voice_of(path: Path) -> "Likeness":
    from voicelip.voice_identity import likeness_of_voice

    return likeness_of_voice(path)


def _is_bundled(path: Path) -> bool:
    """Whether a file is the presenter's, who is nobody, whatever it is called."""
    size = path.stat().st_size
    near = [asset for asset in _BUNDLED if asset.exists() and asset.stat().st_size == size]
    return any(content_hash(asset) == content_hash(path) for asset in near)


def _log(use: Use, event: str, ids: Sequence[str], reason: str | None, shown: Sequence[Shown] = ()) -> None:
    """Hashes, ids and the output's name; no subject, no text, no folder."""
    entry: dict[str, Any] = {"event": event, "action": use.action, "consents": list(ids)}
    entry |= {"lang": use.lang, "purpose": use.agreement.purpose, "reason": reason}
    entry["media"] = [{"kind": each.kind, "sha256": list(each.hashes)[:20]} for each in shown]
    entry["out"] = Path(use.out).name[:200] if use.out is not None else None
    audit_log.append({key: value for key, value in entry.items() if value not in (None, [])})


@dataclass(frozen=True)
class Requirement:
    """Something that a record is asked for, whether it meets that, and why."""

    what: str
    met: bool
    why: str


def examine(
    record: str,
    face: Path | None = None,
    voice: Path | None = None,
    lang: str | None = None,
    action: str | None = None,
    purpose: str | None = None,
    choice: FaceChoice = WHOEVER,
) -> list[Requirement]:
    """What a record, named by id or file, covers. Not a use: nothing is logged."""
    try:
        consent = consent_store.find(record)
    except ConsentError as error:
        return [Requirement("record", False, str(error))]
    shelf = consent_store.load()
    actions = consent.scope.actions
    found = [Requirement("record", True, f"signed and unchanged, of {consent.subject}")]
    asks = {
        "in force": Ask(actions[0]),
        "command": Ask(action or actions[0]),
        "language": Ask(actions[0], _full(lang)),
        "purpose": Ask(actions[0], None, purpose),
    }
    asked = {"in force": str(consent.scope.expires), "command": action, "language": lang, "purpose": purpose}
    for what, ask in asks.items():
        if asked[what] is not None:
            refusal = consent_check.why_not(consent, ask, shelf)
            found.append(Requirement(what, refusal is None, str(refusal or asked[what])))
    return [*found, *(_compared(shown, consent) for shown in (*_voices(voice), *_faces(face, choice)))]


def _compared(shown: Shown, consent: Consent) -> Requirement:
    try:
        apart = consent_check.apart(shown, consent)
    except VoicelipError as error:
        return Requirement(shown.kind, False, str(error))
    if apart is None:
        return Requirement(shown.kind, False, f"the record is of no {shown.kind}")
    said = "the very recording" if apart == 0 else f"{apart:.2f} apart, at most {LIMITS[shown.kind]:.2f}"
    return Requirement(shown.kind, apart <= LIMITS[shown.kind], f"{shown.name}: {said}")


def revoke(record: str, reason: str = "") -> tuple[str, str]:
    """Let a record, named by id or file, count no more here; its id and when it was revoked."""
    id_ = record if ID.fullmatch(record) else consent_store.find(record).id
    made = consent_store.revoke(id_, reason)
    audit_log.append({"event": "revoked", "consents": [id_], "reason": reason or None})
    return id_, made.at
