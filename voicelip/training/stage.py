"""What a stage of training tells the loop: who learns, from what, and how well it went."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Player:
    """A network that learns; a GAN has two."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: float | None = None  # decay of the running average of its weights; None: none is kept
    clip: float | None = 1.0  # largest norm of its gradient
    is_trained: bool = False  # starts from good weights, which belong into the average


@dataclass(frozen=True)
class Scores:
    """An evaluation: figures for the curves, the line to print, a picture (H, W, 3) uint8 RGB to look at."""

    values: dict[str, float]
    line: str
    sheet: np.ndarray | None = None


Call = Callable[..., Any]
Loss = tuple[torch.Tensor, dict[str, torch.Tensor]]


class Stage(Protocol):
    """What differs between trainings. A batch is a dataclass of tensors, samples first."""

    @property
    def name(self) -> str:
        """Of the checkpoint."""

    @property
    def players(self) -> Mapping[str, Player]:
        """Their turns come in this order; the first is what is trained for."""

    def draw(self, rng: np.random.Generator) -> Any:
        """The samples of one step; nothing but `rng` may decide which."""

    def loss(self, player: str, batch: Any, call: Mapping[str, Call]) -> Loss:
        """What `player` should make small, and its parts by name for the curves.

        `call` holds the players' networks, in the precision of the run. On one batch the players are
        asked in turn, before any of them takes its step.
        """

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        """The players as they would ship (averaged, if they are), in evaluation mode."""

    def state(self) -> dict[str, Any]:
        """What else a resumed run must know; plain values and tensors."""

    def resume(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""

    def publish(self, networks: Mapping[str, nn.Module], step: int, out: Path) -> None:
        """Write what others than the loop read, beside each saved state."""


class Stateless:
    """For stages that remember nothing but their players, and whose state is all there is to write."""

    def state(self) -> dict[str, Any]:
        return {}

    def resume(self, state: dict[str, Any]) -> None:
        pass

    def publish(self, networks: Mapping[str, nn.Module], step: int, out: Path) -> None:
        pass


Batch = TypeVar("Batch")


def on_device(batch: Batch, device: torch.device) -> Batch:
    """`batch` with its tensors on `device`."""
    return _each(batch, lambda tensor: tensor.to(device, non_blocking=True))


def pieces(batch: Batch, count: int) -> list[tuple[Batch, float]]:
    """`batch` in `count` parts, each with its share of the samples."""
    samples = len(getattr(batch, fields(batch)[0].name))  # type: ignore[arg-type]
    edges = [round(samples * part / count) for part in range(count + 1)]
    if count == 1:
        return [(batch, 1.0)]
    return [
        (_each(batch, lambda tensor, a=a, b=b: tensor[a:b]), (b - a) / samples)  # type: ignore[misc]
        for a, b in pairwise(edges)
    ]


def _each(batch: Batch, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
    names = [entry.name for entry in fields(batch)]  # type: ignore[arg-type]
    return type(batch)(**{name: change(getattr(batch, name)) for name in names})


@dataclass
class Means:
    """Means of named figures since they were last taken."""

    _sums: dict[str, float] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        means = {name: self._sums[name] / self._counts[name] for name in self._sums}
        self._sums.clear()
        self._counts.clear()
        return means
