"""Voice and face profiles, tracks of faces, and what keeps them."""

import contextlib
import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from recipes.fuzzing.target import Target


def targets() -> list[Target]:
    """Readers of what was made on another machine, or long ago."""
    return [
        Target("voice archive", _voice_archive, _import_voice),
        Target("voice profile", functools.partial(_voice_files, ".json"), _read_voice),
        Target("voice numbers", functools.partial(_voice_files, ".safetensors"), _read_voice),
        Target("face facts", functools.partial(_face_files, ".json"), _read_face),
        Target("face numbers", functools.partial(_face_files, ".npz"), _read_face),
        Target("face track", _face_track, _read_track),
    ]


def _profile(folder: Path) -> Path:
    """The folder of a voice profile of nobody: the stock of numbers that a profile without a fit has."""
    from voicelip.pipeline import PRESENTER_VOICE
    from voicelip.speech.enrol import enrol
    from voicelip.speech.profile_store import has_profile, profile_folder

    if not has_profile("nobody"):
        enrol("nobody", [PRESENTER_VOICE], fit="none")
    return profile_folder("nobody")


def _voice_archive(folder: Path) -> dict[str, bytes]:
    from voicelip.speech.profile_store import export_profile

    _profile(folder)
    return {"a.voice": export_profile("nobody", folder / "a.voice", overwrite=True).read_bytes()}


def _import_voice(path: Path) -> None:
    from voicelip.speech.profile_store import import_profile

    import_profile(path, "imported", overwrite=True)


def _voice_files(suffix: str, folder: Path) -> dict[str, bytes]:
    whole = folder / "voice"
    shutil.copytree(_profile(folder), whole, dirs_exist_ok=True)
    return {file.name: file.read_bytes() for file in whole.iterdir() if file.suffix == suffix}


def _read_voice(path: Path) -> None:
    from voicelip.speech.profile import read_profile

    with in_place(path, path.parent / "voice") as folder:
        read_profile(folder)


def _face_files(suffix: str, folder: Path) -> dict[str, bytes]:
    from voicelip import __version__
    from voicelip.lips import face_profile
    from voicelip.lips.motion import MOTION_POINTS
    from voicelip.lips.person import Person

    whole = folder / "face"
    whole.mkdir(exist_ok=True)
    facts = {field: "" for field in face_profile.FaceFacts.__dataclass_fields__}
    facts |= {"format": face_profile.FORMAT, "voicelip": __version__, "networks": {}, "base": {}}
    person = Person(1.0, np.zeros((len(MOTION_POINTS), 2)))
    face_profile.write(whole, face_profile.FaceFacts(**facts), person, np.zeros((2, 8)))
    return {file.name: file.read_bytes() for file in whole.iterdir() if file.suffix == suffix}


def _read_face(path: Path) -> None:
    from voicelip.lips.face_profile import read

    with in_place(path, path.parent / "face") as folder:
        read(folder)


@contextlib.contextmanager
def in_place(path: Path, folder: Path):
    """`folder` with one of its files replaced by that of the same name at `path`, for a while."""
    good = (folder / path.name).read_bytes()
    (folder / path.name).write_bytes(path.read_bytes())
    try:
        yield folder
    finally:
        (folder / path.name).write_bytes(good)


def _track_of(path: Path) -> Callable[[], object]:
    from voicelip.face import FaceTrack
    from voicelip.face.cache import cached_track
    from voicelip.pipeline import PRESENTER_FACE

    def compute() -> FaceTrack:
        still = np.zeros(8, np.float32)
        return FaceTrack(
            np.zeros((8, 478, 2), np.float32), still.astype(np.int8), still, still.astype(np.int32)
        )

    return lambda: cached_track(PRESENTER_FACE, "fuzz", path, compute)


def _face_track(folder: Path) -> dict[str, bytes]:
    store = folder / "tracks"
    _track_of(store)()
    return {file.name: file.read_bytes() for file in store.glob("*.npz")}


def _read_track(path: Path) -> None:
    with in_place(path, path.parent / "tracks") as folder:
        _track_of(folder)()
