"""What consent was asked for, and what came of it: a log in which nothing can be changed unseen.

One JSON object a line. Each carries its number, the hash of the line before, its own hash and a signature
over that. The last number and hash stand, signed, in a seal beside the key, so that lines cut off at the end
are missed as well.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from voicelip.errors import ConsentError
from voicelip.trust import consent_key, consent_store, keys
from voicelip.trust.consent import canonical

FILE, SEAL = "audit.log", "consent-log.json"
FIRST = "0" * 64  # what stands for the line before the first
_LONGEST_LINE = 1 << 16  # bytes


@dataclass(frozen=True)
class Finding:
    """A place where the log is not as it was written."""

    line: int
    what: str


def log_file() -> Path:
    return consent_store.folder() / FILE


def seal_file() -> Path:
    return consent_key.folder() / SEAL


def append(event: Mapping[str, Any]) -> None:
    """Write an event as the last line. ConsentError if the log was cut, or cannot be written: what is not
    logged is not done.
    """
    from filelock import FileLock

    folder = consent_store.made_folder()
    try:
        with FileLock(folder / ".log-lock", mode=0o600):
            number, last = _end()
            entry = _signed({"n": number + 1, "at": _now(), **event, "prev": last})
            with os.fdopen(os.open(log_file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
                file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            _write_seal(number + 1, entry["hash"])
    except OSError as failure:
        raise ConsentError(
            f"{log_file()}: the consent log cannot be written ({failure.strerror}); nothing is made without "
            "it, so free some space or correct the permissions",
            "log",
        ) from None


def entries() -> Iterator[dict[str, Any]]:
    """The events, oldest first; what is no event is left out (`check` finds it)."""
    for _, plain in _lines():
        if plain is not None:
            yield plain


def check() -> list[Finding]:
    """What is wrong with the log; nothing if it is as it was written."""
    found: list[Finding] = []
    number, last = 0, FIRST
    for number, plain in _lines():
        fault = "is no entry" if plain is None else _fault(plain, number, last)
        if fault:
            found.append(Finding(number, fault))
        last = str((plain or {}).get("hash", ""))
    return found + _fault_of_end(number, last)


def head() -> tuple[int, str]:
    """How many lines were written, and the last one's hash: noted elsewhere, they prove the log up to it."""
    return _read_seal()


def start_anew() -> Path | None:
    """Put the log aside as it is and begin another, which says so; where the old one lies now."""
    from filelock import FileLock

    aside = None
    with FileLock(consent_store.made_folder() / ".log-lock", mode=0o600):
        if log_file().exists():
            aside = log_file().with_name(f"audit-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}.log")
            log_file().rename(aside)
        seal_file().unlink(missing_ok=True)
    append({"event": "log started anew", "old": aside.name if aside else None})
    return aside


def _end() -> tuple[int, str]:
    """Number and hash of the last line, which must be the sealed one, or follow it: between writing a line
    and sealing it a run may have been stopped.
    """
    sealed = _read_seal()
    line = _last_line(log_file())
    if not line and sealed == (0, FIRST):
        return sealed
    plain = _parsed(line)
    if plain is not None and _fault(plain, plain.get("n"), plain.get("prev")) is None:
        here = (int(plain["n"]), str(plain["hash"]))
        if here == sealed or (here[0] - 1, plain["prev"]) == sealed:
            return here
    raise ConsentError(
        f"{log_file()}: the consent log does not end where its seal says: it was tampered with; "
        "`voicelip consent log --verify` shows where, `voicelip consent log --start-anew` puts it aside",
        "log",
    )


def _fault(plain: Mapping[str, Any], number: Any, last: Any) -> str | None:
    content = {key: value for key, value in plain.items() if key not in ("hash", "signature")}
    digest = hashlib.sha256(canonical(content)).hexdigest()
    if plain.get("hash") != digest:
        return "was changed"
    if not consent_key.is_signed(digest.encode(), str(plain.get("signature")), consent_key.own_public()):
        return "was not signed by this installation's key"
    if plain.get("prev") != last:
        return "does not follow the line before: something was removed, added or moved"
    return None if plain.get("n") == number else "has another number: something was removed, added or moved"


def _fault_of_end(number: int, last: str) -> list[Finding]:
    try:
        sealed = _read_seal()
    except ConsentError as error:
        return [Finding(number, str(error))]
    if (number, last) == sealed:
        return []
    if number < sealed[0]:
        return [Finding(number, f"is the last, but {sealed[0]} were written: the end was cut off")]
    return [Finding(number, "is not the line that the seal names")]


def _signed(content: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(canonical(content)).hexdigest()
    return {**content, "hash": digest, "signature": consent_key.sign(digest.encode())}


def _write_seal(number: int, digest: str) -> None:
    plain = {"n": number, "hash": digest}
    signed = {**plain, "signature": consent_key.sign(canonical(plain))}
    keys.write_private(seal_file(), json.dumps(signed).encode())


def _read_seal() -> tuple[int, str]:
    """Number and hash of the last line; (0, FIRST) before there was one."""
    path = seal_file()
    if not path.exists():
        return 0, FIRST
    try:
        plain = json.loads(path.read_bytes())
        signature = plain.pop("signature")
        if consent_key.is_signed(canonical(plain), signature, consent_key.own_public()):
            return int(plain["n"]), str(plain["hash"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ConsentError(
        f"{path}: the seal of the consent log is damaged or was changed; "
        "`voicelip consent log --start-anew` puts the log aside",
        "log",
    )


def _lines() -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Number and content of each line; None for what is no entry."""
    if not log_file().exists():
        return
    with log_file().open("rb") as file:
        for number, line in enumerate(file, start=1):
            yield number, _parsed(line)


def _last_line(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_LINE))
        return file.read().rstrip(b"\n").rpartition(b"\n")[2]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
