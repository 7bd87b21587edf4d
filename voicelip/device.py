"""Where torch networks run, and in which precision: one decision for every model of a run.

Half precision belongs to GPUs: on CPUs it saves little, and its rounding shows.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicelip.errors import OptionError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Device:
    """A torch device by `name`, and whether weights and activations are `half` (float16) there."""

    name: str
    half: bool = False

    @property
    def dtype(self) -> "torch.dtype":
        import torch

        return torch.float16 if self.half else torch.float32


CPU = Device("cpu")


def choose(wanted: str = "auto") -> Device:
    """The device called `wanted`: cpu, cuda, cuda:N or mps; auto takes a GPU where there is one.

    Loads torch, so it is called only by what needs torch. Raises OptionError for a device that is not there.
    """
    import torch

    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = wanted.partition(":")
    if kind == "cpu" and not index:
        return CPU
    if kind == "cuda" and (not index or index.isdigit()):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(index or 0) < count:
            return Device(wanted, half=True)
        raise OptionError(f"there is no device {wanted}: torch sees {count} CUDA devices; choose cpu or auto")
    if kind == "mps" and not index:
        if torch.backends.mps.is_available():
            return Device("mps")
        raise OptionError("there is no device mps: torch was built without it; choose cpu or auto")
    raise OptionError(f"no device is called {wanted!r}; choose auto, cpu, cuda, cuda:N or mps")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch failed for want of memory, on whatever device."""
    said = str(error).lower()
    return any(words in said for words in ("out of memory", "not enough memory", "can't allocate memory"))
