"""The weight files of S3FD and FAN: found, read as data only, and put into the face-alignment package."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelip import hub
from voicelip.errors import ArtifactError, InputNotFoundError, ModelFileError, OptionError

if TYPE_CHECKING:
    from voicelip.device import Device

_HOME = "https://www.adrianbulat.com/downloads/python-fan/"
_FILES = {
    "s3fd": "s3fd-619a316812.pth",
    "2DFAN4": "2DFAN4-11f355bf06.pth.tar",
    "3DFAN4": "3DFAN4-7835d9f11d.pth.tar",
    "depth": "depth-2a464da4ea.pth.tar",
}


def load_networks(folder: Path | None, device: "Device", depth: bool) -> Any:
    """The package's `FaceAlignment`, 2-D or with `depth` 3-D, with weights from `folder` or torch's cache."""
    try:
        import face_alignment
        from face_alignment.models import FAN, ResNetDepth
    except ImportError as error:
        raise OptionError("run first: pip install 'voicelip[face-alignment]'") from error
    from voicelip.state_dict import load

    detector = weight_file("s3fd", folder)
    _check_detector(detector)

    class Local(face_alignment.FaceAlignment):
        """Loads its networks from files of ours, and never runs what a file says."""

        def _load_native(self, name: str, size: int, where: str, dtype: Any) -> Any:
            path = weight_file("3DFAN4" if depth else "2DFAN4", folder)
            return load(path, lambda: FAN(size), "face-alignment's FAN").to(where, dtype=dtype)

        def _load_native_depth(self, where: str, dtype: Any) -> Any:
            path = weight_file("depth", folder)
            return load(path, ResNetDepth, "face-alignment's depth network").to(where, dtype=dtype)

    kind = face_alignment.LandmarksType
    return Local(
        kind.THREE_D if depth else kind.TWO_D,
        device=device.name,
        dtype=device.dtype,
        flip_input=False,
        face_detector_kwargs={"path_to_detector": str(detector)},
        compile=False,
    )


def weight_file(kind: str, folder: Path | None) -> Path:
    """The file of `kind` in `folder`, whatever follows in its name, or in torch's cache, fetched on first
    use.
    """
    if folder is not None:
        found = sorted(folder.glob(f"{kind}*.pth*")) + sorted(folder.glob(f"{kind}*.safetensors"))
        if found:
            return found[0]
        raise InputNotFoundError(f"{folder}: no {kind}*.pth there; it is to be had as {_HOME}{_FILES[kind]}")
    from torch.hub import download_url_to_file, get_dir

    path = Path(get_dir()) / "checkpoints" / _FILES[kind]
    if path.is_file():
        return path
    advice = f"put it into {path.parent}, or give its folder: --detector face-alignment:FOLDER"
    if hub.offline():
        raise ArtifactError(f"{path.name} is not here and VOICELIP_OFFLINE forbids downloads; {advice}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        download_url_to_file(_HOME + path.name, str(path), _hash_prefix(path.name), progress=False)
    except (OSError, RuntimeError) as error:
        raise ArtifactError(f"{_HOME}{path.name} cannot be fetched ({error}); {advice}") from error
    return path


def present() -> dict[str, bool]:
    """Which of the weight files are in torch's cache."""
    from torch.hub import get_dir

    return {name: (Path(get_dir()) / "checkpoints" / name).is_file() for name in _FILES.values()}


def _hash_prefix(name: str) -> str:
    """The start of the file's sha256, which its name carries."""
    return name.partition("-")[2].partition(".")[0]


def _check_detector(path: Path) -> None:
    """Refuse a wrong file in our own words: the package loads S3FD by itself, from a plain state dict."""
    from face_alignment.detection.sfd.net_s3fd import s3fd

    from voicelip.state_dict import load

    load(path, s3fd, "the face detector S3FD")
    if os.path.splitext(path)[1] == ".safetensors":
        raise ModelFileError(f"{path}: S3FD is read from .pth only; give the file as it was published")
