"""How a renderer's drawings of held-out clips look beside the truth."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voicelip.lips.renderer import assemble
from voicelip.lips.sync_expert import SYNC_COLUMNS, SYNC_FRAMES, SyncExpert, seen_mouths
from voicelip.training.mouths import Batch, Lessons, draw_runs
from voicelip.training.renderer import composite
from voicelip.training.stage import on_device
from voicelip.training.sync import has_speech, judge

_AT_ONCE = 25  # frames


@dataclass(frozen=True)
class DrawnClip:
    """A clip drawn from its true landmarks; shares of the truth's figure, 1 is best."""

    speaker: str
    sharpness: float  # variance of the Laplacian within the lips
    inside: float  # mean gradient within the open mouth
    two_way: float  # the sync expert's, see `sync.Judgement`
    real_two_way: float

    @property
    def line(self) -> str:
        return (
            f"sharpness {self.sharpness:.2f} inside {self.inside:.2f} "
            f"two-way {self.two_way:.2f} ({self.real_two_way:.2f})"
        )


@torch.no_grad()
def drawn_clips(network: nn.Module, lessons: Lessons, expert: SyncExpert, seed: int = 3) -> list[DrawnClip]:
    """The first speaking clip of every speaker."""
    found = []
    for speaker, numbers in lessons.siblings.items():
        spoken = [number for number in numbers if has_speech(lessons.data, number)]
        if spoken:
            found.append(_drawn_clip(network, lessons, expert, speaker, spoken[0], seed))
    return found


def _drawn_clip(
    network: nn.Module, lessons: Lessons, expert: SyncExpert, speaker: str, number: int, seed: int
) -> DrawnClip:
    device = next(network.parameters()).device
    clip = lessons.data.clips[number]
    rng = np.random.default_rng(seed)
    batch = draw_runs(lessons, [(number, range(clip.frames))], rng, augment=False)
    drawn, truth = [], []
    for first in range(0, clip.frames, _AT_ONCE):
        part = on_device(_frames(batch, slice(first, first + _AT_ONCE)), device)
        drawn.append(composite(part, assemble(part.references, *network(*part.inputs()))))
        truth.append(part.target)
    result, target = torch.cat(drawn), torch.cat(truth)
    outlines = batch.outlines.to(device)
    windows = torch.from_numpy(lessons.data.windows(clip, SYNC_COLUMNS)).to(device)
    return DrawnClip(
        speaker,
        sharpness(result, outlines) / sharpness(target, outlines),
        inner_detail(result, outlines) / max(inner_detail(target, outlines), 1e-6),
        _two_way(expert, result, windows),
        _two_way(expert, target, windows),
    )


def sharpness(crops: torch.Tensor, outlines: torch.Tensor) -> float:
    """Mean over frames of the variance of the Laplacian within the outer lip line; (T, 3, 96, 96)."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], device=crops.device)[None, None]
    edges = F.conv2d(crops.mean(1, keepdim=True), kernel)
    area = _enlarged(outlines[:, 0:1])[..., 1:-1, 1:-1]
    total = area.sum((1, 2, 3))
    mean = (edges * area).sum((1, 2, 3)) / total
    return float((((edges - mean[:, None, None, None]) ** 2 * area).sum((1, 2, 3)) / total).mean())


def inner_detail(crops: torch.Tensor, outlines: torch.Tensor) -> float:
    """Mean gradient within the inner lip line over all frames, each px of an open mouth alike."""
    grey = crops.mean(1, keepdim=True)
    area = _enlarged(outlines[:, 1:2])
    across = (grey.diff(dim=-1).abs() * area[..., 1:]).sum()
    down = (grey.diff(dim=-2).abs() * area[..., 1:, :]).sum()
    return float((across + down) / area.sum().clamp_min(1e-6))


def _two_way(expert: SyncExpert, crops: torch.Tensor, windows: torch.Tensor) -> float:
    runs = len(crops) - SYNC_FRAMES + 1
    index = torch.arange(runs)[:, None] + torch.arange(SYNC_FRAMES)
    middle = SYNC_FRAMES // 2
    mouths, sounds = expert(seen_mouths(crops[index]), windows[middle : middle + runs])
    return judge((mouths @ sounds.T).cpu().numpy()).two_way


def _enlarged(outline: torch.Tensor) -> torch.Tensor:
    return F.interpolate(outline, scale_factor=2.0, mode="bilinear", align_corners=False)


def _frames(batch: Batch, part: slice) -> Batch:
    return Batch(
        batch.target[part], batch.references[part], batch.mask[part], batch.outlines[part], batch.shift[part]
    )
