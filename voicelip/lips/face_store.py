"""Where face profiles are kept on this machine: private folders in `VOICELIP_HOME/faces`."""

import contextlib
import difflib
import shutil
import unicodedata
from pathlib import Path

from voicelip import named_folders
from voicelip.errors import OptionError, OutputError, UnknownNameError
from voicelip.lips.face_profile import FACTS, FaceProfile, read
from voicelip.named_folders import LONGEST_NAME

AUTO, NONE = "auto", "none"  # what --adapted takes besides a name


def faces_folder() -> Path:
    """Where they are."""
    return named_folders.store("faces")


def check_name(name: str) -> str:
    """`name` in normal form, if a profile may be called so: letters of any script, digits, marks between."""
    normal = named_folders.normal_name(name)
    if normal is None or normal.casefold() in (AUTO, NONE):
        raise OptionError(
            f"{unicodedata.normalize('NFC', name)!r} cannot be a face's name; use up to {LONGEST_NAME} "
            f"letters, digits, spaces, . _ - +, but not {AUTO} or {NONE}"
        )
    return normal


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


def new_folder(name: str) -> contextlib.AbstractContextManager[Path]:
    """A private folder that takes its name when the block ends well, and is gone when it does not."""
    return named_folders.new_folder(faces_folder(), name)
