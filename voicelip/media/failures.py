"""Turns what FFmpeg and the system raise into the errors that users read."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voicelip.errors import InputNotFoundError, OutputError, UnreadableMediaError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check_input(path: Path) -> None:
    """Refuse what cannot be a media file, before FFmpeg sees it."""
    if not path.exists():
        raise InputNotFoundError(f"{path}: no such file; check the name and the folder")
    if path.is_dir():
        raise UnreadableMediaError(f"{path}: is a folder; name a media file in it")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as failure:
        raise UnreadableMediaError(
            f"{path}: cannot be opened ({failure.strerror}); check its permissions"
        ) from None
    if not first:
        raise UnreadableMediaError(f"{path}: is empty (0 bytes); export or copy it again")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within this block a failure of FFmpeg means that `path` cannot be read."""
    from av.error import FFmpegError, InvalidDataError

    try:
        yield
    except InvalidDataError:
        raise UnreadableMediaError(
            f"{path}: not a media file, or it is corrupt or cut short; play it to check, then export it again"
        ) from None
    except FFmpegError as failure:
        raise UnreadableMediaError(
            f"{path}: cannot be read ({failure.strerror}); try to export it again"
        ) from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within this block a failure of FFmpeg or of the system means that `path` cannot be written."""
    from av.error import FFmpegError

    try:
        yield
    except (OSError, FFmpegError) as failure:
        raise output_error(path, failure) from None


def output_error(path: Path, failure: Exception) -> OutputError:
    """The error for the user when writing `path` failed with `failure`."""
    code = getattr(failure, "errno", None)
    if code in _NO_SPACE:
        return OutputError(f"{path}: disk full; free some space or choose another folder with -o")
    reason = getattr(failure, "strerror", None) or str(failure)
    return OutputError(f"{path}: cannot be written ({reason}); choose another place with -o")
