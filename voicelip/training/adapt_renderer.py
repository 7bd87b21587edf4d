"""The renderer going on learning from one person's own frames."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from voicelip.lips.renderer import assemble
from voicelip.training.checkpoint import Averaged
from voicelip.training.clips import PreparedClips
from voicelip.training.mouths import Lessons, draw_batch
from voicelip.training.renderer import drawing_loss, mouth_psnr

STEPS = 240
_RATE = 3e-4
_BATCH = 8
_AVERAGE = 0.98
_EVALUATE_EVERY = 40
_PATIENCE = 3  # evaluations without a better score
_EXAMS = (1, 2, 3)  # seeds of 16 frames each

Told = Callable[[int, float], bool]  # step and score so far → whether there is time to go on


def drawing_score(network: nn.Module, held_out: PreparedClips) -> float:
    """Mouth PSNR in dB on frames that were not learned from."""
    exam = Lessons.of(held_out)
    return float(np.mean([psnr for seed in _EXAMS for psnr, _ in mouth_psnr(network, exam, seed).values()]))


def learn(
    network: nn.Module, learned: PreparedClips, held_out: PreparedClips, seed: int, told: Told
) -> Iterator[tuple[float, dict[str, torch.Tensor]]]:
    """Train `network`; yields score and averaged weights each time they are better than ever before."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    lessons = Lessons.of(learned)
    shares = np.array([clip.frames for clip in learned.clips], np.float64)
    optimiser = torch.optim.Adam(network.parameters(), _RATE, betas=(0.9, 0.99))
    averaged = Averaged(network, _AVERAGE)
    best, idle = drawing_score(network, held_out), 0
    for step in range(STEPS):
        rate = _RATE * min(1, (step + 1) / 20) * (0.02 + 0.98 * np.cos(np.pi / 2 * step / STEPS) ** 2)
        optimiser.param_groups[0]["lr"] = rate
        chosen = rng.choice(len(shares), _BATCH, p=shares / shares.sum())
        batch = draw_batch(lessons, chosen.tolist(), rng)
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=_has_fast_bfloat16()):
            outputs = network(*batch.inputs())
        flow, weights, paint = (output.float() for output in outputs)
        drawing_loss(batch, assemble(batch.references, flow, weights, paint), flow, weights).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        averaged.update(network, step)
        if (step + 1) % _EVALUATE_EVERY == 0:
            now = drawing_score(averaged.network, held_out)
            idle = 0 if now > best else idle + 1
            if now > best:
                best = now
                yield best, {name: value.clone() for name, value in averaged.network.state_dict().items()}
        if not told(step + 1, best) or idle == _PATIENCE:
            return


def _has_fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in tiles (AMX); elsewhere float32 is faster."""
    asked = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(asked and asked())
