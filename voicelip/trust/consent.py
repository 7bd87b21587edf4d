"""A consent record: who agreed, to what, with which voice and face, from when until when; signed.

It is a JSON file. The signature (Ed25519) is over everything else in it, in canonical form: keys sorted, no
spaces, ASCII.
"""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from voicelip.errors import ConsentError
from voicelip.trust import consent_key
from voicelip.trust.likeness import Kind, Likeness

FORMAT = 1
KIND = "voicelip consent"
# What can be agreed to: the commands, by name.
ACTIONS = ("say", "speak", "lipsync", "dub", "voice", "adapt")
ANY_LANGUAGE = "any"
LARGEST = 4 << 20  # bytes
ID = re.compile(r"c-[a-z2-7]{20}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_MOST_MEDIA = 1000


@dataclass(frozen=True)
class Medium:
    """A recording that shows or lets hear the person. `several` says that it shows others as well."""

    kind: Kind
    sha256: str
    likeness: Likeness
    several: bool = False


@dataclass(frozen=True)
class Statement:
    """A recording in which the person agreed aloud, and how it was checked: the share of words that were
    heard wrong, and how unlike the speaker is to the reference (`trust.likeness`).
    """

    text: str
    sha256: str
    wer: float
    distance: float
    checked_by: str


@dataclass(frozen=True)
class Scope:
    """What was agreed to. Dates are days in UTC, both included."""

    purposes: tuple[str, ...]
    actions: tuple[str, ...]
    languages: tuple[str, ...]
    not_before: date
    expires: date

    def __post_init__(self) -> None:
        if not self.purposes or not all(purpose.strip() for purpose in self.purposes):
            raise ValueError("names no purpose")
        if not self.actions or set(self.actions) - set(ACTIONS):
            raise ValueError(f"allows something else than {', '.join(ACTIONS)}")
        if not self.languages or not all(
            each == ANY_LANGUAGE or _LANGUAGE.fullmatch(each) for each in self.languages
        ):
            raise ValueError("names no language; write codes such as es,fr or any")
        if self.expires < self.not_before:
            raise ValueError("ends before it begins")

    def speaks(self, lang: str) -> bool:
        """Whether a language is covered: `es` covers `es-mx`, and `en-gb` only itself."""
        wanted = lang.strip().lower().replace("_", "-")
        return any(
            each == ANY_LANGUAGE or wanted == each or wanted.startswith(f"{each}-") for each in self.languages
        )


@dataclass(frozen=True)
class Consent:
    """A record. `key` is the issuer's raw public key; `source` the file that it was read from."""

    id: str
    subject: str
    issued: str  # ISO 8601, UTC
    scope: Scope
    media: tuple[Medium, ...]
    issuer: str
    key: bytes
    statement: Statement | None = None
    source: Path | None = None

    def of_kind(self, kind: Kind) -> tuple[Medium, ...]:
        """The recordings of the voice, or of the face."""
        return tuple(medium for medium in self.media if medium.kind == kind)


def today() -> date:
    """The day by which dates are judged."""
    return datetime.now(timezone.utc).date()


def issue(
    subject: str,
    scope: Scope,
    media: tuple[Medium, ...],
    issuer: str = "",
    statement: Statement | None = None,
) -> tuple[Consent, str]:
    """A new record, signed with this installation's key, and its file's text."""
    random = base64.b32encode(secrets.token_bytes(13)).decode().lower()[:20]
    consent = Consent(
        f"c-{random}",
        subject,
        datetime.now(timezone.utc).isoformat(timespec="seconds"),
        scope,
        media,
        issuer,
        consent_key.own_public(),
        statement,
    )
    plain = _to_dict(consent)
    signed = {**plain, "signature": consent_key.sign(canonical(plain))}
    return consent, json.dumps(signed, indent=1, ensure_ascii=False) + "\n"


def canonical(plain: Mapping[str, Any]) -> bytes:
    """The bytes that a signature is over."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def read(path: Path) -> Consent:
    """The record in `path`, if it is whole, unchanged and of an issuer who is trusted; else ConsentError."""
    plain = read_plain(path)
    signature = plain.pop("signature", None)
    try:
        consent = replace(_from_dict(plain), source=path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConsentError(f"{path}: {_DAMAGED} ({_said(error)}); {_AGAIN}", "damaged") from None
    if not isinstance(signature, str) or not signature:
        raise ConsentError(f"{path}: this consent record is not signed; {_AGAIN}", "signature")
    if not consent_key.is_signed(canonical(plain), signature, consent.key):
        raise ConsentError(
            f"{path}: its signature does not fit: the record was changed after it was signed; {_AGAIN}",
            "signature",
        )
    if not consent_key.is_trusted(consent.key):
        raise ConsentError(
            f"{path}: signed by {consent.issuer or 'somebody'} with a key that is not trusted here "
            f"({consent_key.fingerprint(consent.key)}); if you know the issuer, get their key file and run "
            "`voicelip consent trust KEYFILE`",
            "issuer",
        )
    return consent


_AGAIN = "get it again from its issuer, or make it anew with `voicelip consent new`"
_DAMAGED = "is no consent record that can be read"


def read_plain(path: Path) -> dict[str, Any]:
    """What stands in a record's file, whoever wrote it: nothing is believed yet."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError("too large")
        plain = json.loads(content)
        if not isinstance(plain, dict) or plain.get("kind") != KIND or not isinstance(plain["format"], int):
            raise ValueError("not of this kind")
    except OSError as failure:
        raise ConsentError(
            f"{path}: this consent record cannot be read ({failure.strerror}); check the name, or make one "
            "with `voicelip consent new`",
            "missing",
        ) from None
    except (ValueError, KeyError, RecursionError) as error:
        raise ConsentError(f"{path}: {_DAMAGED} ({_said(error)}); {_AGAIN}", "damaged") from None
    if plain["format"] > FORMAT:
        raise ConsentError(
            f"{path}: this consent record was made by a later voicelip; update voicelip to use it", "version"
        )
    return plain


def to_dict(consent: Consent) -> dict[str, Any]:
    """A record as plain values, for JSON, without what the person is known again by."""
    plain = _to_dict(consent)
    for medium in plain["media"]:
        del medium["likeness"]
    return {**plain, "issuer": {**plain["issuer"], "fingerprint": consent_key.fingerprint(consent.key)}}


def _to_dict(consent: Consent) -> dict[str, Any]:
    scope = consent.scope
    return {
        "kind": KIND,
        "format": FORMAT,
        "id": consent.id,
        "subject": consent.subject,
        "issued": consent.issued,
        "purposes": list(scope.purposes),
        "actions": list(scope.actions),
        "languages": list(scope.languages),
        "not_before": scope.not_before.isoformat(),
        "expires": scope.expires.isoformat(),
        "media": [
            {
                "kind": medium.kind,
                "sha256": medium.sha256,
                "several": medium.several,
                "likeness": medium.likeness.to_dict(),
            }
            for medium in consent.media
        ],
        "statement": asdict(consent.statement) if consent.statement else None,
        "issuer": {"name": consent.issuer, "key": base64.b64encode(consent.key).decode()},
    }


def _from_dict(plain: Mapping[str, Any]) -> Consent:
    id_, subject = _text(plain["id"]), _text(plain["subject"])
    if not ID.fullmatch(id_) or not subject:
        raise ValueError("has no id or no subject")
    media = tuple(_medium(each) for each in plain["media"][:_MOST_MEDIA])
    if not media:
        raise ValueError("names no voice and no face")
    scope = Scope(
        purposes=tuple(map(_text, plain["purposes"])),
        actions=tuple(map(_text, plain["actions"])),
        languages=tuple(map(_text, plain["languages"])),
        not_before=date.fromisoformat(plain["not_before"]),
        expires=date.fromisoformat(plain["expires"]),
    )
    issuer = plain["issuer"]
    key = base64.b64decode(issuer["key"], validate=True)
    if len(key) != 32:
        raise ValueError("holds no public key")
    statement = _statement(plain["statement"]) if plain["statement"] else None
    issued = _text(plain["issued"])
    return Consent(id_, subject, issued, scope, media, _text(issuer["name"]), key, statement)


def _medium(plain: Mapping[str, Any]) -> Medium:
    kind, sha256 = plain["kind"], _text(plain["sha256"])
    if kind not in ("voice", "face") or not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("names a recording wrongly")
    return Medium(kind, sha256, Likeness.from_dict(kind, plain["likeness"]), bool(plain["several"]))


def _statement(plain: Mapping[str, Any]) -> Statement:
    texts = {name: _text(plain[name], 2000) for name in ("text", "sha256", "checked_by")}
    return Statement(**texts, wer=float(plain["wer"]), distance=float(plain["distance"]))


def _text(value: Any, longest: int = 500) -> str:
    """Of one printable line: what a stranger wrote must not steer a terminal."""
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise ValueError("holds something else than a line of text")
    return value


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:80]
