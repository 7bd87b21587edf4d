"""What a file says of itself, and whether it is still as it was signed: read and checked offline."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from voicelip.errors import CredentialsError, InputNotFoundError, VoicelipError
from voicelip.media.sound_stream import SoundReader
from voicelip.trust import watermark
from voicelip.trust.claim import DIGITAL_SOURCE_TYPES
from voicelip.trust.consent_status import ConsentStatus, statuses
from voicelip.trust.credentials import SETTINGS
from voicelip.trust.detect import Signal
from voicelip.trust.provenance import Provenance, read_provenance
from voicelip.trust.watermark import Found

State = Literal["trusted", "untrusted", "tampered", "none"]

SYNTHETIC_TYPES = {
    *(
        DIGITAL_SOURCE_TYPES + name
        for name in (
            "trainedAlgorithmicMedia",
            "compositeWithTrainedAlgorithmicMedia",
            "algorithmicMedia",
            "compositeSynthetic",
        )
    ),
    "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
}
MEDIA_SUFFIXES = {
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"),
    *(".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus"),
    *(".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".gif"),
}

# What is always near the start of a manifest store: the type of the box that holds it in MP4, then its
# own type, and its label. One is enough, since the others may be what was damaged.
_MARK = re.compile(
    rb"\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"
    rb"|c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
    rb"|\x03c2pa\x00.{4}jumb",
    re.DOTALL,
)
_LONGEST_MARK = 16  # bytes
_BLOCK = 1 << 20
_HEARD_RATE = 8000  # Hz: all that the watermark needs
_HEARD_S = 4 * 3600
# Failures that say something of the signer, and nothing against the file's content.
_OF_THE_SIGNER = ("signingCredential.", "claimSignature.outsideValidity", "timeStamp.", "timeOfSigning.")


class Verdict(Enum):
    """What to make of a file; the value is the exit code of `voicelip verify`."""

    AUTHENTIC = 0
    SYNTHETIC = 1
    TAMPERED = 2
    NOTHING = 3
    SUSPICIOUS = 4


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: C2PA's code for it, and which part of the file it is about."""

    code: str
    at: str


@dataclass(frozen=True)
class Report:
    """What was found in a file.

    `credentials`: "trusted" (intact, signed by somebody trusted), "untrusted" (intact, signed by somebody
    unknown), "tampered", or "none". `note` says why nothing was found, where there is more to say.
    `watermark` is None where there is no sound. `signals` are what was looked for in the picture, if it was.
    """

    path: Path
    credentials: State
    synthetic: bool = False
    problems: tuple[Problem, ...] = ()
    provenance: Provenance | None = None
    note: str = ""
    watermark: Found | None = None
    consents: tuple[ConsentStatus, ...] = ()
    signals: tuple[Signal, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether the sound bears the watermark."""
        return self.watermark is not None and self.watermark.is_found

    @property
    def verdict(self) -> Verdict:
        """What to make of it: an unknown signer is believed when it says synthetic, not when it denies it;
        signs of synthesis count where nothing is declared.
        """
        if self.credentials == "tampered":
            return Verdict.TAMPERED
        if self.synthetic:
            return Verdict.SYNTHETIC
        if self.is_marked or any(signal.is_sign for signal in self.signals):
            return Verdict.SUSPICIOUS
        return Verdict.AUTHENTIC if self.credentials == "trusted" else Verdict.NOTHING


def verify(path: str | Path, trust: str | Path | None = None) -> Report:
    """Examine one file; `trust` names a PEM file of certificate authorities that are to be trusted."""
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"{path}: no such file; check the name and the folder")
    return _verify(path, _settings(trust))


def verify_folder(folder: str | Path, trust: str | Path | None = None) -> Iterator[Report]:
    """Examine all media files in a folder and the folders in it, in order of their names."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputNotFoundError(f"{folder}: no such folder; check the name")
    settings = _settings(trust)
    media = (path for path in folder.rglob("*") if path.suffix.lower() in MEDIA_SUFFIXES)
    files = sorted(path for path in media if path.is_file())
    if not files:
        raise InputNotFoundError(f"{folder}: holds no media file; name a folder that does, or a file")
    return (_verify(path, settings) for path in files)


def _settings(trust: str | Path | None) -> dict[str, Any]:
    settings = copy.deepcopy(SETTINGS)
    if trust is not None:
        settings["trust"] = {"user_anchors": _anchors(Path(trust))}
    return settings


def _anchors(path: Path) -> str:
    from cryptography import x509

    try:
        content = path.read_bytes()
        x509.load_pem_x509_certificates(content)
        return content.decode("ascii")
    except OSError as failure:
        raise InputNotFoundError(f"{path}: cannot be read ({failure.strerror}); check the name") from None
    except ValueError:
        raise CredentialsError(
            f"{path}: holds no certificate in PEM form; give those of the authorities to trust"
        ) from None


def _verify(path: Path, settings: dict[str, Any]) -> Report:
    report = _declared(path, settings)
    named = report.provenance.walk() if report.provenance else ()
    ids = tuple(dict.fromkeys(id_ for each in named for id_ in each.consents))
    return replace(report, watermark=_watermark(path), consents=statuses(ids))


def _watermark(path: Path) -> Found | None:
    """Looked for in the first sound track; None where there is none that can be read."""
    try:
        reader = SoundReader(path, _HEARD_RATE, 1)
        blocks = islice(reader.blocks(_HEARD_RATE), _HEARD_S)
        return watermark.find_in((block[0] for block in blocks), _HEARD_RATE)
    except (VoicelipError, OSError):
        return None


def _declared(path: Path, settings: dict[str, Any]) -> Report:
    """What the credentials say."""
    try:
        store = _read_store(path, settings)
    except OSError as failure:
        return Report(path, "none", note=f"cannot be opened ({failure.strerror})")
    except _UnreadableError as unreadable:
        return _report_unreadable(path, unreadable)
    return _report(path, store)


class _UnreadableError(Exception):
    """c2pa found no credentials that it can read."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


def _read_store(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Manifests and validation results as c2pa gives them."""
    import c2pa

    with path.open("rb") as file:
        try:
            with c2pa.Context.from_dict(settings) as context, c2pa.Reader(file, context=context) as reader:
                return json.loads(reader.json())
        except c2pa.C2paError.ManifestNotFound:
            raise _UnreadableError("") from None
        except c2pa.C2paError.RemoteManifest:
            raise _UnreadableError(
                "its credentials are kept on the web, where voicelip does not look"
            ) from None
        except c2pa.C2paError.NotSupported:
            raise _UnreadableError("not a kind of file that can be read") from None
        except (c2pa.C2paError, ValueError, RecursionError):
            raise _UnreadableError("corrupt, cut short, or not a media file") from None


def _report_unreadable(path: Path, unreadable: _UnreadableError) -> Report:
    """No credentials, unless something is left of them: then somebody, or an accident, has damaged them."""
    try:
        damaged = _holds_mark(path)
    except OSError as failure:
        return Report(path, "none", note=f"cannot be read ({failure.strerror})")
    if damaged:
        problem = Problem("manifest.unreadable", "the file or its credentials: too damaged to be read")
        return Report(path, "tampered", problems=(problem,))
    return Report(path, "none", note=unreadable.note)


def _holds_mark(path: Path) -> bool:
    kept = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            window = kept + block
            if _MARK.search(window):
                return True
            kept = window[-_LONGEST_MARK:]
    return False


def _report(path: Path, store: dict[str, Any]) -> Report:
    provenance = read_provenance(store)
    failures = list(_failures(store))
    against = [failure for failure in failures if not _is_of_the_signer(failure)]
    state: State = "untrusted"
    if against or (store.get("validation_state") == "Invalid" and not failures):
        state = "tampered"
    elif store.get("validation_state") == "Trusted" and not failures:
        state = "trusted"
    synthetic = provenance is not None and any(
        kind in SYNTHETIC_TYPES for each in provenance.walk() for kind in each.digital_source_types
    )
    return Report(path, state, synthetic, tuple(map(_problem, against or failures)), provenance)


def _failures(store: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is wrong with the file's own credentials, and what has become wrong with its ingredients'."""
    results = _dict(store.get("validation_results"))
    yield from _list(_dict(results.get("activeManifest")).get("failure"))
    for delta in _list(results.get("ingredientDeltas")):
        for failure in _list(_dict(delta.get("validationDeltas")).get("failure")):
            if not _is_of_the_signer(failure):
                yield failure


def _is_of_the_signer(failure: dict[str, Any]) -> bool:
    return str(failure.get("code")).startswith(_OF_THE_SIGNER)


def _problem(failure: dict[str, Any]) -> Problem:
    code = str(failure.get("code"))
    part = str(failure.get("url", "")).rsplit("/", 1)[-1]
    if code.startswith(("assertion.bmffHash.", "assertion.dataHash.", "assertion.boxesHash.")):
        return Problem(code, "picture, sound or container: not the bytes that were signed")
    if code.startswith("claimSignature.") and not _is_of_the_signer(failure):
        return Problem(code, "the claim: its signature does not fit")
    if code == "signingCredential.untrusted":
        return Problem(code, "the signer: not vouched for by anybody you trust")
    if _is_of_the_signer(failure):
        return Problem(code, "the signer's certificate")
    return Problem(code, f"the statement {part}" if part else "the credentials")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
