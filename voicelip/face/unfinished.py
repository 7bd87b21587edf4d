"""Folders that faces are being written to, and those that a killed run left behind.

A run holds a lock on its folder, which the system lets go when the run ends, however it ends. So what nobody
holds is nobody's, and goes; what is quite new is left alone, since its lock may be about to be taken.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_LOCK = ".lock"
_NEW_S = 60.0
_PREFIX = ".new-"


def new_folder(parent: Path, suffix: str) -> Path:
    """A folder in `parent` to write to, whose name begins with a dot; raises OSError."""
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent, suffix)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=suffix, dir=parent))


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """While this lasts, `folder` is somebody's."""
    from filelock import FileLock

    with FileLock(folder / _LOCK, thread_local=False):
        yield
    with contextlib.suppress(OSError):
        (folder / _LOCK).unlink()


def _sweep(parent: Path, suffix: str) -> None:
    for folder in parent.glob(f"{_PREFIX}*{suffix}"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _NEW_S and not _is_held(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / _LOCK, timeout=0, thread_local=False):
            return False
    except Timeout:
        return True
