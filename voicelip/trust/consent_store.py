"""Where consent records are kept on this machine, and which of them were revoked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from voicelip import named_folders
from voicelip.errors import ConsentError, OutputError
from voicelip.trust import consent, consent_key, keys
from voicelip.trust.consent import ID, Consent, canonical

_REVOKED = "revoked.json"
_SUFFIX = ".json"


@dataclass(frozen=True)
class Unusable:
    """A record that is kept here and cannot be used, why, and the recordings that it claims to be of."""

    path: Path
    error: ConsentError
    hashes: frozenset[str]


@dataclass(frozen=True)
class Shelf:
    """All records that are kept here; `revoked` says for each id when and why."""

    consents: tuple[Consent, ...]
    unusable: tuple[Unusable, ...]
    revoked: dict[str, "Revocation"]


@dataclass(frozen=True)
class Revocation:
    """When a record was revoked (ISO 8601, UTC), and why, if it was told."""

    at: str
    reason: str


def folder() -> Path:
    """A folder that only the user may read."""
    return named_folders.store("consents")


def made_folder() -> Path:
    """The same, made if it was not there."""
    wanted = folder()
    try:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        wanted.chmod(0o700)
    except OSError as failure:
        raise OutputError(
            f"{wanted}: consent records cannot be kept here ({failure.strerror}); set VOICELIP_HOME elsewhere"
        ) from None
    return wanted


def keep(record: Consent, text: str) -> Path:
    """Keep a record's file here, so that later commands find it by themselves."""
    path = made_folder() / f"{record.id}{_SUFFIX}"
    keys.write_private(path, text.encode())
    return path


def keep_file(record: Consent) -> None:
    """Keep a copy of a record that was read from elsewhere."""
    if record.source is not None and record.source.parent != folder():
        keep(record, record.source.read_text("utf-8"))


def load() -> Shelf:
    """Everything that is here."""
    consents: list[Consent] = []
    unusable: list[Unusable] = []
    for path in _files():
        try:
            consents.append(consent.read(path))
        except ConsentError as error:
            unusable.append(Unusable(path, error, _claimed(path)))
    return Shelf(tuple(consents), tuple(unusable), revocations())


def find(id_or_file: str) -> Consent:
    """The record with an id (its beginning is enough), or the one in a file."""
    path = Path(id_or_file)
    if path.is_file():
        return consent.read(path)
    near = [each for each in _files() if each.stem.startswith(id_or_file)] if id_or_file else []
    if len(near) == 1:
        return consent.read(near[0])
    many = f"{len(near)} records begin so" if near else "no consent record is called so, and no file either"
    raise ConsentError(f"{id_or_file}: {many}; `voicelip consent list` shows those kept here", "missing")


def revoke(id_: str, reason: str = "") -> Revocation:
    """Let a record count no more, whether it is kept here or not."""
    from filelock import FileLock

    if not ID.fullmatch(id_):
        raise ConsentError(f"{id_}: is no id of a consent record; `voicelip consent list` shows them")
    with FileLock(made_folder() / ".lock", mode=0o600):
        found = revocations()
        made = Revocation(datetime.now(timezone.utc).isoformat(timespec="seconds"), reason)
        found.setdefault(id_, made)
        plain: dict[str, Any] = {
            "format": 1,
            "revoked": {each: {"at": one.at, "reason": one.reason} for each, one in sorted(found.items())},
        }
        signed = {**plain, "signature": consent_key.sign(canonical(plain))}
        keys.write_private(folder() / _REVOKED, json.dumps(signed, indent=1, ensure_ascii=False).encode())
        keys.write_private(_count_file(), str(len(found)).encode())
    return found[id_]


def revocations() -> dict[str, Revocation]:
    """By id. A list that was changed by hand is an error, since nothing could be trusted then."""
    path = folder() / _REVOKED
    if not path.exists() and not _count_file().exists():
        return {}
    try:
        least = int(_count_file().read_text())
        plain = json.loads(path.read_text("utf-8"))
        signature = plain.pop("signature")
        found = {id_: Revocation(str(one["at"]), str(one["reason"])) for id_, one in plain["revoked"].items()}
        fits = consent_key.is_signed(canonical(plain), signature, consent_key.own_public())
    except OSError as failure:
        raise _unreliable(f"cannot be read ({failure.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unreliable("is damaged") from None
    if not fits or len(found) < least:
        raise _unreliable("was changed by hand")
    return found


def _count_file() -> Path:
    """How many were revoked, kept beside the key: a list that is gone, or an older one, is missed by it."""
    return consent_key.folder() / "consent-revoked"


def _unreliable(why: str) -> ConsentError:
    return ConsentError(
        f"{folder() / _REVOKED}: the list of revoked records {why}; restore it from a backup, or delete it "
        f"and {_count_file()}, and revoke anew what `voicelip consent log` shows as revoked",
        "revocations",
    )


def _files() -> Iterator[Path]:
    here = folder()
    if here.is_dir():
        yield from sorted(path for path in here.glob(f"c-*{_SUFFIX}") if ID.fullmatch(path.stem))


def _claimed(path: Path) -> frozenset[str]:
    try:
        media = consent.read_plain(path)["media"]
        return frozenset(str(medium["sha256"]) for medium in media)
    except (ConsentError, KeyError, TypeError):
        return frozenset()
