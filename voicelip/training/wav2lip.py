"""Training of Wav2Lip's generator as published (Prajwal et al., 2020), with or without the discriminator.

Loss: s · sync + a · adversarial + (1 − s − a) · L1; s is 0 until the sync loss on held-out clips is low.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voicelip.lips.wav2lip.checkpoint import load_network
from voicelip.lips.wav2lip.discriminator import QualityDiscriminator
from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.syncnet import SyncNet, lower_halves
from voicelip.training import loop
from voicelip.training.clips import PreparedClips
from voicelip.training.config import RunConfig, Schedule
from voicelip.training.curves import sheet
from voicelip.training.stage import Call, Loss, Player, Scores, on_device
from voicelip.training.wav2lip_faces import FACE_PX, draw_run, stacked
from voicelip.training.wav2lip_state import plain_adam, start_from, write_published
from voicelip.training.wav2lip_steps import EXAM_SEED, Steps, weights_of
from voicelip.training.wav2lip_sync import fit_loss

_SHEET_ROWS = 4


@dataclass(frozen=True, kw_only=True)
class Wav2LipConfig(RunConfig):
    """The published settings; `batch` counts runs of five frames, nothing is averaged."""

    steps: int = 200_000
    batch: int = 16
    learning_rate: float = 1e-4
    schedule: Schedule = "constant"
    average: float = 0.0
    evaluate_every: int = 3000
    exam_batches: int = 8
    sync: float = 0.03  # weight of the expert's loss, once …
    sync_below: float = 0.75  # … it is lower than this on held-out clips
    adversarial: float = 0.0  # weight of the discriminator's opinion; published with one: 0.07


@dataclass(frozen=True)
class FaceBatch:
    """`faces`, `reference` (B, 3, 5, 96, 96) BGR in 0–1, `windows` (B, 5, 1, 80, 16), `sound` (B, 1, 80,
    16).
    """

    faces: torch.Tensor
    reference: torch.Tensor
    windows: torch.Tensor
    sound: torch.Tensor

    def seen(self) -> torch.Tensor:
        """What the generator sees: the faces without their lower halves, and the reference."""
        masked = self.faces.clone()
        masked[..., FACE_PX // 2 :, :] = 0
        return torch.cat([masked, self.reference], dim=1)


class Wav2LipStage(Steps):
    """The generator and, if it has a weight, the quality discriminator; `expert` judges the sync."""

    name = "wav2lip"

    def __init__(
        self,
        config: Wav2LipConfig,
        train_data: PreparedClips,
        held_out: PreparedClips,
        expert: SyncNet,
        start: Path | None = None,
        start_discriminator: Path | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(len(train_data.clips) // config.batch)
        self._config, self._data, self._exam = config, train_data, held_out
        self._weights, self._exam_weights = weights_of(train_data, config.shares), weights_of(held_out)
        self._expert = expert.to(device).eval().requires_grad_(False)
        self._sync_weight = 0.0
        self._drawn = torch.empty(0)
        self.players = {"generator": self._player(Generator().to(device), (0.9, 0.999))}
        if config.adversarial:
            self.players = {
                "generator": self._player(self.players["generator"].network, (0.5, 0.999)),
                "discriminator": self._player(QualityDiscriminator().to(device), (0.5, 0.999)),
            }
        if start:
            self.steps_before = start_from(start, self.players["generator"])
        if start_discriminator and config.adversarial:
            start_from(start_discriminator, self.players["discriminator"])

    def _player(self, network: nn.Module, betas: tuple[float, float]) -> Player:
        return Player(network, plain_adam(network, self._config.learning_rate, betas), clip=None)

    def draw(self, rng: np.random.Generator) -> FaceBatch:
        return self._draw(self._data, self._weights, rng)

    def _draw(self, data: PreparedClips, weights: np.ndarray, rng: np.random.Generator) -> FaceBatch:
        runs = [draw_run(data, int(n), rng) for n in rng.choice(len(weights), self._config.batch, p=weights)]
        return FaceBatch(
            stacked([run.faces for run in runs]),
            stacked([run.reference for run in runs]),
            stacked([run.windows for run in runs]),
            stacked([run.sound for run in runs]),
        )

    def loss(self, player: str, batch: FaceBatch, call: Mapping[str, Call]) -> Loss:
        if player == "generator":
            return self._generator_loss(batch, call)
        return self._discriminator_loss(batch, call)

    def _generator_loss(self, batch: FaceBatch, call: Mapping[str, Call]) -> Loss:
        drawn = call["generator"](batch.windows, batch.seen())
        self._drawn = drawn.detach()
        parts = {"l1": (drawn - batch.faces).abs().mean()}
        total = (1 - self._sync_weight - self._config.adversarial) * parts["l1"]
        if self._sync_weight:
            parts["sync"] = self._sync_loss(drawn, batch)
            total = total + self._sync_weight * parts["sync"]
        if self._config.adversarial:
            parts["adversarial"] = _real_or_not(call["discriminator"](drawn), real=True)
            total = total + self._config.adversarial * parts["adversarial"]
        return total, {name: part.detach() for name, part in parts.items()}

    def _discriminator_loss(self, batch: FaceBatch, call: Mapping[str, Call]) -> Loss:
        real, drawn = call["discriminator"](torch.cat([batch.faces, self._drawn])).chunk(2)
        return _real_or_not(real, real=True) + _real_or_not(drawn, real=False), {}

    def _sync_loss(self, drawn: torch.Tensor, batch: FaceBatch) -> torch.Tensor:
        sound, seen = self._expert(batch.sound, lower_halves(drawn))
        return fit_loss(sound, seen, torch.ones(len(drawn), device=drawn.device))

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        """Also decides whether the expert's loss counts from now on."""
        generator = networks["generator"]
        device = next(generator.parameters()).device
        figures, drawn, batch = [], torch.empty(0), None
        for number in range(self._config.exam_batches):
            rng = np.random.default_rng((EXAM_SEED, number))
            batch = on_device(self._draw(self._exam, self._exam_weights, rng), device)
            drawn = generator(batch.windows, batch.seen())
            distance = float((drawn - batch.faces).abs().mean())
            figures.append((distance, float(self._sync_loss(drawn, batch))))
        l1, sync = np.mean(figures, axis=0).tolist()
        if sync < self._config.sync_below:
            self._sync_weight = self._config.sync
        line = f"held out: L1 {l1:.4f}, sync loss {sync:.3f}; its weight is {self._sync_weight:g}"
        return Scores({"l1": l1, "sync": sync}, line, _sheet(batch, drawn) if batch else None)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "sync_weight": self._sync_weight}

    def resume(self, state: dict[str, Any]) -> None:
        super().resume(state)
        self._sync_weight = state["sync_weight"]

    def publish(self, networks: Mapping[str, nn.Module], step: int, out: Path) -> None:
        for name, player in self.players.items():
            file = "wav2lip.pth" if name == "generator" else "wav2lip_disc.pth"
            write_published(out / file, player, *self.counts(step))


def _real_or_not(probability: torch.Tensor, real: bool) -> torch.Tensor:
    return F.binary_cross_entropy(probability, torch.full_like(probability, float(real)))


def _sheet(batch: FaceBatch, drawn: torch.Tensor) -> np.ndarray:
    """A row for each of the first runs: masked, reference, drawn, truth, the middle frame of each."""
    columns = [batch.seen()[:, :3], batch.reference, drawn, batch.faces]
    rows = range(min(_SHEET_ROWS, len(drawn)))
    return sheet(
        [[column[row, :, 2].flip(0).permute(1, 2, 0).cpu().numpy() for column in columns] for row in rows]
    )


def train(
    config: Wav2LipConfig,
    train_data: PreparedClips,
    held_out: PreparedClips,
    expert: Path,
    out: Path,
    start: Path | None = None,
    start_discriminator: Path | None = None,
) -> None:
    """Run or resume a training on faces; leaves `wav2lip.pth`, for `--lips wav2lip:PATH`, and `wav2lip.pt`
    (all state) in `out`. `expert` and the starts are checkpoints of the published layout.
    """
    loop.train(
        config,
        lambda ranks: Wav2LipStage(
            config,
            train_data,
            held_out,
            load_network(expert, SyncNet),
            start,
            start_discriminator,
            ranks.device,
        ),
        out,
    )
