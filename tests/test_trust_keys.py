"""The signing key: an organisation's, or a local one made at first use and kept private."""

import datetime
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from voicelip.errors import CredentialsError
from voicelip.trust import keys
from voicelip.trust.keys import load_signer


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VOICELIP_CERTIFICATE", raising=False)
    monkeypatch.delenv("VOICELIP_KEY", raising=False)
    return tmp_path / "home"


def made_in_another_process(home: str) -> bytes:
    os.environ["VOICELIP_HOME"] = home
    return load_signer().key


def configure(monkeypatch, tmp_path, certificates: bytes, key: bytes):
    (tmp_path / "chain.pem").write_bytes(certificates)
    (tmp_path / "key.pem").write_bytes(key)
    monkeypatch.setenv("VOICELIP_CERTIFICATE", str(tmp_path / "chain.pem"))
    monkeypatch.setenv("VOICELIP_KEY", str(tmp_path / "key.pem"))


def pem(key, form=PrivateFormat.PKCS8, encryption=None):
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())


def chain_for(key) -> bytes:
    """A certificate for `key` by a new authority, and the authority's."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = keys._issuer_certificate(authority_key)
    leaf = keys._leaf_certificate(key.public_key(), authority, authority_key)
    return b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, authority))


class TestLocalKey:
    def test_is_made_once_and_found_again(self, home):
        first = load_signer()
        assert first.algorithm == "es256"
        assert load_signer() == first
        assert sorted(path.name for path in (home / "keys").glob("*.pem")) == ["ca.pem", "signer.pem"]

    @pytest.mark.skipif(os.name == "nt", reason="Windows keeps no permission bits")
    def test_is_private(self, home):
        load_signer()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home / "keys").iterdir()}
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700

    def test_is_one_key_even_if_several_processes_make_it_at_once(self, home):
        with ProcessPoolExecutor(4) as processes:
            found = set(processes.map(made_in_another_process, [str(home)] * 4))
        assert len(found) == 1

    def test_has_a_certificate_that_names_nobody(self):
        leaf, authority = x509.load_pem_x509_certificates(load_signer().certificates)
        names = f"{leaf.subject.rfc4514_string()} {authority.subject.rfc4514_string()}"
        assert "identity not verified" in names
        assert (os.environ.get("USER") or "nobody") not in names
        leaf.verify_directly_issued_by(authority)
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        assert usage.digital_signature
        assert not usage.key_cert_sign

    def test_that_is_damaged_is_said_so(self, home):
        load_signer()
        (home / "keys" / "signer.pem").write_text("nothing")
        with pytest.raises(CredentialsError, match=r"signer\.pem"):
            load_signer()

    def test_that_cannot_be_kept_is_said_so(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "file"))
        with pytest.raises(CredentialsError, match="VOICELIP_HOME"):
            load_signer()

    def test_is_never_shown(self):
        signer = load_signer()
        assert "PRIVATE" not in repr(signer)
        assert load_pem_private_key(signer.key, None)


class TestOrganisationsKey:
    @pytest.mark.parametrize(
        ("key", "algorithm"),
        [
            (ec.generate_private_key(ec.SECP256R1()), "es256"),
            (ec.generate_private_key(ec.SECP384R1()), "es384"),
            (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
            (rsa.generate_private_key(65537, 2048), "ps256"),
        ],
    )
    def test_of_each_kind_is_used(self, monkeypatch, tmp_path, home, key, algorithm):
        configure(monkeypatch, tmp_path, chain_for(key), pem(key))
        assert load_signer().algorithm == algorithm
        assert not home.exists()

    def test_may_be_in_the_older_form(self, monkeypatch, tmp_path):
        key = ec.generate_private_key(ec.SECP256R1())
        configure(monkeypatch, tmp_path, chain_for(key), pem(key, PrivateFormat.TraditionalOpenSSL))
        assert b"BEGIN PRIVATE KEY" in load_signer().key

    def test_that_cannot_be_used_is_refused_with_the_reason(self, monkeypatch, tmp_path):
        key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        weak = ec.generate_private_key(ec.SECP256K1())
        itself = keys._issuer_certificate(key).public_bytes(Encoding.PEM)
        cases = [
            (chain_for(key), pem(other), "not the key of"),
            (itself, pem(key), "signs itself"),
            (b"", pem(key), "no certificate"),
            (chain_for(key), b"", "no private key"),
            (chain_for(key), pem(key, encryption=BestAvailableEncryption(b"secret")), "passphrase"),
            (chain_for(weak), pem(weak), "this kind of key"),
        ]
        for certificates, private, reason in cases:
            configure(monkeypatch, tmp_path, certificates, private)
            with pytest.raises(CredentialsError, match=reason) as refused:
                load_signer()
            assert "\n" not in str(refused.value)

    def test_that_is_out_of_date_is_refused(self, monkeypatch, tmp_path):
        key = ec.generate_private_key(ec.SECP256R1())
        monkeypatch.setattr(keys, "_LIFETIME", datetime.timedelta(hours=-1))
        configure(monkeypatch, tmp_path, chain_for(key), pem(key))
        with pytest.raises(CredentialsError, match="renew it"):
            load_signer()

    def test_needs_both_files(self, monkeypatch, tmp_path):
        monkeypatch.setenv("VOICELIP_KEY", str(tmp_path / "key.pem"))
        with pytest.raises(CredentialsError, match="belong together"):
            load_signer()
        monkeypatch.setenv("VOICELIP_CERTIFICATE", str(Path(tmp_path / "none.pem")))
        with pytest.raises(CredentialsError, match="cannot be read"):
            load_signer()
