"""The GAN stage: the trained renderer learns to look like a photograph and to fit the sound.

To the renderer's own losses come a patch discriminator's opinion, the distance of its features (Wang et al.,
2018), and a frozen sync expert's (Prajwal et al., 2020), who sees five drawn frames in a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voicelip.lips.discriminator import (
    PatchDiscriminator,
    hinge_loss,
    judged_part,
    matching_loss,
    mouth_weight,
    weighted_mean,
)
from voicelip.lips.mel import SILENCE
from voicelip.lips.renderer import Renderer, assemble
from voicelip.lips.sync_expert import SYNC_COLUMNS, SYNC_FRAMES, SyncExpert, seen_mouths
from voicelip.training import checkpoint, loop
from voicelip.training.clips import PreparedClips
from voicelip.training.config import Precision, RunConfig
from voicelip.training.drawn import drawn_clips
from voicelip.training.mouths import Batch, Lessons, draw_runs
from voicelip.training.renderer import EVENNESS, composite, drawing_loss, mouth_psnr, sample_sheet
from voicelip.training.sampling import clip_weights
from voicelip.training.stage import Call, Loss, Player, Scores, Stateless
from voicelip.training.sync import has_speech, load_expert

_APART = 3  # frames from the true sound that another one lies at least


@dataclass(frozen=True, kw_only=True)
class GanConfig(RunConfig):
    """Settings of a run; `batch` counts runs of five frames."""

    steps: int = 700
    stop: int | None = 300  # sharper later, but PSNR falls by more than 0.3 dB
    batch: int = 6
    evaluate_every: int = 100
    learning_rate: float = 5e-5
    precision: Precision = "bfloat16"
    average: float = 0.998
    discriminator_pace: float = 8.0  # its learning rate over the renderer's
    pixels: float = 1.0  # weights of the losses
    adversarial: float = 0.1
    matching: float = 0.2
    sync: float = 0.02
    other_sounds: int = 7  # of the same clip, which the drawn mouths should fit less than their own


@dataclass(frozen=True)
class RunBatch:
    """Runs of T = 5 frames, fields as in `Batch` with T after B: `target` (B, T, 3, 96, 96) and so on.

    `windows` (B, K, 80, 28) are sounds of the clip, the first the run's own; `speaks` (B,) is 0 for clips
    without sound.
    """

    target: torch.Tensor
    references: torch.Tensor
    mask: torch.Tensor
    outlines: torch.Tensor
    shift: torch.Tensor
    windows: torch.Tensor
    speaks: torch.Tensor

    def frames(self) -> Batch:
        return Batch(**{entry.name: getattr(self, entry.name).flatten(0, 1) for entry in fields(Batch)})


class GanStage(Stateless):
    """Two players: the renderer, from `start` (its weights), and a discriminator. The checkpoint has the
    renderer's layout.
    """

    name = "renderer"

    def __init__(
        self,
        config: GanConfig,
        train_data: PreparedClips,
        held_out: PreparedClips,
        start: Mapping[str, torch.Tensor],
        expert: SyncExpert,
        device: torch.device | str = "cpu",
    ) -> None:
        self._config, self._expert = config, expert
        self._lessons, self._exam = Lessons.of(train_data), Lessons.of(held_out)
        roomy = np.array([clip.frames >= SYNC_FRAMES for clip in train_data.clips])
        weights = clip_weights(train_data, config.shares, EVENNESS) * roomy
        self._weights = weights / weights.sum()
        self._speaks = [has_speech(train_data, number) for number in range(len(train_data.clips))]
        self._renderer = Renderer().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._renderer.load_state_dict(start)
        discriminator = PatchDiscriminator().to(device)
        pace, rate = config.discriminator_pace, config.learning_rate
        self.players = {
            "renderer": Player(
                self._renderer,
                torch.optim.AdamW(self._renderer.parameters(), rate, betas=(0.5, 0.99)),
                config.average,
                is_trained=True,
            ),
            "discriminator": Player(
                discriminator,
                torch.optim.AdamW([{"params": discriminator.parameters(), "pace": pace}], rate, (0.5, 0.99)),
            ),
        }
        self._drawn = torch.empty(0)

    def draw(self, rng: np.random.Generator) -> RunBatch:
        clips = rng.choice(len(self._weights), self._config.batch, p=self._weights).tolist()
        runs, windows = [], []
        for number in clips:
            first = int(rng.integers(self._lessons.data.clips[number].frames - SYNC_FRAMES + 1))
            runs.append((number, range(first, first + SYNC_FRAMES)))
            windows.append(self._sounds(number, first, rng))
        frames = draw_runs(self._lessons, runs, rng)
        shape = (len(clips), SYNC_FRAMES)
        return RunBatch(
            **{entry.name: getattr(frames, entry.name).unflatten(0, shape) for entry in fields(Batch)},
            windows=torch.from_numpy(np.stack(windows)),
            speaks=torch.tensor([float(self._speaks[number]) for number in clips]),
        )

    def _sounds(self, number: int, first: int, rng: np.random.Generator) -> np.ndarray:
        """(K, 80, 28): the sound of a run, and sounds of the clip from elsewhere."""
        clip, count = self._lessons.data.clips[number], self._config.other_sounds
        if not self._speaks[number]:
            return np.full((1 + count, 80, SYNC_COLUMNS), SILENCE, np.float32)
        middle = first + SYNC_FRAMES // 2
        moments = np.arange(SYNC_FRAMES // 2, clip.frames - SYNC_FRAMES // 2)
        elsewhere = moments[np.abs(moments - middle) >= _APART]
        chosen = rng.choice(elsewhere, count, replace=len(elsewhere) < count)
        return self._lessons.data.windows(clip, SYNC_COLUMNS)[[middle, *chosen.tolist()]]

    def loss(self, player: str, batch: RunBatch, call: Mapping[str, Call]) -> Loss:
        return self._renderer_loss(batch, call) if player == "renderer" else self._judge_loss(batch, call)

    def _renderer_loss(self, batch: RunBatch, call: Mapping[str, Call]) -> Loss:
        keep_norms(self._renderer)
        frames = batch.frames()
        flow, weights, paint = call["renderer"](*frames.inputs())
        result = assemble(frames.references, flow, weights, paint)
        seen = composite(frames, result)
        mouths = judged_part(seen, frames.outlines)
        scores, *drawn = call["discriminator"](mouths)
        with torch.no_grad():
            _, *real = call["discriminator"](judged_part(frames.target, frames.outlines))
        parts = {
            "pixels": drawing_loss(frames, result, flow, weights),
            "adversarial": -weighted_mean(scores, mouth_weight(mouths, scores)),
            "matching": matching_loss(tuple(real), tuple(drawn)),
            "sync": sync_loss(self._expert, seen.unflatten(0, batch.target.shape[:2]), batch),
        }
        self._drawn = seen.detach()
        total = sum(getattr(self._config, name) * part for name, part in parts.items())
        return total, {name: part.detach() for name, part in parts.items()}

    def _judge_loss(self, batch: RunBatch, call: Mapping[str, Call]) -> Loss:
        frames = batch.frames()
        mouths = judged_part(torch.cat([frames.target, self._drawn]), frames.outlines.repeat(2, 1, 1, 1))
        scores, *_ = call["discriminator"](mouths)
        real, drawn = scores.chunk(2)
        weight = mouth_weight(mouths[: len(real)], real)
        return hinge_loss(real, drawn, weight), {"preferred": weighted_mean((real > drawn).float(), weight)}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        renderer = networks["renderer"]
        psnr = mouth_psnr(renderer, self._exam)
        clips = drawn_clips(renderer, self._exam, self._expert)
        values = {f"mouth_psnr/{speaker}": ours for speaker, (ours, _) in psnr.items()}
        for name in ("sharpness", "inside", "two_way"):
            values |= {f"{name}/{clip.speaker}": getattr(clip, name) for clip in clips}
        lines = [f"{clip.speaker} {psnr[clip.speaker][0]:.1f} dB {clip.line}" for clip in clips]
        return Scores(values, "; ".join(lines), sample_sheet(renderer, self._exam))


def sync_loss(expert: SyncExpert, drawn: torch.Tensor, batch: RunBatch) -> torch.Tensor:
    """Cross-entropy of picking the run's own sound from the drawn frames (B, 5, 3, 96, 96)."""
    mouths = expert.embed_mouths(seen_mouths(drawn))
    sounds = expert.embed_sound(batch.windows.flatten(0, 1)).unflatten(0, batch.windows.shape[:2])
    logits = expert.sharpness.exp() * torch.einsum("bd,bkd->bk", mouths, sounds)
    own = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    each = F.cross_entropy(logits, own, reduction="none") * batch.speaks
    return each.sum() / batch.speaks.sum().clamp_min(1)


def keep_norms(network: nn.Module) -> None:
    """Batch norms keep their statistics: runs of one face say little about all faces."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def train(
    config: GanConfig,
    train_data: PreparedClips,
    held_out: PreparedClips,
    start: Path,
    expert: Path,
    out: Path,
) -> None:
    """Run or resume a training from `start`, a `renderer.pt`, with `expert`, a `sync_expert.pt`; leaves
    `renderer.pt` (all state) in `out`.
    """
    loop.train(
        config,
        lambda ranks: GanStage(
            config,
            train_data,
            held_out,
            checkpoint.averaged_weights(start, ranks.device),
            load_expert(expert, ranks.device),
            ranks.device,
        ),
        out,
    )
