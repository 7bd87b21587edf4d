"""Training of the renderer: losses, figures, stage."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voicelip.lips.renderer import Renderer, assemble, warp
from voicelip.training import loop
from voicelip.training.clips import PreparedClips
from voicelip.training.config import Precision, RunConfig
from voicelip.training.curves import sheet
from voicelip.training.mouths import Batch, Lessons, draw_batch, hidden_area
from voicelip.training.sampling import clip_weights
from voicelip.training.stage import Call, Loss, Player, Scores, Stateless, on_device

EVENNESS = 0.7  # faces differ more than voices: speakers with few clips count for more


@dataclass(frozen=True, kw_only=True)
class RendererConfig(RunConfig):
    """Settings of a run; defaults are those of the shipped weights."""

    steps: int = 2200
    learning_rate: float = 2e-3
    precision: Precision = "bfloat16"


def drawing_loss(
    batch: Batch, result: torch.Tensor, flow: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """L1 of pixels and gradients where it is regenerated, heaviest in the mouth; outside it the warp must
    fit by itself. `result` is what `assemble` makes of the renderer's layers.
    """
    seen = composite(batch, result)
    lips, inside = (
        F.interpolate(batch.outlines[:, k : k + 1], scale_factor=2.0, mode="bilinear", align_corners=False)
        for k in (0, 1)
    )
    around = F.max_pool2d(lips, 9, 1, 4)
    attention = hidden_area(batch.mask) * (0.5 + 1.5 * around + 2.0 * F.max_pool2d(inside, 3, 1, 1))
    total = _weighted_l1(seen, batch.target, attention)
    for scale in (1, 2):
        a, b, w = (F.avg_pool2d(x, scale) if scale > 1 else x for x in (seen, batch.target, attention))
        total = total + _weighted_l1(a.diff(dim=-1), b.diff(dim=-1), w[..., 1:])
        total = total + _weighted_l1(a.diff(dim=-2), b.diff(dim=-2), w[..., 1:, :])
    # Skin and lips can be had by warping, so they should be.
    solid = batch.mask * (1 - F.max_pool2d(inside, 5, 1, 2))
    moved = warp(batch.references[:, 0], flow[:, 0])  # the open one may be somebody else's
    total = total + 0.3 * _weighted_l1(moved, batch.target, solid * (0.5 + around))
    correction = flow - batch.shift
    rough = correction.diff(dim=-1).abs().mean() + correction.diff(dim=-2).abs().mean()
    return total + 0.5 * rough + 0.01 * (weights[:, -1:] * solid).mean()


def _weighted_l1(a: torch.Tensor, b: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return ((a - b).abs() * weight).sum() / (3 * weight.sum() + 1e-6)


@torch.no_grad()
def mouth_psnr(network: nn.Module, lessons: Lessons, seed: int = 1) -> dict[str, tuple[float, float]]:
    """Mouth PSNR in dB per speaker: (rendered, static closed reference), mean over sampled frames."""
    network.eval()
    device = next(network.parameters()).device
    scores = defaultdict(list)
    rng = np.random.default_rng(seed)
    for speaker, numbers in lessons.siblings.items():
        chosen = [numbers[i % len(numbers)] for i in range(16)]
        batch = on_device(draw_batch(lessons, chosen, rng, augment=False), device)
        result = assemble(batch.references, *network(*batch.inputs()))
        lips = F.interpolate(batch.outlines[:, :1], scale_factor=2.0, mode="bilinear", align_corners=False)
        area = F.max_pool2d(lips, 5, 1, 2)
        for image in (result, batch.references[:, 0]):
            error = (((image - batch.target) ** 2) * area).sum((1, 2, 3)) / (3 * area.sum((1, 2, 3)))
            scores[speaker].append(float((-10 * torch.log10(error.clamp_min(1e-6))).mean()))
    return {speaker: (values[0], values[1]) for speaker, values in scores.items()}


@torch.no_grad()
def sample_sheet(network: nn.Module, lessons: Lessons, rows: int = 6, seed: int = 2) -> np.ndarray:
    """A row for each of the first speakers: masked, closed and open reference, result, truth; uint8 RGB."""
    rng = np.random.default_rng(seed)
    clips = [numbers[0] for numbers in lessons.siblings.values()]
    clips = [clips[row % len(clips)] for row in range(rows)]
    batch = on_device(draw_batch(lessons, clips, rng, augment=False), next(network.parameters()).device)
    inputs = batch.inputs()
    result = composite(batch, assemble(batch.references, *network(*inputs)))
    columns = [inputs[0], batch.references[:, 0], batch.references[:, 1], result, batch.target]
    return sheet([[column[row].cpu().permute(1, 2, 0).numpy() for column in columns] for row in range(rows)])


def composite(batch: Batch, result: torch.Tensor) -> torch.Tensor:
    """What is seen in the end: `result` within the blend mask, the target's own pixels around it."""
    return batch.mask * result + (1 - batch.mask) * batch.target


class RendererStage(Stateless):
    """One network, from references and outlines to layers."""

    name = "renderer"

    def __init__(
        self,
        config: RendererConfig,
        train_data: PreparedClips,
        held_out: PreparedClips,
        device: torch.device | str = "cpu",
    ) -> None:
        self._config = config
        self._lessons, self._exam = Lessons.of(train_data), Lessons.of(held_out)
        self._weights = clip_weights(train_data, config.shares, EVENNESS)
        network = Renderer().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, betas=(0.9, 0.99))
        self.players = {"renderer": Player(network, optimiser, config.average)}

    def draw(self, rng: np.random.Generator) -> Batch:
        clips = rng.choice(len(self._weights), self._config.batch, p=self._weights)
        return draw_batch(self._lessons, clips.tolist(), rng)

    def loss(self, player: str, batch: Batch, call: Mapping[str, Call]) -> Loss:
        flow, weights, paint = call["renderer"](*batch.inputs())
        return drawing_loss(batch, assemble(batch.references, flow, weights, paint), flow, weights), {}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        scores = mouth_psnr(networks["renderer"], self._exam)
        shown = " ".join(f"{speaker} {ours:.1f}/{still:.1f}" for speaker, (ours, still) in scores.items())
        return Scores(
            {f"mouth_psnr/{speaker}": ours for speaker, (ours, _) in scores.items()},
            f"mouth PSNR ours/static {shown}",
            sample_sheet(networks["renderer"], self._exam),
        )


def train(config: RendererConfig, train_data: PreparedClips, held_out: PreparedClips, out: Path) -> None:
    """Run or resume a training; leaves `renderer.pt` (all state) in `out`."""
    loop.train(config, lambda ranks: RendererStage(config, train_data, held_out, ranks.device), out)
