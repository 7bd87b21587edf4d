"""Named folders that only their user may read: what voice and face profiles are kept in."""

import contextlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from voicelip.errors import OutputError

LONGEST_NAME = 64
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def store(kind: str) -> Path:
    """`VOICELIP_HOME/kind`, else in the user's data folder, since a cache may be emptied at any time."""
    configured = os.environ.get("VOICELIP_HOME")
    if configured:
        return Path(configured).expanduser() / kind
    import platformdirs

    return platformdirs.user_data_path("voicelip", appauthor=False) / kind


def normal_name(name: str) -> str | None:
    """`name` in Unicode's normal form C if a folder may be called so on any system: letters of any script and
    digits with a few marks between them. Else None.
    """
    name = unicodedata.normalize("NFC", name)
    kinds = [unicodedata.category(char)[0] for char in name]
    is_plain = (
        0 < len(name) <= LONGEST_NAME
        and all(kind in "LMN" or char in " ._-+" for kind, char in zip(kinds, name, strict=True))
        and kinds[0] in "LN"
        and name[-1] not in " ."
    )
    return name if is_plain and not _DEVICES.fullmatch(name) else None


@contextlib.contextmanager
def new_folder(folder: Path, name: str) -> Iterator[Path]:
    """A private folder that takes its `name` in `folder` when the block ends well, and is gone when it does
    not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}); set VOICELIP_HOME elsewhere"
        ) from None
    try:
        yield temporary
        target, old = folder / name, temporary.with_name(f"{temporary.name}-old")
        if target.exists():
            target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
