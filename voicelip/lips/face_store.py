"""Where face profiles are kept on this machine: private folders in `VOICELIP_HOME/faces`."""

import contextlib
import difflib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from voicelip.errors import OptionError, OutputError, UnknownNameError
from voicelip.lips.face_profile import FACTS, FaceProfile, read

AUTO, NONE = "auto", "none"  # what --adapted takes besides a name
LONGEST_NAME = 64
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def faces_folder() -> Path:
    """`VOICELIP_HOME/faces`, else in the user's data folder, since a cache may be emptied at any time."""
    configured = os.environ.get("VOICELIP_HOME")
    if configured:
        return Path(configured).expanduser() / "faces"
    import platformdirs

    return platformdirs.user_data_path("voicelip", appauthor=False) / "faces"


def check_name(name: str) -> str:
    """`name` in normal form, if a profile may be called so: letters of any script, digits, marks between."""
    name = unicodedata.normalize("NFC", name)
    kinds = [unicodedata.category(char)[0] for char in name]
    is_plain = (
        0 < len(name) <= LONGEST_NAME
        and all(kind in "LMN" or char in " ._-+" for kind, char in zip(kinds, name, strict=True))
        and kinds[0] in "LN"
        and name[-1] not in " ."
    )
    if not is_plain or _DEVICES.fullmatch(name) or name.casefold() in (AUTO, NONE):
        raise OptionError(
            f"{name!r} cannot be a face's name; use up to {LONGEST_NAME} letters, digits, spaces, . _ - +, "
            f"but not {AUTO} or {NONE}"
        )
    return name


def face_names() -> list[str]:
    """The profiles that are here."""
    folder = faces_folder()
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.name[0] != "." and (path / FACTS).is_file())


def face_folder(name: str) -> Path:
    """The folder of a profile, or an error that suggests near names."""
    names = face_names()
    if unicodedata.normalize("NFC", name) in names:
        return faces_folder() / unicodedata.normalize("NFC", name)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    else:
        hint = f"there are {', '.join(names[:12])}" if names else "make one with `voicelip adapt CLIP`"
    raise UnknownNameError(f"no face is called {name!r}; {hint}")


def load_face(name: str) -> FaceProfile:
    """The profile called `name`."""
    return read(face_folder(name))


def remove_face(name: str) -> None:
    """Delete a profile and all that is in it."""
    shutil.rmtree(face_folder(name))


def check_free(name: str, overwrite: bool) -> str:
    """`name` in normal form, if it may be written."""
    name = check_name(name)
    same = [each for each in face_names() if each.casefold() == name.casefold()]
    if same and same[0] != name:  # some file systems know no case: there, the two would be one folder
        raise OptionError(f"a face called {same[0]} exists; choose a name that differs in more than case")
    if same and not overwrite:
        raise OutputError(f"a face called {name} exists; choose another --name or pass --overwrite")
    return name


@contextlib.contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """A private folder that takes its name when the block ends well, and is gone when it does not."""
    store = faces_folder()
    try:
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        store.chmod(0o700)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=store))
    except OSError as error:
        raise OutputError(
            f"{store}: cannot be written ({error.strerror}); set VOICELIP_HOME elsewhere"
        ) from None
    try:
        yield temporary
        target, old = store / name, temporary.with_name(f"{temporary.name}-old")
        if target.exists():
            target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
