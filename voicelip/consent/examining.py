"""What a consent record covers, requirement by requirement, and taking one back."""

from dataclasses import dataclass
from pathlib import Path

from voicelip.consent.asking import full_language
from voicelip.consent.choice import WHOEVER, FaceChoice
from voicelip.consent.shown import faces_in, voices_in
from voicelip.errors import ConsentError, VoicelipError
from voicelip.trust import audit_log, consent_check, consent_store
from voicelip.trust.consent import ID, Consent
from voicelip.trust.consent_check import Ask, Shown
from voicelip.trust.likeness import LIMITS


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
        "language": Ask(actions[0], full_language(lang)),
        "purpose": Ask(actions[0], None, purpose),
    }
    asked = {"in force": str(consent.scope.expires), "command": action, "language": lang, "purpose": purpose}
    for what, ask in asks.items():
        if asked[what] is not None:
            refusal = consent_check.why_not(consent, ask, shelf)
            found.append(Requirement(what, refusal is None, str(refusal or asked[what])))
    return [*found, *(_compared(shown, consent) for shown in (*voices_in(voice), *faces_in(face, choice)))]


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
