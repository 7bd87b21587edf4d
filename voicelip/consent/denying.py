"""People whom nobody may use, whatever they agreed to: added to a list by their voices and faces."""

from collections.abc import Sequence
from pathlib import Path

from voicelip.errors import InputNotFoundError, OptionError
from voicelip.trust import deny


def deny_people(path: Path, voices: Sequence[Path], faces: Sequence[Path]) -> int:
    """Add people to the deny list in a file, which is made if it is not there; how many are on it then."""
    from voicelip.consent.faces import likeness_of_face
    from voicelip.consent.voices import likeness_of_voice

    if not voices and not faces:
        raise OptionError("nobody to deny; give --voice FILE or --face CLIP")
    for each in (*voices, *faces):
        if not each.is_file():
            raise InputNotFoundError(f"{each}: no such file; check the name and the folder")
    known = deny.read(path) if path.exists() else ()
    added = [*map(likeness_of_voice, voices), *map(likeness_of_face, faces)]
    deny.write(path, (*known, *added))
    return len(known) + len(added)
