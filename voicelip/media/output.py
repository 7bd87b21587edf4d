"""Output files: refused early when they cannot be written, and never left half written."""

import os
import uuid
from pathlib import Path

from voicelip.errors import OutputError


def check_output(path: str | Path, overwrite: bool = False) -> None:
    """Raise OutputError, with the remedy, if `path` could not be written. Call this before any work."""
    path = Path(path)
    folder = path.parent
    if not folder.exists():
        raise OutputError(f"{folder}: no such folder; create it (mkdir -p) or choose another with -o")
    if not folder.is_dir():
        raise OutputError(f"{folder}: is not a folder; choose another with -o")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file in it with -o")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; pass --overwrite to replace it")
    _check_writable(folder)


def _check_writable(folder: Path) -> None:
    # Trying is the only sure test: permission bits say nothing of read-only mounts and ACLs.
    trial = temporary_beside(folder / "voicelip")
    try:
        os.close(os.open(trial, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        trial.unlink()
    except OSError as failure:
        raise OutputError(
            f"{folder}: cannot be written to ({failure.strerror}); choose another folder with -o"
        ) from None


def temporary_beside(path: Path) -> Path:
    """An unused hidden name in the folder of `path`, so that renaming to `path` is atomic."""
    return path.with_name(f".{path.stem[:100]}.{uuid.uuid4().hex[:12]}.part{path.suffix}")
