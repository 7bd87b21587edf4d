"""Training of the renderer: samples, augmentation, losses, loop."""

import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from voicelip.face.crop import CROP_PX
from voicelip.lips.motion import MOTION_POINTS, lip_gap
from voicelip.lips.region import blend_mask, colour_gain, hidden, outlines
from voicelip.lips.renderer import Renderer, assemble, landmark_flow, warp
from voicelip.training import checkpoint
from voicelip.training.clips import PreparedClips
from voicelip.training.motion import speaker_weights

_LANDMARK_NOISE_PX = 0.3  # predicted landmarks do not fit the picture as exactly as found ones


@dataclass(frozen=True)
class RendererConfig:
    """Settings of a run; defaults are those of the shipped weights."""

    steps: int = 2000
    batch: int = 16
    learning_rate: float = 2e-3
    seed: int = 0
    bfloat16: bool = True
    threads: int = 1
    stop: int | None = None  # end before `steps`, with the schedule of the whole run


@dataclass(frozen=True)
class Lessons:
    """What sampling needs of a prepared folder: per clip the blend mask and its frames by opening."""

    data: PreparedClips
    masks: list[np.ndarray]
    by_gap: list[np.ndarray]
    siblings: dict[str, list[int]]

    @classmethod
    def of(cls, data: PreparedClips) -> "Lessons":
        masks, by_gap, siblings = [], [], defaultdict(list)
        for number, clip in enumerate(data.clips):
            points = np.asarray(data.points[clip.span])
            masks.append(blend_mask(points))
            by_gap.append(np.argsort(lip_gap(points[:, MOTION_POINTS])))
            siblings[clip.speaker].append(number)
        return cls(data, masks, by_gap, dict(siblings))


@dataclass(frozen=True)
class Batch:
    """`target` (B, 3, 96, 96), `references` (B, 2, 3, 96, 96) in 0–1, `mask` (B, 1, 96, 96), `outlines` (B,
    9, 48, 48), `shift` (B, 2, 2, 48, 48).
    """

    target: torch.Tensor
    references: torch.Tensor
    mask: torch.Tensor
    outlines: torch.Tensor
    shift: torch.Tensor

    def inputs(self) -> tuple[torch.Tensor, ...]:
        unseen = torch.from_numpy(hidden(self.mask.numpy()))
        return self.target * (1 - unseen), unseen, self.references, self.outlines, self.shift


def draw_batch(lessons: Lessons, clips: list[int], rng: np.random.Generator, augment: bool = True) -> Batch:
    """One target frame of each named clip with a closed and an open reference of the same person."""
    images, points, masks = [], [], []
    for number in clips:
        clip = lessons.data.clips[number]
        target = clip.first_frame + int(rng.integers(clip.frames))
        closed, opened = _choose_references(lessons, number, rng)
        rows = [target, closed, opened]
        trio = np.stack([lessons.data.crops[row] for row in rows])
        if opened not in range(clip.first_frame, clip.first_frame + clip.frames):
            lit = trio[2] * colour_gain(trio[1], trio[2])
            trio[2] = np.clip(lit, 0, 255).astype(np.uint8)
        places = np.stack([lessons.data.points[row][list(MOTION_POINTS)] for row in rows])
        mask = lessons.masks[number]
        if augment:
            trio, places, mask = _mirror(trio, places, mask) if rng.random() < 0.5 else (trio, places, mask)
            trio, places, mask = _move(trio, places, mask, rng)
            places[0] += rng.normal(0, _LANDMARK_NOISE_PX, places[0].shape)
        images.append(trio)
        points.append(places)
        masks.append(mask)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 1, 4, 2, 3).float() / 255
    if augment:
        pixels = _change_light(pixels, rng)
    landmarks = torch.from_numpy(np.stack(points))
    drawings = np.stack([np.concatenate([outlines(p) for p in trio]) for trio in points])
    return Batch(
        pixels[:, 0],
        pixels[:, 1:],
        torch.from_numpy(np.stack(masks))[:, None],
        torch.from_numpy(drawings).float() / 255,
        torch.stack([landmark_flow(landmarks[:, 0], landmarks[:, r]) for r in (1, 2)], dim=1),
    )


def _choose_references(lessons: Lessons, number: int, rng: np.random.Generator) -> tuple[int, int]:
    """Rows of a closed and an open reference.

    Now and then only a closed one, or an open mouth that is somebody else's: what there is for a person who
    never opens theirs.
    """
    clip = lessons.data.clips[number]
    if rng.random() < 0.15:
        number = int(rng.choice(lessons.siblings[clip.speaker]))
        clip = lessons.data.clips[number]
    order, kind = lessons.by_gap[number], rng.random()
    closed = order[int(rng.integers(max(1, int(0.3 * clip.frames))))]
    if kind < 0.12:
        opened = closed
    elif kind < 0.4:
        return clip.first_frame + int(closed), _open_mouth_of_another(lessons, clip.speaker, rng)
    elif kind < 0.5:
        closed, opened = rng.integers(clip.frames, size=2)
    else:
        opened = order[-1 - int(rng.integers(max(1, int(0.15 * clip.frames))))]
    return clip.first_frame + int(closed), clip.first_frame + int(opened)


def _open_mouth_of_another(lessons: Lessons, speaker: str, rng: np.random.Generator) -> int:
    others = [name for name in lessons.siblings if name != speaker]
    number = int(rng.choice(lessons.siblings[others[int(rng.integers(len(others)))]]))
    clip, order = lessons.data.clips[number], lessons.by_gap[number]
    return clip.first_frame + int(order[-1 - int(rng.integers(max(1, int(0.15 * clip.frames))))])


def _mirror(
    trio: np.ndarray, places: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    flipped = places.copy()
    flipped[..., 0] = trio.shape[2] - 1 - flipped[..., 0]
    return trio[:, :, ::-1], flipped, mask[:, ::-1].copy()


def _move(
    trio: np.ndarray, places: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Other framings and proportions for all three, and a little more for each reference: heads move."""
    middle = (CROP_PX - 1) / 2
    whole = _similarity(rng, zoom=0.1, turn=0.08, shift=3.0)
    whole[1] *= rng.uniform(0.93, 1.07)  # longer and shorter faces
    moved, landmarks = np.empty_like(trio), np.empty_like(places)
    for index in range(len(trio)):
        own = _similarity(rng, zoom=0.02, turn=0.02, shift=1.0) if index else np.eye(3)[:2]
        matrix = whole @ np.vstack((own, [0, 0, 1]))
        landmarks[index] = (places[index] - middle) @ matrix[:, :2].T + matrix[:, 2] + middle
        moved[index] = _warp_about_middle(trio[index], matrix)
    return moved, landmarks, _warp_about_middle(mask, whole, cv2.BORDER_CONSTANT)


def _similarity(rng: np.random.Generator, zoom: float, turn: float, shift: float) -> np.ndarray:
    """(2, 3) random zoom (share), turn (radians) and shift (px) about the origin."""
    scale, angle = 1 + rng.uniform(-zoom, zoom), rng.uniform(-turn, turn)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    x, y = rng.uniform(-shift, shift, 2)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def _warp_about_middle(
    image: np.ndarray, matrix: np.ndarray, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    middle = np.full(2, (CROP_PX - 1) / 2)
    placed = matrix.copy()
    placed[:, 2] += middle - matrix[:, :2] @ middle
    image = np.ascontiguousarray(image)
    return cv2.warpAffine(image, placed, (CROP_PX, CROP_PX), borderMode=border)


def _change_light(pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Other skins and lights: gamma, gain and a mix of the channels, the same for all pictures of one
    sample.
    """
    batch = len(pixels)

    def spread(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, (batch, *shape)).astype(np.float32))

    gamma, gain = spread(-0.5, 0.5, 1, 1, 1, 1).exp(), spread(0.7, 1.2, 1, 1, 1, 1)
    mix = torch.eye(3) + spread(-0.15, 0.15, 3, 3)
    mixed = torch.einsum("bij,bnjhw->bnihw", mix / mix.sum(-1, keepdim=True), pixels.clamp(1e-4, 1) ** gamma)
    return (mixed * gain).clamp(0, 1)


def loss(batch: Batch, flow: torch.Tensor, weights: torch.Tensor, paint: torch.Tensor) -> torch.Tensor:
    """L1 of pixels and gradients where it is regenerated, heaviest in the mouth; outside it the warp must
    fit by itself.
    """
    result = assemble(batch.references, flow, weights, paint)
    seen = batch.mask * result + (1 - batch.mask) * batch.target
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


def hidden_area(mask: torch.Tensor) -> torch.Tensor:
    return (mask > 0.02).float()


def _weighted_l1(a: torch.Tensor, b: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return ((a - b).abs() * weight).sum() / (3 * weight.sum() + 1e-6)


@torch.no_grad()
def mouth_psnr(network: Renderer, lessons: Lessons, seed: int = 1) -> dict[str, tuple[float, float]]:
    """Mouth PSNR in dB per speaker: (rendered, static closed reference), mean over sampled frames."""
    network.eval()
    scores = defaultdict(list)
    rng = np.random.default_rng(seed)
    for speaker, numbers in lessons.siblings.items():
        chosen = [numbers[i % len(numbers)] for i in range(16)]
        batch = draw_batch(lessons, chosen, rng, augment=False)
        result = assemble(batch.references, *network(*batch.inputs()))
        lips = F.interpolate(batch.outlines[:, :1], scale_factor=2.0, mode="bilinear", align_corners=False)
        area = F.max_pool2d(lips, 5, 1, 2)
        for image in (result, batch.references[:, 0]):
            error = (((image - batch.target) ** 2) * area).sum((1, 2, 3)) / (3 * area.sum((1, 2, 3)))
            scores[speaker].append(float((-10 * torch.log10(error.clamp_min(1e-6))).mean()))
    return {speaker: (values[0], values[1]) for speaker, values in scores.items()}


def train(config: RendererConfig, train_data: PreparedClips, held_out: PreparedClips, out: Path) -> None:
    """Run or resume a training; leaves `renderer.pt` (all state) in `out`."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    lessons, exam = Lessons.of(train_data), Lessons.of(held_out)
    weights = speaker_weights([clip.speaker for clip in train_data.clips], evenness=0.7)
    network = Renderer().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = checkpoint.Averaged(network, 0.999)
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, betas=(0.9, 0.99))
    first, seconds_before = 0, 0.0
    if state := checkpoint.load(out / "renderer.pt"):
        network.load_state_dict(state["network"])
        averaged.network.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        first, seconds_before = state["step"], state["seconds"]
    began = time.monotonic()
    last = config.steps if config.stop is None else config.stop
    for step in range(first, last):
        rng = np.random.default_rng((config.seed, step))
        for group in optimiser.param_groups:
            rate = min(1, (step + 1) / (config.steps // 40 + 1)) * (
                0.02 + 0.98 * np.cos(np.pi / 2 * step / config.steps) ** 2
            )
            group["lr"] = float(config.learning_rate * rate)
        batch = draw_batch(lessons, rng.choice(len(weights), config.batch, p=weights).tolist(), rng)
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            layers = network(*batch.inputs())
        value = loss(batch, *(layer.float() for layer in layers))
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        averaged.update(network, step)
        if (step + 1) % 250 == 0 or step + 1 == last:
            seconds = seconds_before + time.monotonic() - began
            scores = mouth_psnr(averaged.network, exam)  # type: ignore[arg-type]
            shown = " ".join(f"{speaker} {ours:.1f}/{still:.1f}" for speaker, (ours, still) in scores.items())
            print(
                f"step {step + 1} loss {value.item():.4f} mouth PSNR ours/static {shown} ({seconds:.0f} s)",
                flush=True,
            )
            checkpoint.save(
                out / "renderer.pt",
                network=network.state_dict(),
                averaged=averaged.network.state_dict(),
                optimiser=optimiser.state_dict(),
                step=step + 1,
                seconds=seconds,
            )
