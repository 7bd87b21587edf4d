"""Model artifacts: what they are called, where they come from, and where they are kept.

`fetch` hands out a path only to files whose size and sha256 were checked. The hash is computed once, after
the download; a stamp beside the file records size and modification time, so that later runs only compare
those. `verify` computes it again.
"""

import contextlib
import functools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from voicelip import terms
from voicelip.errors import ArtifactError, UnknownNameError
from voicelip.hashing import content_hash
from voicelip.home import home as home
from voicelip.mirrors import Mirror, MirrorError, WebMirror, WheelMirror
from voicelip.progress import Progress, silent


@dataclass(frozen=True)
class ArtifactFile:
    """One file of an artifact and what its content must be."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Artifact:
    """A registry entry."""

    name: str
    purpose: str
    licence: str
    home: str
    files: tuple[ArtifactFile, ...]
    mirrors: tuple[Mirror, ...]

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return sum(file.bytes for file in self.files)

    @property
    def sizes(self) -> dict[str, int]:
        """File name to bytes."""
        return {file.name: file.bytes for file in self.files}


@dataclass(frozen=True)
class Status:
    """What the cache holds of an artifact."""

    artifact: Artifact
    path: Path
    state: Literal["present", "absent", "damaged"]


def offline() -> bool:
    """Whether `VOICELIP_OFFLINE` forbids downloads."""
    return os.environ.get("VOICELIP_OFFLINE", "").lower() not in ("", "0", "false", "no")


def entries() -> dict[str, Artifact]:
    """The registry, by name."""
    return dict(_registry())


def free_entries() -> list[str]:
    """The names of the artifacts without terms of their own that would have to be accepted."""
    return [name for name in _registry() if name not in terms.TERMS]


def fetch(name: str, progress: Progress = silent) -> Path:
    """Path of a checked artifact (its folder if it has several files), downloaded on first use.

    Raises TermsError where the artifact's own terms of use were not accepted.
    """
    artifact = _entry(name)
    terms.require(name)
    if _is_stamped(artifact):
        return _path(artifact)
    if offline() and not _is_complete(artifact):
        raise ArtifactError(
            f"{name} is not in {_folder(artifact)} and VOICELIP_OFFLINE forbids downloads; "
            f"run `voicelip models pull {name}` once without it"
        )
    with _local_failures(artifact), _lock(artifact):
        if not _is_stamped(artifact) and not _adopt(artifact):
            _download(artifact, progress)
    return _path(artifact)


def is_present(name: str) -> bool:
    """Whether `fetch` would only hand out a path; by stamp, no hash is computed."""
    return _is_stamped(_entry(name))


def pull(names: Iterable[str] = (), progress: Progress = silent) -> list[Path]:
    """Fetch the named artifacts, or all that are free to use."""
    chosen = [_entry(name).name for name in names] or free_entries()
    return [fetch(name, progress) for name in chosen]


def status() -> list[Status]:
    """What is here and what is not, by stamp; no hash is computed."""
    return [_status(artifact, _is_stamped(artifact)) for artifact in _registry().values()]


def verify(name: str) -> Status:
    """Hash an artifact's files again; damaged ones are forgotten, so that the next `fetch` replaces them."""
    artifact = _entry(name)
    if not _folder(artifact).is_dir():
        return _status(artifact, False)
    with _local_failures(artifact), _lock(artifact):
        return _status(artifact, _adopt(artifact))


def pretrained(relative_name: str) -> Path:
    """Path of a file that ships with voicelip: inside the installed package, or in the repository."""
    package = Path(str(resources.files("voicelip")))
    for folder in (package / "pretrained", package.parent / "pretrained"):
        if (folder / relative_name).exists():
            return folder / relative_name
    raise ArtifactError(f"pretrained/{relative_name} is missing from this installation; reinstall voicelip")


@functools.cache
def _registry() -> Mapping[str, Artifact]:
    text = resources.files("voicelip").joinpath("registry.json").read_text(encoding="utf-8")
    return {name: _parse(name, entry) for name, entry in json.loads(text).items()}


def _parse(name: str, entry: Mapping[str, Any]) -> Artifact:
    files = tuple(ArtifactFile(**file) for file in entry["files"])
    mirrors = tuple(_parse_mirror(mirror) for mirror in entry["mirrors"])
    return Artifact(name, entry["purpose"], entry["licence"], entry["home"], files, mirrors)


def _parse_mirror(mirror: Mapping[str, Any]) -> Mirror:
    if "urls" in mirror:
        return WebMirror(mirror["urls"])
    members = {name: tuple((req, part) for req, part in pieces) for name, pieces in mirror["wheels"].items()}
    return WheelMirror(members, mirror["download_bytes"])


def _entry(name: str) -> Artifact:
    try:
        return _registry()[name]
    except KeyError:
        raise UnknownNameError(f"no artifact is called {name!r}; known: {', '.join(_registry())}") from None


def _folder(artifact: Artifact) -> Path:
    return home() / "models" / artifact.name


def _path(artifact: Artifact) -> Path:
    folder = _folder(artifact)
    return folder / artifact.files[0].name if len(artifact.files) == 1 else folder


def _stamp(artifact: Artifact) -> Path:
    return _folder(artifact) / "checked.json"


def _status(artifact: Artifact, good: bool) -> Status:
    if good:
        return Status(artifact, _path(artifact), "present")
    some = any((_folder(artifact) / file.name).exists() for file in artifact.files)
    return Status(artifact, _path(artifact), "damaged" if some else "absent")


def _lock(artifact: Artifact) -> contextlib.AbstractContextManager[Any]:
    """Held by the one process or thread that may write an artifact's folder."""
    from filelock import FileLock

    folder = _folder(artifact)
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock", thread_local=False)


@contextlib.contextmanager
def _local_failures(artifact: Artifact) -> Iterator[None]:
    """Turn a full disk or an unwritable folder into one line that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ArtifactError(
            f"cannot keep {artifact.name} ({artifact.bytes / 1e6:.0f} MB) in {_folder(artifact)}: {reason}; "
            f"make room, or set VOICELIP_HOME elsewhere, and run `voicelip models pull {artifact.name}`"
        ) from error


def _facts(artifact: Artifact) -> dict[str, Any] | None:
    """What a stamp records of each file; None when a file is missing."""
    facts = {}
    for file in artifact.files:
        try:
            found = (_folder(artifact) / file.name).stat()
        except OSError:
            return None
        facts[file.name] = [file.sha256, found.st_size, found.st_mtime_ns]
    return facts


def _is_complete(artifact: Artifact) -> bool:
    return _facts(artifact) is not None


def _is_stamped(artifact: Artifact) -> bool:
    try:
        recorded = json.loads(_stamp(artifact).read_text())
    except (OSError, ValueError):
        return False
    return recorded == _facts(artifact)


def _adopt(artifact: Artifact) -> bool:
    """Check files that are in place but carry no valid stamp, and stamp them if they are right."""
    _stamp(artifact).unlink(missing_ok=True)
    if not _is_complete(artifact):
        return False
    if any(_fault(_folder(artifact) / file.name, file) for file in artifact.files):
        return False
    _write_stamp(artifact)
    return True


def _write_stamp(artifact: Artifact) -> None:
    temporary = _stamp(artifact).with_suffix(".tmp")
    temporary.write_text(json.dumps(_facts(artifact)))
    os.replace(temporary, _stamp(artifact))


def _fault(path: Path, file: ArtifactFile) -> str | None:
    """Why a file is not what it should be, or None."""
    size = path.stat().st_size
    if size != file.bytes:
        return f"{file.name} has {size} bytes instead of {file.bytes}"
    found = content_hash(path)
    if found != file.sha256:
        return f"{file.name} has sha256 {found[:12]}… instead of {file.sha256[:12]}…"
    return None


def _download(artifact: Artifact, progress: Progress) -> None:
    """Try each mirror in turn; move the files into place when all of them are right."""
    if offline():
        raise ArtifactError(
            f"{artifact.name} in {_folder(artifact)} is damaged and VOICELIP_OFFLINE forbids downloads; "
            f"run `voicelip models pull {artifact.name}` once without it"
        )
    reasons = []
    for mirror in artifact.mirrors:
        try:
            _obtain_cleanly(artifact, mirror, progress)
        except MirrorError as error:
            reasons.append(f"{mirror.label}: {error}")
        else:
            _settle(artifact)
            progress(f"fetch {artifact.name}", artifact.bytes, artifact.bytes, "B")
            return
    raise ArtifactError(
        f"could not fetch {artifact.name} ({artifact.bytes / 1e6:.0f} MB). Tried " + "; ".join(reasons) + ". "
        f"Check the connection and pip's index settings, then run `voicelip models pull {artifact.name}`; "
        f"or put {' and '.join(artifact.sizes)}, described at {artifact.home}, into {_folder(artifact)}"
    )


def _obtain_cleanly(artifact: Artifact, mirror: Mirror, progress: Progress) -> None:
    """Resume what an earlier attempt left; if that leads nowhere, once more from the start."""
    parts = [_folder(artifact) / f"{file.name}.part" for file in artifact.files]
    resuming = any(part.exists() for part in parts)
    try:
        _obtain(artifact, mirror, progress)
    except _WrongContentError:
        if not resuming:
            raise
        for part in parts:
            part.unlink(missing_ok=True)
        _obtain(artifact, mirror, progress)


class _WrongContentError(MirrorError):
    """A mirror gave bytes that are not the artifact's."""


def _obtain(artifact: Artifact, mirror: Mirror, progress: Progress) -> None:
    """Bring every NAME.part into the folder, checked; wrong ones are removed so that a retry starts clean."""
    stage = f"fetch {artifact.name}"
    # One byte short of the end: the stage is over only when the files are checked and in place.
    mirror.obtain(
        artifact.sizes,
        _folder(artifact),
        lambda count: progress(stage, min(count, artifact.bytes - 1), artifact.bytes, "B"),
    )
    for file in artifact.files:
        part = _folder(artifact) / f"{file.name}.part"
        if fault := _fault(part, file):
            part.unlink()
            raise _WrongContentError(fault)


def _settle(artifact: Artifact) -> None:
    for file in artifact.files:
        part = _folder(artifact) / f"{file.name}.part"
        os.replace(part, part.with_name(file.name))
    _write_stamp(artifact)
