"""coqui-tts, which is an extra, and the folders that its models lie in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from voicelip.errors import InputNotFoundError, ModelFileError, VoicelipError

WEIGHTS = ("model.pth", "model_file.pth", "best_model.pth")


def require_coqui() -> Any:
    """The package TTS, or an error that says how to install it."""
    from voicelip import compat

    try:
        compat.torchaudio()
        import TTS
    except ImportError as error:
        raise VoicelipError(
            f"this engine needs coqui-tts ({error}); run `pip install 'voicelip[xtts]'`"
        ) from None
    return TTS


def model_files(folder: Path) -> tuple[Path, Path, dict[str, Any]]:
    """Weights and configuration of a model folder, and what the configuration says."""
    if not folder.is_dir():
        raise InputNotFoundError(
            f"{folder}: no such folder; give the one that holds config.json and model.pth"
        )
    config = folder / "config.json"
    weights = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if not config.is_file() or weights is None:
        raise ModelFileError(f"{folder}: holds no coqui-tts model; config.json and model.pth are needed")
    try:
        return weights, config, dict(json.loads(config.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ModelFileError(f"{config}: is no JSON ({error}); copy the model anew") from None


@contextmanager
def load_failures(folder: Path) -> Iterator[None]:
    """Turn what goes wrong in loading a model into one line."""
    try:
        yield
    except VoicelipError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(f"{folder}: cannot be loaded ({type(error).__name__}: {reason})") from error
