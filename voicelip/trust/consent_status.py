"""What is known on this machine of the consent records that a file's credentials name."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from voicelip.errors import ConsentError

Status = Literal["valid", "revoked", "expired", "unusable", "unknown"]


@dataclass(frozen=True)
class ConsentStatus:
    """A record's id and whether it counts today, by the records kept here; "unknown": none is."""

    id: str
    status: Status


def statuses(ids: tuple[str, ...]) -> tuple[ConsentStatus, ...]:
    """Of each id, in order."""
    if not ids:
        return ()
    from voicelip.trust import consent_store

    try:
        shelf = consent_store.load()
    except ConsentError:
        return tuple(ConsentStatus(each, "unusable") for each in ids)
    expiries = {record.id: record.scope.expires for record in shelf.consents}
    unusable = {each.path.stem for each in shelf.unusable}
    return tuple(ConsentStatus(each, _status(each, expiries, unusable, set(shelf.revoked))) for each in ids)


def _status(id_: str, expiries: dict[str, date], unusable: set[str], revoked: set[str]) -> Status:
    from voicelip.trust.consent import today

    if id_ in revoked:
        return "revoked"
    if id_ in unusable:
        return "unusable"
    if id_ not in expiries:
        return "unknown"
    return "valid" if today() <= expiries[id_] else "expired"
