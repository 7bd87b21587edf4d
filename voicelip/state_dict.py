"""Weight files of other projects, `.pth` or `.safetensors`, read as data only and compared key by key."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from voicelip.errors import InputNotFoundError, ModelFileError

Network = TypeVar("Network", bound=nn.Module)
State = dict[str, torch.Tensor]

_WRAPPERS = ("state_dict", "averaged")  # where the weights are in others' checkpoints and in our own
_COUNTER = "num_batches_tracked"  # says nothing at inference, and old checkpoints lack it
_NAMED_AT_MOST = 3


def read_state(path: Path) -> State:
    """The tensors of a checkpoint by name, without wrapper and `module.`. Nothing in the file is executed."""
    if not path.is_file():
        raise InputNotFoundError(f"{path}: no such model file; check the path")
    loaded = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if isinstance(loaded, dict):
        loaded = next((loaded[key] for key in _WRAPPERS if isinstance(loaded.get(key), dict)), loaded)
    if not isinstance(loaded, dict) or not loaded:
        raise ModelFileError(f"{path}: holds no state dict; give a checkpoint with the network's weights")
    odd = [str(key) for key, value in loaded.items() if not (isinstance(key, str) and _is_plain(value))]
    if odd:
        raise ModelFileError(f"{path}: holds no state dict: {_listed(odd)} not plain tensors")
    return {key.removeprefix("module."): value for key, value in loaded.items()}


def fill(network: Network, state: State, path: Path) -> Network:
    """`network`, made on the meta device with the keys of `state`, with its weights, for inference."""
    if said := _unusable(state):
        raise ModelFileError(f"{path}: {said}; fetch the file again")
    expected = network.state_dict()
    network.load_state_dict({key: _like(old, state.get(key)) for key, old in expected.items()}, assign=True)
    return network.eval()


def load(path: Path, kind: Callable[[], Network], name: str) -> Network:
    """The network that `kind` makes, with the weights of the file; `name` is what errors call it."""
    state = read_state(path)
    with torch.device("meta"):  # shapes only: making up weights takes longer than reading them
        network = kind()
    if wrong := differences(state, network.state_dict()):
        raise ModelFileError(f"{path}: not the weights of {name}: {wrong}")
    return fill(network, state, path)


def _read_pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings():  # of what is refused below in our own words
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle may end in any exception
        raise ModelFileError(f"{path}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    said = str(error)
    if code := re.search(r"(?:GLOBAL|global:?|class) ([\w]+(?:\.[\w]+)+)", said):
        return f"refused, because loading it would run code ({code[1]}); use a file that holds only weights"
    if "TorchScript" in said:
        return "a TorchScript archive is a program, not weights; give the checkpoint with the state dict"
    return "not a readable PyTorch checkpoint: damaged, unsafe or another kind of file; fetch the file again"


def _read_safetensors(path: Path) -> State:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise ModelFileError(f"{path}: run first: pip install safetensors") from error
    try:
        return load_file(path)
    except (SafetensorError, ValueError, OSError) as error:
        raise ModelFileError(f"{path}: damaged or not a safetensors file; fetch the file again") from error


def _is_plain(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_quantized


def differences(state: State, expected: State) -> str:
    """Which keys of `state` are not those that a network expects, in words; empty when all fit."""
    missing = [key for key in expected if key not in state and not key.endswith(_COUNTER)]
    unknown = [key for key in state if key not in expected]
    shapes = [
        f"{key} {_shape(state[key])} instead of {_shape(old)}"
        for key, old in expected.items()
        if key in state and state[key].shape != old.shape
    ]
    parts = {"missing": missing, "unknown": unknown, "of another shape": shapes}
    return "; ".join(f"{len(keys)} {what} ({_listed(keys)})" for what, keys in parts.items() if keys)


def _unusable(state: State) -> str:
    """What makes the values no weights, in words; empty when nothing does."""
    for key, tensor in state.items():
        if key.endswith(_COUNTER):
            continue
        if not tensor.is_floating_point():
            return f"{key} is {str(tensor.dtype).removeprefix('torch.')}, not floating point"
        if not torch.isfinite(tensor).all():
            return f"{key} holds values that are not finite"
        if key.endswith("running_var") and (tensor < 0).any():
            return f"{key} holds a variance below zero"
    return ""


def _like(old: torch.Tensor, new: torch.Tensor | None) -> torch.Tensor:
    if new is None:
        return torch.zeros(old.shape, dtype=old.dtype, device="cpu")
    return new.to(old.dtype).contiguous()


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape))


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:_NAMED_AT_MOST]) + (", …" if len(keys) > _NAMED_AT_MOST else "")
