"""Checkpoints in the layout of published Wav2Lip, to start from and to give away."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from voicelip.lips.wav2lip.checkpoint import load_network
from voicelip.training import checkpoint
from voicelip.training.stage import Player


def write_published(path: Path, player: Player, step: int, epoch: int) -> None:
    """`state_dict`, `optimizer`, `global_step`, `global_epoch`."""
    checkpoint.save(
        path,
        state_dict=player.network.state_dict(),
        optimizer=player.optimiser.state_dict(),
        global_step=step,
        global_epoch=epoch,
    )


def start_from(path: Path, player: Player) -> int:
    """Weights and, if the file holds it, the optimiser's state; returns its `global_step`."""
    device = next(player.network.parameters()).device
    player.network.load_state_dict(load_network(path, type(player.network)).state_dict())
    stored = _rest(path)
    if stored.get("optimizer"):
        player.optimiser.load_state_dict(stored["optimizer"])
        _move(player.optimiser, device)
    return int(stored.get("global_step", 0))


def _rest(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        return {}
    return torch.load(path, "cpu", weights_only=True)


def _move(optimiser: torch.optim.Optimizer, device: torch.device) -> None:
    for state in optimiser.state.values():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and name != "step":
                state[name] = value.to(device)


def plain_adam(network: nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Adam:
    return torch.optim.Adam([weight for weight in network.parameters() if weight.requires_grad], rate, betas)
