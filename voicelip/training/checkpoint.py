"""Checkpoints that a killed run resumes from, and the running average of weights that is shipped."""

import copy
import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from voicelip.errors import InputNotFoundError


class Averaged:
    """Exponential moving average of a network's weights and buffers.

    `is_trained` says that the network is good already; otherwise a young average forgets its random start.
    """

    def __init__(self, network: nn.Module, decay: float, is_trained: bool = False) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay, self._is_trained = decay, is_trained

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = self._decay if self._is_trained else min(self._decay, (step + 1) / (step + 10))
        for averaged, current in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if averaged.dtype.is_floating_point:
                averaged.lerp_(current, 1 - decay)
            else:
                averaged.copy_(current)


def save(path: Path, **state: Any) -> None:
    """Write `state` so that a kill at any moment leaves the old file or the new one."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, path)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """The state in `path`, or None when there is none yet."""
    return torch.load(path, device, weights_only=True) if path.exists() else None


def averaged_weights(path: Path, device: torch.device | str = "cpu") -> dict[str, torch.Tensor]:
    """The weights that a run would ship, from its state in `path`."""
    state = load(path, device)
    if state is None:
        raise InputNotFoundError(f"{path}: no such state of a training; run that stage first")
    return state["averaged"]
