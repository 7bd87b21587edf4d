"""The key that signs consent records and the audit log (Ed25519), and whose records are believed here."""

import base64
import binascii
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelip.errors import ConsentError
from voicelip.trust import keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = "consent.pem"
_TRUSTED = "consent-trusted"
_LARGEST = 1 << 16  # bytes


def folder() -> Path:
    """Where the key is: beside the one that signs outputs."""
    return keys.key_folder()


def own_public() -> bytes:
    """The raw public key (32 bytes) of this installation, whose private half is made at first use."""
    return _raw(_own().public_key())


def known_own_public() -> bytes | None:
    """The same, or None if no key was made yet."""
    return own_public() if (folder() / FILE).exists() else None


def sign(content: bytes) -> str:
    """The signature over `content`, as text."""
    return base64.b64encode(_own().sign(content)).decode()


def is_signed(content: bytes, signature: str, public: bytes) -> bool:
    """Whether `signature` is that of `content` under the raw public key `public`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def fingerprint(public: bytes) -> str:
    """A short name for a raw public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def public_pem() -> str:
    """This installation's public key, to be given to others for `voicelip consent trust`."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return _own().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def trust(path: Path) -> str:
    """Believe the records signed with the public key in the PEM file `path` from now on; its fingerprint."""
    content = _read(path)
    public = _parsed_public(path, content)
    target = folder() / _TRUSTED
    _made(target)
    keys.write_private(target / f"{fingerprint(public)}.pem", content)
    return fingerprint(public)


def is_trusted(public: bytes) -> bool:
    """Whether a raw public key is this installation's own, or was trusted."""
    if public == known_own_public():
        return True
    path = folder() / _TRUSTED / f"{fingerprint(public)}.pem"
    return path.exists() and _parsed_public(path, _read(path)) == public


def _own() -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = folder() / FILE
    if not path.exists():
        _make(path)
    try:
        key = load_pem_private_key(_read(path), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConsentError(
            f"{path}: is no Ed25519 private key in PEM form; restore it from a backup, or delete it to begin "
            "anew (records signed with it then need `voicelip consent trust`)",
            "key",
        )
    return key


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from filelock import FileLock

    _made(path.parent)
    with FileLock(path.parent / ".lock", mode=0o600):
        if not path.exists():
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            keys.write_private(path, pem)


def _made(wanted: Path) -> None:
    try:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as failure:
        raise ConsentError(
            f"{wanted}: cannot be made ({failure.strerror}); set VOICELIP_HOME to a folder of your own", "key"
        ) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as failure:
        raise ConsentError(
            f"{path}: this key cannot be read ({failure.strerror}); check its name and permissions", "key"
        ) from None


def _parsed_public(path: Path, content: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ConsentError(
            f"{path}: holds no public Ed25519 key; give the file that `voicelip consent key -o FILE` wrote "
            "on the issuer's machine",
            "key",
        )
    return _raw(key)


def _raw(public: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw: bytes = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return raw
