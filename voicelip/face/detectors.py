"""Face detectors by name.

`--detector NAME`, or NAME:ARGUMENT for one that takes an argument. Other packages add theirs through the
entry point group `voicelip.detectors`: a callable that takes a `DetectorSetup` and returns a `Detector`.
"""

from importlib.metadata import entry_points
from pathlib import Path

from voicelip import hub
from voicelip.errors import UnknownNameError
from voicelip.face.detector import Detector, DetectorSetup
from voicelip.progress import Progress, silent

ENTRY_POINTS = "voicelip.detectors"
_BUILT_IN = ("mesh", "face-alignment", "face-alignment-3d")


def detector_names() -> list[str]:
    """Built-in detectors and those that other packages announce."""
    return [*_BUILT_IN, *sorted(point.name for point in entry_points(group=ENTRY_POINTS))]


def check_name(name: str) -> None:
    """Raise UnknownNameError, with the known names, unless `name` is a detector's."""
    kind = name.partition(":")[0]
    if kind not in _BUILT_IN and kind not in detector_names():  # looking through all packages takes its time
        raise UnknownNameError(f"no detector is called {name!r}; known: {', '.join(detector_names())}")


def create(name: str, device: str = "auto", progress: Progress = silent) -> Detector:
    """The detector called `name`, ready for use; loads only what that one needs."""
    check_name(name)
    kind, _, argument = name.partition(":")
    setup = DetectorSetup(argument, device, progress)
    if kind == "mesh":
        from voicelip.face.tracker import FaceTracker

        return FaceTracker.from_task(hub.fetch("face-landmarker", progress))
    if kind in _BUILT_IN:
        from voicelip.face.face_alignment import create_tracker

        return create_tracker(setup, depth=kind.endswith("-3d"))
    return next(iter(entry_points(group=ENTRY_POINTS, name=kind))).load()(setup)


def settings(name: str) -> str:
    """What a stored track depends on: the name, and for local weight files which ones these are."""
    argument = name.partition(":")[2]
    return f"{name} {_file_facts(Path(argument).expanduser())}" if argument else name


def _file_facts(path: Path) -> str:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = [(file.name, file.stat()) for file in files if file.is_file()]
    return " ".join(f"{file}:{facts.st_size}:{facts.st_mtime_ns}" for file, facts in found)
