"""What voicelip finds on this machine, and what to do about what is wrong."""

import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING

from voicelip import __version__, hub, terms
from voicelip.errors import VoicelipError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# Distribution → module, of the packages with a compiled part: they may be installed and not load.
COMPILED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "av": "av",
    "opencv-python": "cv2",
    "onnxruntime": "onnxruntime",
    "soundfile": "soundfile",
    "torch": "torch",
    "espeakng-loader": "espeakng_loader",
}
OLDEST, NEWEST = (3, 10), (3, 13)
NEEDED_BYTES = 200_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    detail: str
    ok: bool = True
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """All findings; `ok` if nothing keeps voicelip from working."""

    ok: bool
    findings: tuple[Finding, ...]


def examine() -> Report:
    """Look at everything; downloads nothing."""
    findings = tuple(_findings())
    return Report(all(finding.ok for finding in findings), findings)


def _findings() -> Iterator[Finding]:
    yield Finding("voicelip", f"{__version__} in {Path(__file__).parent}")
    yield _python()
    yield Finding("platform", f"{platform.system()} {platform.release()} {platform.machine()}")
    yield Finding("cores", str(_cores()))
    yield _memory()
    yield from map(_compiled, COMPILED)
    yield _torchaudio()
    yield from _plain_packages()
    yield _device()
    yield from _extras()
    yield _pretrained()
    yield _cache()
    yield Finding("offline", "yes: VOICELIP_OFFLINE forbids downloads" if hub.offline() else "no")
    yield from map(_artifact, hub.status())
    yield from _weights_of_others()
    yield from map(_terms, terms.TERMS)
    yield from announced()


def _python() -> Finding:
    ok = OLDEST <= sys.version_info[:2] <= NEWEST
    remedy = "" if ok else "use Python 3.10 to 3.13"
    return Finding("python", f"{platform.python_version()} at {sys.executable}", ok, remedy)


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> Finding:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return Finding("memory", "unknown")
    return Finding("memory", f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB unused")


def _compiled(distribution: str) -> Finding:
    try:
        import_module(COMPILED[distribution])
        return Finding(distribution, metadata.version(distribution))
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding(distribution, reason, False, _remedy(distribution, reason))


def _remedy(distribution: str, reason: str) -> str:
    if missing := re.search(r"lib\w+[\w.+-]*\.so[.\d]*", reason):
        return f"install the system package that brings {missing.group()}"
    return f"run `pip install --force-reinstall {distribution}`"


def _torchaudio() -> Finding:
    from voicelip import compat

    try:
        module = compat.torchaudio()
        return Finding("torchaudio", str(module.__version__))
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding("torchaudio", reason, False, _remedy("torchaudio", reason))


def _plain_packages() -> Iterator[Finding]:
    """The other requirements, by their metadata."""
    for requirement in _requirements(""):
        if requirement.name in COMPILED or requirement.name == "torchaudio":
            continue
        yield _installed(requirement)


def _installed(requirement: "Requirement") -> Finding:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Finding(requirement.name, "not installed", False, f"run `pip install '{requirement}'`")
    if requirement.specifier.contains(version, prereleases=True):
        return Finding(requirement.name, version)
    wanted = f"{requirement.name}{requirement.specifier}"
    return Finding(requirement.name, f"{version}, not {requirement.specifier}", False,
                   f"run `pip install '{wanted}'`")  # fmt: skip


def _requirements(extra: str) -> list["Requirement"]:
    """What voicelip asks for (with `extra`: only what that one adds); empty when it runs uninstalled."""
    from packaging.requirements import Requirement

    try:
        declared = [Requirement(text) for text in metadata.requires("voicelip") or []]
    except metadata.PackageNotFoundError:
        return []
    return [
        requirement
        for requirement in declared
        if (requirement.marker is None or requirement.marker.evaluate({"extra": extra}))
        and ("extra" in str(requirement.marker)) == bool(extra)
    ]


def _extras() -> Iterator[Finding]:
    """Each extra and whether all of it is installed; none is needed."""
    try:
        names = metadata.metadata("voicelip").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        yield Finding("extras", "unknown: voicelip runs from its source folder")
        return
    for name in names:
        missing = [each.name for each in _requirements(name) if not _is_here(each.name)]
        state = f"not installed (lacks {', '.join(missing)})" if missing else "installed"
        yield Finding(f"extra {name}", state)


def _is_here(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _device() -> Finding:
    try:
        import torch
    except Exception:
        return Finding("device", "unknown, since torch does not load")
    if torch.cuda.is_available():
        return Finding("device", f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})")
    return Finding("device", f"CPU, {torch.backends.cpu.get_cpu_capability()}")


def _pretrained() -> Finding:
    """The weights that ship with voicelip."""
    try:
        folder = hub.pretrained("kokoro_voices.npz").parent
    except VoicelipError as error:
        return Finding("pretrained", str(error), False)
    return Finding("pretrained", str(folder))


def _cache() -> Finding:
    """Where downloads go, and whether they can."""
    import shutil
    import tempfile

    folder = hub.home()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        free = shutil.disk_usage(existing).free
    except OSError as error:
        detail = f"{folder} cannot be written to ({error.strerror})"
        return Finding("cache", detail, False, "set VOICELIP_HOME to a folder of yours")
    ok = free >= NEEDED_BYTES or all(status.state == "present" for status in hub.status())
    remedy = "" if ok else "make room, or set VOICELIP_HOME elsewhere"
    return Finding("cache", f"{folder}, {free / 1e9:.1f} GB free", ok, remedy)


def _artifact(status: hub.Status) -> Finding:
    name, size = status.artifact.name, f"{status.artifact.bytes / 1e6:.1f} MB"
    remedy = f"run `voicelip models pull {name}`"
    if status.state == "damaged":
        return Finding(name, f"damaged, {size}", False, remedy)
    return Finding(name, f"{status.state}, {size}")


def _weights_of_others() -> Iterator[Finding]:
    """The files of the face-alignment package, where that is installed."""
    if not _is_here("face-alignment"):
        return
    from voicelip.face.face_alignment_weights import present

    for name, is_present in present().items():
        yield Finding(name, "present" if is_present else "absent")


def _terms(name: str) -> Finding:
    """Whether the user accepted the terms of the model `name`."""
    when = terms.accepted_on(name)
    said = f"accepted ({when})" if when else "not accepted"
    return Finding(f"terms {name}", f"{said}: {terms.TERMS[name].licence}")


def announced() -> Iterator[Finding]:
    """What other packages add, without loading it."""
    for group in ("engines", "detectors", "lips"):
        found = [
            f"{point.name} ({point.value})" for point in metadata.entry_points(group=f"voicelip.{group}")
        ]
        if found:
            yield Finding(f"added {group}", ", ".join(sorted(found)))
