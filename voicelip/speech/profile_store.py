"""Where voice profiles are kept on this machine, and how they travel: as one zip file of known members."""

import difflib
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from voicelip import named_folders
from voicelip.errors import InputNotFoundError, OptionError, OutputError, ProfileError, UnknownNameError
from voicelip.named_folders import LONGEST_NAME
from voicelip.speech.profile import (
    FACTS,
    KEPT,
    LARGEST_FACTS,
    LARGEST_NUMBERS,
    NUMBERS,
    Profile,
    read_facts,
    read_profile,
    write_profile,
)

SUFFIX = ".voice"
LARGEST_SOUND = 256 << 20  # bytes


def voices_folder() -> Path:
    """Where they are."""
    return named_folders.store("voices")


def check_profile_name(name: str) -> str:
    """`name` in normal form, if a profile may be called so."""
    normal = named_folders.normal_name(name)
    if normal is None:
        raise OptionError(
            f"{unicodedata.normalize('NFC', name)!r} cannot be a voice's name; use up to {LONGEST_NAME} "
            "letters, digits, spaces and . _ - +"
        )
    return normal


def profile_names() -> list[str]:
    """The profiles that are here."""
    folder = voices_folder()
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if (path / FACTS).is_file() and path.name[0] != ".")


def has_profile(name: str) -> bool:
    """Whether a profile is called so; false for what cannot be a name."""
    try:
        name = check_profile_name(name)
    except OptionError:
        return False
    return (voices_folder() / name / FACTS).is_file()


def profile_folder(name: str) -> Path:
    """The folder of a profile, or an error that suggests near names."""
    if has_profile(name):
        return voices_folder() / check_profile_name(name)
    raise UnknownNameError(f"no voice profile is called {name!r}; {suggestion(name)}")


def suggestion(name: str) -> str:
    """What to write instead of an unknown name."""
    names = profile_names()
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if names:
        return f"there are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"
    return f"make it from a recording: `voicelip voice add {name} recording.wav`"


def load_profile(name: str) -> Profile:
    """The profile called `name`."""
    return read_profile(profile_folder(name))


def check_free(name: str, overwrite: bool) -> str:
    """`name` in normal form, if it may be written."""
    name = check_profile_name(name)
    folder = voices_folder()
    taken = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    # Some file systems know no case: there, Alice and alice would be one folder.
    others = [each for each in taken if each.casefold() == name.casefold() and each != name]
    if others:
        raise OptionError(f"a voice called {others[0]} exists; choose a name that differs in more than case")
    if name in taken and not overwrite:
        raise OutputError(f"a voice called {name} exists; choose another name or pass --overwrite")
    return name


def save_profile(profile: Profile, sounds: dict[str, bytes] | None = None, overwrite: bool = False) -> Path:
    """Keep a profile, whole or not at all; `sounds` are recordings to go with it, by their names inside."""
    name = check_free(profile.name, overwrite)
    with named_folders.new_folder(voices_folder(), name) as folder:
        write_profile(profile, folder)
        for file, content in (sounds or {}).items():
            path = folder / file
            path.touch(mode=0o600)
            path.write_bytes(content)
    return voices_folder() / name


def remove_profile(name: str) -> None:
    """Delete a profile and all that is in it."""
    shutil.rmtree(profile_folder(name))


def export_profile(name: str, out: Path, overwrite: bool = False) -> Path:
    """One zip file that holds the profile; `out` may be a folder."""
    folder = profile_folder(name)
    read_profile(folder)
    out = out / f"{folder.name}{SUFFIX}" if out.is_dir() else out
    from voicelip.media import check_output

    check_output(out, overwrite)
    temporary = out.with_name(f".{out.name}.part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                if _is_member(path.name):
                    archive.write(path, path.name)
        temporary.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        temporary.unlink(missing_ok=True)
    return out


def import_profile(
    path: Path,
    name: str | None = None,
    overwrite: bool = False,
    allowed: Callable[[Profile], tuple[str, ...]] | None = None,
) -> Profile:
    """Take a profile in that `export_profile` wrote; only known members of bounded size are read.

    `allowed` gives the ids of the records that cover the profile, or raises what forbids taking it in.
    """
    if not path.is_file():
        raise InputNotFoundError(f"{path}: no such file; name one that `voicelip voice export` wrote")
    with _damage_refused(path):
        archive = zipfile.ZipFile(path)
    with archive, tempfile.TemporaryDirectory(prefix="voicelip-") as temporary:
        unpacked = Path(temporary)
        for member in _checked_members(path, archive):
            _extract(path, archive, member, unpacked / member.filename)
        return _take_in(unpacked, name, overwrite, allowed)


@contextmanager
def _damage_refused(path: Path) -> Iterator[None]:
    """Within this block whatever is raised means that the archive is damaged: it shows in many ways."""
    try:
        yield
    except Exception as error:
        raise ProfileError(f"{path}: is no voice profile ({error}); export it again") from None


def _take_in(
    unpacked: Path,
    name: str | None,
    overwrite: bool,
    allowed: Callable[[Profile], tuple[str, ...]] | None,
) -> Profile:
    from dataclasses import replace

    facts = read_facts(unpacked)
    profile = read_profile(unpacked)
    profile = replace(profile, name=check_free(name or str(facts.get("name", "")), overwrite))
    profile = replace(profile, consents=allowed(profile)) if allowed else profile
    sounds = {file.name: file.read_bytes() for file in unpacked.iterdir() if KEPT.fullmatch(file.name)}
    save_profile(profile, sounds, overwrite)
    return profile


def _checked_members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) != len(names) or not {FACTS, NUMBERS} <= set(names):
        raise ProfileError(f"{path}: is no voice profile; name a file that `voicelip voice export` wrote")
    for member in members:
        if not _is_member(member.filename):
            raise ProfileError(
                f"{path}: holds {member.filename[:60]!r}, which no voice profile does; not imported"
            )
    return members


def _extract(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """One member, read no further than its bound whatever the archive says of its size."""
    bound = {FACTS: LARGEST_FACTS, NUMBERS: LARGEST_NUMBERS}.get(member.filename, LARGEST_SOUND)
    with _damage_refused(path), archive.open(member) as source:
        content = source.read(bound + 1)
    if len(content) > bound:
        raise ProfileError(f"{path}: {member.filename} in it is too large for a voice profile; not imported")
    target.write_bytes(content)


def _is_member(name: str) -> bool:
    return name in (FACTS, NUMBERS) or KEPT.fullmatch(name) is not None
