"""Training of Wav2Lip's sync expert as published (Prajwal et al., 2020): own or other mouths, cosine, BCE."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voicelip.lips.wav2lip.syncnet import SyncNet, lower_halves
from voicelip.training import loop
from voicelip.training.clips import PreparedClips
from voicelip.training.config import RunConfig, Schedule
from voicelip.training.stage import Call, Loss, Player, Scores, on_device
from voicelip.training.wav2lip_faces import draw_run, stacked
from voicelip.training.wav2lip_state import plain_adam, start_from, write_published
from voicelip.training.wav2lip_steps import EXAM_SEED, Steps, weights_of


@dataclass(frozen=True, kw_only=True)
class Wav2LipSyncConfig(RunConfig):
    """The published settings; nothing is averaged."""

    steps: int = 200_000
    batch: int = 64
    learning_rate: float = 1e-4
    schedule: Schedule = "constant"
    average: float = 0.0
    evaluate_every: int = 1000
    exam_batches: int = 8


@dataclass(frozen=True)
class SyncBatch:
    """`mouths` (B, 15, 48, 96), `sound` (B, 1, 80, 16), `own` (B,): 1 where they belong together."""

    mouths: torch.Tensor
    sound: torch.Tensor
    own: torch.Tensor


class Wav2LipSyncStage(Steps):
    """One network, the published SyncNet."""

    name = "wav2lip_sync"

    def __init__(
        self,
        config: Wav2LipSyncConfig,
        train_data: PreparedClips,
        held_out: PreparedClips,
        start: Path | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(len(train_data.clips) // config.batch)
        self._config, self._data, self._exam = config, train_data, held_out
        self._weights, self._exam_weights = weights_of(train_data, config.shares), weights_of(held_out)
        network = SyncNet().to(device)
        player = Player(network, plain_adam(network, config.learning_rate, (0.9, 0.999)), clip=None)
        self.players = {"syncnet": player}
        if start:
            self.steps_before = start_from(start, player)

    def draw(self, rng: np.random.Generator) -> SyncBatch:
        return self._draw(self._data, self._weights, rng)

    def _draw(self, data: PreparedClips, weights: np.ndarray, rng: np.random.Generator) -> SyncBatch:
        runs = [draw_run(data, int(n), rng) for n in rng.choice(len(weights), self._config.batch, p=weights)]
        own = rng.random(len(runs)) < 0.5
        faces = stacked([run.faces if mine else run.reference for run, mine in zip(runs, own, strict=True)])
        return SyncBatch(
            lower_halves(faces), stacked([run.sound for run in runs]), torch.from_numpy(own).float()
        )

    def loss(self, player: str, batch: SyncBatch, call: Mapping[str, Call]) -> Loss:
        sound, seen = call["syncnet"](batch.sound, batch.mouths)
        return fit_loss(sound, seen, batch.own), {}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        device = next(networks["syncnet"].parameters()).device
        losses, right = [], []
        for number in range(self._config.exam_batches):
            rng = np.random.default_rng((EXAM_SEED, number))
            batch = on_device(self._draw(self._exam, self._exam_weights, rng), device)
            sound, seen = networks["syncnet"](batch.sound, batch.mouths)
            losses.append(float(fit_loss(sound, seen, batch.own)))
            right.append(float((((sound * seen).sum(1) > 0.5) == (batch.own > 0.5)).float().mean()))
        values = {"sync": float(np.mean(losses)), "right": float(np.mean(right))}
        return Scores(values, f"held out: sync loss {values['sync']:.3f}, right {values['right']:.2f}")

    def publish(self, networks: Mapping[str, nn.Module], step: int, out: Path) -> None:
        write_published(out / "lipsync_expert.pth", self.players["syncnet"], *self.counts(step))


def fit_loss(sound: torch.Tensor, seen: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """BCE of the cosine of unit vectors (B, 512), which are not negative; `own` (B,) in 0–1."""
    cosine = (sound * seen).sum(1).clamp(0, 1)
    return F.binary_cross_entropy(cosine, own)


def train(
    config: Wav2LipSyncConfig,
    train_data: PreparedClips,
    held_out: PreparedClips,
    out: Path,
    start: Path | None = None,
) -> None:
    """Run or resume a training on faces; leaves `lipsync_expert.pth` (published layout) and
    `wav2lip_sync.pt` (all state) in `out`. `start` is a published checkpoint.
    """
    loop.train(config, lambda ranks: Wav2LipSyncStage(config, train_data, held_out, start, ranks.device), out)
