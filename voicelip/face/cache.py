"""Face tracks kept on disk, so that a clip is searched for faces once.

A track is named by what it depends on: the clip's bytes, the caller's settings and the version of the
tracking here. A file that cannot be read is computed again, a folder that cannot be written to costs the
speed-up and nothing else.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.face.track import FaceTrack
from voicelip.hashing import content_hash

VERSION = 3  # raise whenever tracking gives other values or the file's form changes
KEPT_BYTES = 1 << 30  # the longest unused tracks go first

_FIELDS = {"points": np.float32, "status": np.int8, "yaw_deg": np.float32, "shot": np.int32}
_log = logging.getLogger(__name__)


def cached_track(
    path: str | Path, settings: str, folder: str | Path, compute: Callable[[], FaceTrack]
) -> tuple[FaceTrack, bool]:
    """The track of the clip at `path`, and whether it came from `folder`; if it did not, `compute` makes it.

    `settings` is any text that says what else the track depends on: which face, frame rate, part of the clip.
    """
    file = Path(folder) / f"{key_of(Path(path), settings)}.npz"
    track = _read(file)
    if track is not None:
        return track, True
    track = compute()
    _write(file, track)
    return track, False


def key_of(path: Path, settings: str) -> str:
    """The name of what depends on a clip's bytes, on `settings` and on the tracking here."""
    parts = (str(VERSION), content_hash(path), settings)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _read(file: Path) -> FaceTrack | None:
    """The track in `file`, or None if there is none or it is damaged."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in _FIELDS}
    except FileNotFoundError:
        return None
    except Exception as error:  # damage shows in many ways, and none of them may stop a run
        _log.warning("stored face track %s is damaged (%s); tracking again", file.name, error)
        return None
    if not _is_whole(arrays):
        _log.warning("stored face track %s has an unknown form; tracking again", file.name)
        return None
    with contextlib.suppress(OSError):
        os.utime(file)  # used now: what `_prune` goes by
    return FaceTrack(**arrays)


def _is_whole(arrays: dict[str, np.ndarray]) -> bool:
    length = len(arrays["status"]) if arrays["status"].ndim == 1 else -1
    shapes = {name: (length, 478, 2) if name == "points" else (length,) for name in _FIELDS}
    kinds_fit = all(arrays[name].dtype == kind for name, kind in _FIELDS.items())
    return kinds_fit and all(arrays[name].shape == shapes[name] for name in _FIELDS)


def _write(file: Path, track: FaceTrack) -> None:
    """Store `track` under a temporary name and rename it, so that a reader never sees half a file."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)
        arrays: dict[str, Any] = {
            name: np.asarray(getattr(track, name), kind) for name, kind in _FIELDS.items()
        }
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, **arrays)
            os.replace(temporary, file)
        except BaseException:
            os.unlink(temporary)
            raise
        _prune(file.parent, spared=file)
    except OSError as error:
        _log.warning(
            "the face track cannot be stored in %s (%s); the next run tracks again", file.parent, error
        )


def _prune(folder: Path, spared: Path) -> None:
    newest_first = sorted(folder.glob("*.npz"), key=lambda entry: -entry.stat().st_mtime)
    total = 0
    for entry in newest_first:
        total += entry.stat().st_size
        if total > KEPT_BYTES and entry != spared:
            entry.unlink(missing_ok=True)
