"""Everybody's faces kept on disk: found once for a clip, read piece by piece however long it is.

Named like the tracks in `cache`, by all that they depend on. Where the folder cannot be written to they lie
in a temporary one for as long as they are needed.
"""

import contextlib
import json
import logging
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.face import unfinished
from voicelip.face.cache import key_of
from voicelip.face.crowd import Piece
from voicelip.face.people import told_apart
from voicelip.face.points import inter_ocular_px, mouth_opening
from voicelip.face.stored_piece import StoredPiece

VERSION = 3  # raise whenever following gives other values or the files' form changes
KEPT_BYTES = 2 << 30  # the longest unused go first
INDEX = "faces.json"
_SUFFIX = ".faces"
_IDLE_S = 6 * 3600.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Faces:
    """All faces of a clip, in order of their pieces' starts."""

    pieces: tuple[StoredPiece, ...]
    folder: Path


def stored_faces(
    path: str | Path, settings: str, folder: str | Path, compute: Callable[[], Iterable[Piece]]
) -> Faces:
    """The faces of the clip at `path`, from `folder` or else found by `compute`.

    `settings` is any text that says what else they depend on.
    """
    place = Path(folder) / f"{key_of(Path(path), f'everybody {VERSION} {settings}')}{_SUFFIX}"
    found = _read(place)
    if found is not None:
        with contextlib.suppress(OSError):
            os.utime(place)  # used now: what `_prune` goes by
        return found
    return _written(place, compute)


def _written(place: Path, compute: Callable[[], Iterable[Piece]]) -> Faces:
    """Found, stored under a temporary name, and renamed when whole."""
    temporary, is_to_stay = _new_folder(place.parent)
    try:
        with unfinished.in_use(temporary):
            _write_all(temporary, compute())
        if is_to_stay:
            return _moved(temporary, place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    faces = _faces(temporary)
    weakref.finalize(faces, shutil.rmtree, temporary, ignore_errors=True)
    return faces


def _write_all(folder: Path, found: Iterable[Piece]) -> None:
    entries, identities = [], {}
    for number, piece in enumerate(found):
        entries.append(_write_piece(folder, number, piece))
        identities[piece.face] = piece.identities
    # Who is who is worked out now: descriptors that identify people are not kept.
    persons = told_apart(_pieces(folder, entries), identities)
    entries = [{**entry, "person": persons[entry["face"]]} for entry in entries]
    (folder / INDEX).write_text(json.dumps({"pieces": entries}), "utf-8")


def _new_folder(parent: Path) -> tuple[Path, bool]:
    """A folder to write to, and whether it may stay; in `parent`, else for as long as it is needed."""
    try:
        return unfinished.new_folder(parent, _SUFFIX), True
    except OSError as error:
        said = str(error)
    _log.warning("faces cannot be stored in %s (%s); the next run finds them again", parent, said)
    return Path(tempfile.mkdtemp(suffix=_SUFFIX)), False


def _moved(temporary: Path, place: Path) -> Faces:
    """The same in its own place, unless another run was quicker."""
    if _read(place) is None:
        shutil.rmtree(place, ignore_errors=True)  # damaged, if there is anything
        with contextlib.suppress(OSError):  # the other run was quicker by a moment
            temporary.replace(place)
            _prune(place.parent, spared=place)
    shutil.rmtree(temporary, ignore_errors=True)
    return _faces(place)


def _write_piece(folder: Path, number: int, piece: Piece) -> dict[str, Any]:
    track = piece.track
    centre = np.full((len(track), 2), np.nan, np.float32)
    seen = np.isfinite(track.points[:, 0, 0])
    centre[seen] = track.points[seen].mean(axis=1)
    name = f"{number:05d}.npz"
    np.savez(
        folder / name,
        # Distances from the middle of the face: as halves they are exact to some thousandth of its width.
        points=(track.points - centre[:, None]).astype(np.float16),
        centre=centre,
        status=track.status,
        yaw_deg=track.yaw_deg,
        opening=mouth_opening(track.points).astype(np.float32),
        iod=inter_ocular_px(track.points).astype(np.float32),
        looks=piece.looks,
    )
    stop = piece.start + len(track)
    return {
        "face": piece.face,
        "shot": int(track.shot[0]),
        "start": piece.start,
        "stop": stop,
        "file": name,
        "bytes": (folder / name).stat().st_size,
    }


def _read(folder: Path) -> Faces | None:
    """What is in `folder`, or None if there is nothing or it is damaged."""
    try:
        return _faces(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # damage shows in many ways, and none of them may stop a run
        _log.warning("stored faces %s are damaged (%s); finding them again", folder.name, error)
        return None


def _faces(folder: Path) -> Faces:
    entries = json.loads((folder / INDEX).read_text("utf-8"))["pieces"]
    return Faces(tuple(_pieces(folder, entries)), folder)


def _pieces(folder: Path, entries: Iterable[dict[str, Any]]) -> list[StoredPiece]:
    pieces = []
    for entry in entries:
        file = folder / entry["file"]
        if file.stat().st_size != entry["bytes"]:
            raise ValueError(f"{file.name} is cut short")
        known = {name: value for name, value in entry.items() if name != "bytes"}
        pieces.append(StoredPiece(**{**known, "file": file}))
    return sorted(pieces, key=lambda piece: (piece.start, piece.face))


def _prune(folder: Path, spared: Path) -> None:
    """Make room; what was used a short while ago may be in use by another run."""
    whole = [entry for entry in folder.glob(f"*{_SUFFIX}") if not entry.name.startswith(".")]
    newest_first = sorted(whole, key=lambda entry: -entry.stat().st_mtime)
    total = 0
    for entry in newest_first:
        total += sum(file.stat().st_size for file in entry.iterdir())
        is_idle = time.time() - entry.stat().st_mtime > _IDLE_S
        if total > KEPT_BYTES and is_idle and entry != spared:
            shutil.rmtree(entry, ignore_errors=True)
