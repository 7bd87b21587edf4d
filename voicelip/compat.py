"""Remedies for other people's packages, each for one known failure.

torchaudio's wheel on the package index is compiled for CUDA: beside a CPU build of torch, `import torchaudio`
raises OSError because a CUDA library is missing. Only forced alignment and a few filters need the compiled
part, so without it everything else is usable.
"""

import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

EXTENSION = "torchaudio._extension"


@functools.cache
def torchaudio() -> ModuleType:
    """torchaudio, without its compiled part where that cannot be loaded.

    Call it before importing a package that imports torchaudio itself.
    """
    try:
        return importlib.import_module("torchaudio")
    except OSError:
        _forget("torchaudio")
    sys.modules[EXTENSION] = _stand_in()
    try:
        module = importlib.import_module("torchaudio")
    except Exception:
        _forget("torchaudio")
        raise
    vars(module).update(load=_load, save=_save)
    return module


def _forget(package: str) -> None:
    """Remove what a failed import left behind."""
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]


def _stand_in() -> ModuleType:
    """`torchaudio._extension` as it is when nothing is compiled."""
    module = ModuleType(EXTENSION)
    vars(module).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        fail_if_no_align=_refused,
    )
    return module


def _refused(function: Callable[..., Any]) -> Callable[..., NoReturn]:
    @functools.wraps(function)
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"{function.__name__} needs torchaudio's compiled part, which does not fit this torch"
        )

    return refuse


def _load(
    uri: Any,
    frame_offset: int = 0,
    num_frames: int = -1,
    normalize: bool = True,
    channels_first: bool = True,
    **ignored: Any,
) -> tuple[Any, int]:
    """`torchaudio.load` by soundfile: a (C, N) float32 tensor and the sample rate."""
    import soundfile
    import torch

    samples, rate = soundfile.read(uri, num_frames, frame_offset, dtype="float32", always_2d=True)
    tensor = torch.from_numpy(samples)
    return (tensor.T.contiguous() if channels_first else tensor), rate


def _save(
    uri: Any,
    src: Any,
    sample_rate: int,
    channels_first: bool = True,
    format: str | None = None,
    **ignored: Any,
) -> None:
    """`torchaudio.save` by soundfile."""
    import soundfile

    samples = src.detach().cpu().numpy()
    soundfile.write(
        uri, samples.T if channels_first and samples.ndim == 2 else samples, sample_rate, format=format
    )
