"""The key that signs content credentials: an organisation's by configuration, else one made here at first
use.
"""

import datetime
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelip.errors import CredentialsError

if TYPE_CHECKING:
    from cryptography import x509

CERTIFICATE_VARIABLE = "VOICELIP_CERTIFICATE"
KEY_VARIABLE = "VOICELIP_KEY"
TIME_SERVER_VARIABLE = "VOICELIP_TSA_URL"

# What other people's tools show as the signer: it must not pass for a verified identity.
_ISSUER = "voicelip local key (identity not verified)"
# Without a time stamp credentials can be checked only as long as the certificate is valid.
_LIFETIME = datetime.timedelta(days=20 * 365)


@dataclass(frozen=True)
class Signer:
    """A private key and its certificates, the signer's own first; both PEM. `algorithm` as C2PA names it."""

    certificates: bytes
    key: bytes = field(repr=False)
    algorithm: str


def load_signer() -> Signer:
    """The configured signer, or the local one, made now if there is none; raises CredentialsError."""
    certificate, key = os.environ.get(CERTIFICATE_VARIABLE), os.environ.get(KEY_VARIABLE)
    if not certificate and not key:
        return _local_signer()
    if not certificate or not key:
        raise CredentialsError(
            f"{CERTIFICATE_VARIABLE} and {KEY_VARIABLE} belong together; "
            "set both, or none to sign with a local key"
        )
    certificate_path, key_path = Path(certificate).expanduser(), Path(key).expanduser()
    return _checked(_read(certificate_path), _read(key_path), certificate_path, key_path)


def time_server() -> str | None:
    """The address of the time-stamp server (RFC 3161) that signing asks, if one is configured."""
    url = os.environ.get(TIME_SERVER_VARIABLE, "").strip()
    if url and not url.startswith(("http://", "https://")):
        raise CredentialsError(
            f"{TIME_SERVER_VARIABLE} is {url!r}; give the address of a time-stamp server, or unset it"
        )
    return url or None


def key_folder() -> Path:
    """Where the local key is kept: `VOICELIP_HOME/keys`, else in the user's configuration folder."""
    configured = os.environ.get("VOICELIP_HOME")
    if configured:
        return Path(configured).expanduser() / "keys"
    import platformdirs

    return platformdirs.user_config_path("voicelip", appauthor=False) / "keys"


def _local_signer() -> Signer:
    from filelock import FileLock

    folder = key_folder()
    file = folder / "signer.pem"
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(folder / ".lock", mode=0o600):
                if not file.exists():
                    _make_local(folder)
    except OSError as failure:
        raise CredentialsError(
            f"{folder}: a signing key cannot be kept here ({failure.strerror or failure}); "
            f"set VOICELIP_HOME to one that can be written to, or {CERTIFICATE_VARIABLE} and {KEY_VARIABLE}"
        ) from None
    content = _read(file)
    return _checked(content, content, file, file)


def _make_local(folder: Path) -> None:
    """Write `ca.pem`, and with it in place `signer.pem`: key, certificate and CA in one file, so all or
    nothing.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    key, issuer_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    # The CA's key is forgotten here: nobody can ever issue a second certificate under it.
    issuer = _issuer_certificate(issuer_key)
    leaf = _leaf_certificate(key.public_key(), issuer, issuer_key)
    public = [certificate.public_bytes(Encoding.PEM) for certificate in (leaf, issuer)]
    write_private(folder / "ca.pem", public[1])
    write_private(folder / "signer.pem", _plain_pem(key) + b"".join(public))


def _issuer_certificate(key: Any) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    name = _name("voicelip local CA")
    return (
        _certificate(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf_certificate(public_key: Any, issuer: "x509.Certificate", issuer_key: Any) -> "x509.Certificate":
    """As C2PA's certificate profile wants it; a certificate that signs itself is refused by every reader."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _certificate(_name("voicelip local key"), issuer.subject, public_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )


def _certificate(subject: "x509.Name", issuer: "x509.Name", public_key: Any) -> "x509.CertificateBuilder":
    from cryptography import x509

    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = ((NameOID.ORGANIZATION_NAME, _ISSUER), (NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _usage(**wanted: bool) -> "x509.KeyUsage":
    from cryptography import x509

    none = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**(none | wanted))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise CredentialsError(
            f"{path}: cannot be read ({failure.strerror}); it is needed to sign every output, check "
            f"{CERTIFICATE_VARIABLE}, {KEY_VARIABLE} and the file's permissions"
        ) from None


def _checked(certificates: bytes, key: bytes, certificate_path: Path, key_path: Path) -> Signer:
    """The signer of these two, if they fit together and can be used today."""
    chain, private = _parsed_chain(certificates, certificate_path), _parsed_key(key, key_path)
    leaf = chain[0]
    if leaf.public_key() != private.public_key():
        raise CredentialsError(
            f"{key_path}: is not the key of the first certificate in {certificate_path}; "
            "put the signer's own first"
        )
    if leaf.issuer == leaf.subject:
        raise CredentialsError(
            f"{certificate_path}: a certificate that signs itself is refused by every reader; "
            "use one that a certificate authority issued, followed by the authority's"
        )
    now = datetime.datetime.now(datetime.timezone.utc)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise CredentialsError(
            f"{certificate_path}: valid from {leaf.not_valid_before_utc:%Y-%m-%d} to "
            f"{leaf.not_valid_after_utc:%Y-%m-%d}, not today; renew it"
        )
    return Signer(_pem(chain), _plain_pem(private), _algorithm(private, key_path))


def _parsed_chain(content: bytes, path: Path) -> list["x509.Certificate"]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise CredentialsError(
            f"{path}: holds no certificate in PEM form; "
            "give the signer's certificate followed by its issuers'"
        ) from None


def _parsed_key(content: bytes, path: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(content, None)
    except TypeError:
        raise CredentialsError(
            f"{path}: is protected by a passphrase; give a key without (openssl pkcs8 -topk8 -nocrypt)"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CredentialsError(f"{path}: holds no private key in PEM form; export it so") from None


def _algorithm(key: Any, path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in curves:
        return curves[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    raise CredentialsError(
        f"{path}: this kind of key cannot sign content credentials; "
        "use P-256, P-384, P-521, Ed25519 or RSA of 2048 bits"
    )


def _plain_pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pem(chain: list["x509.Certificate"]) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
