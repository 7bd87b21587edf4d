"""Training of the motion network: targets, augmentation, losses, loop."""

import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voicelip.lips.mel import COLUMNS_PER_S, SILENCE, frame_windows
from voicelip.lips.motion import (
    MOTION_POINTS,
    WINDOW_COLUMNS,
    MotionBasis,
    closed_mouth,
    lip_gap,
    speaker_amplitude,
)
from voicelip.lips.motion_net import MotionNet
from voicelip.training import checkpoint
from voicelip.training.clips import ClipEntry, PreparedClips


@dataclass(frozen=True)
class MotionConfig:
    """Settings of a run; defaults are those of the shipped weights."""

    codes: int = 10
    steps: int = 2800
    batch: int = 16
    frames: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    seed: int = 0
    minutes: float = 60.0


@dataclass(frozen=True)
class MotionExample:
    """One clip as the network learns it: `mel` (80, M), `codes` (T, K) with the speaker's amplitude divided
    out.
    """

    speaker: str
    mel: np.ndarray
    codes: np.ndarray
    fps: float


def fit_basis(data: PreparedClips, codes: int) -> tuple[MotionBasis, dict[str, float]]:
    """Principal components over all speakers alike, and each speaker's amplitude (RMS of offsets, px)."""
    by_speaker: dict[str, list[np.ndarray]] = defaultdict(list)
    for clip in data.clips:
        by_speaker[clip.speaker].append(clip_offsets(data, clip))
    amplitude = {speaker: speaker_amplitude(np.concatenate(parts)) for speaker, parts in by_speaker.items()}
    covariance = np.zeros((2 * len(MOTION_POINTS),) * 2)
    for speaker, parts in by_speaker.items():
        rows = np.concatenate(parts).reshape(-1, 2 * len(MOTION_POINTS)) / amplitude[speaker]
        weight = min(1.0, len(parts) / 10)  # a single clip says little of how a mouth can move
        covariance += weight * rows.T @ rows / len(rows)
    _, vectors = np.linalg.eigh(covariance)
    components = vectors[:, ::-1][:, :codes].T.astype(np.float32)
    return MotionBasis(components, 10.0, float(np.median(list(amplitude.values())))), amplitude


def clip_offsets(data: PreparedClips, clip: ClipEntry) -> np.ndarray:
    """(T, 55, 2) landmarks of a clip relative to its closed mouth, crop px."""
    points = np.asarray(data.points[clip.span])[:, MOTION_POINTS]
    return points - closed_mouth(points)


def examples(data: PreparedClips, basis: MotionBasis, amplitude: dict[str, float]) -> list[MotionExample]:
    return [
        MotionExample(
            clip.speaker,
            data.clip_mel(clip),
            (basis.encode(clip_offsets(data, clip)) * basis.amplitude / amplitude[clip.speaker]).astype(
                np.float32
            ),
            clip.fps,
        )
        for clip in data.clips
    ]


def sample(example: MotionExample, frames: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random stretch, changed in tempo and sound: windows (frames, 80, 28), codes (frames, K)."""
    tempo = rng.uniform(0.8, 1.25)
    mel = augment_sound(example.mel, rng)
    total = len(example.codes)
    start = rng.uniform(min(0.0, total - frames * tempo), max(0.0, total - frames * tempo))
    at = start + tempo * np.arange(frames)  # the source frame, not whole, of each sampled frame
    codes = _interpolate(example.codes.T, at).T
    columns_per_frame = COLUMNS_PER_S / example.fps
    offsets = (np.arange(WINDOW_COLUMNS) - WINDOW_COLUMNS / 2) * tempo
    columns = ((at + 0.5) * columns_per_frame)[:, None] + offsets
    windows = _interpolate(mel, columns.ravel()).reshape(80, frames, WINDOW_COLUMNS).transpose(1, 0, 2)
    return _with_silence(windows, codes, rng)


def augment_sound(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gain, spectral tilt, shifted bands, masked bands and added noise, each within what microphones and
    voices differ by.
    """
    bands = np.arange(80)
    decibels = (mel + 4) * 12.5 - 80
    decibels = decibels + rng.uniform(-15, 15) + rng.uniform(-10, 10) * (bands[:, None] / 40 - 1)
    shift = rng.uniform(-6, 6)
    decibels = _interpolate(decibels.T, bands + shift).T
    power = 10 ** (decibels / 10)
    if rng.random() < 0.7:
        floor = rng.uniform(-75, -25) + rng.uniform(-15, 15) * (bands / 40 - 1)
        power = power + (10 ** (floor / 10))[:, None] * rng.exponential(1.0, power.shape)
    noisy = np.clip((10 * np.log10(np.maximum(power, 1e-12)) + 80) / 12.5 - 4, -4, 4)
    if rng.random() < 0.3:
        first, width = rng.integers(0, 80), rng.integers(2, 12)
        noisy[first : first + width] = SILENCE
    return noisy.astype(np.float32)


def _interpolate(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Linear interpolation of (R, N) rows at positions (P,), ends held → (R, P)."""
    at = np.clip(at, 0, rows.shape[1] - 1)
    low = np.minimum(at.astype(np.int64), rows.shape[1] - 2)
    part = (at - low).astype(np.float32)
    return rows[:, low] * (1 - part) + rows[:, low + 1] * part


def _with_silence(
    windows: np.ndarray, codes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Now and then silence part of the sound and close the mouth there: silence must mean a still mouth."""
    if rng.random() > 0.35:
        return windows, codes
    frames = len(codes)
    length = frames if rng.random() < 0.3 else int(rng.integers(8, frames // 2))
    start = int(rng.integers(0, frames - length + 1))
    floor = SILENCE if rng.random() < 0.6 else rng.uniform(-4.0, -2.5)
    per_frame = 3.2
    position = np.arange(frames)[:, None] * per_frame + np.arange(WINDOW_COLUMNS) - WINDOW_COLUMNS / 2
    silent = (position >= start * per_frame) & (position < (start + length) * per_frame)
    windows = np.where(
        silent[:, None, :], np.minimum(windows, floor + 0.1 * rng.standard_normal(windows.shape)), windows
    )
    distance = np.maximum(start - np.arange(frames), np.arange(frames) - (start + length - 1))
    openness = np.clip((distance + 2) / 4, 0, 1)[:, None]  # lips take about four frames to close
    return np.clip(windows, -4, 4).astype(np.float32), (codes * openness).astype(np.float32)


class MotionLoss:
    """Squared error of landmarks, of their change from frame to frame, and of the lip gap, in crop px."""

    def __init__(self, basis: MotionBasis) -> None:
        gap = lip_gap(basis.decode(np.eye(len(basis.components), dtype=np.float32)))
        self._gap = torch.from_numpy(gap.astype(np.float32)) / basis.scale

    def __call__(self, predicted: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        error = predicted - codes
        change = error.diff(dim=1)
        gap = error @ self._gap
        return (
            (error**2).mean()
            + 2.0 * (change**2).mean()
            + 0.5 * (gap**2).mean()
            + (gap.diff(dim=1) ** 2).mean()
        )


@torch.no_grad()
def gap_correlation(network: MotionNet, data: list[MotionExample], basis: MotionBasis) -> dict[str, float]:
    """Pearson r of predicted and real lip gap per speaker, mean over clips."""
    network.eval()
    scores = defaultdict(list)
    for example in data:
        windows = frame_windows(example.mel, len(example.codes), example.fps, WINDOW_COLUMNS)
        predicted = network(torch.from_numpy(windows)[None])[0].numpy()
        r = np.corrcoef(lip_gap(basis.decode(predicted)), lip_gap(basis.decode(example.codes)))[0, 1]
        scores[example.speaker].append(r)
    return {speaker: float(np.mean(values)) for speaker, values in scores.items()}


def train(config: MotionConfig, train_data: PreparedClips, held_out: PreparedClips, out: Path) -> None:
    """Run or resume a training; leaves `motion.pt` (all state) and `motion_basis.npz` in `out`."""
    torch.manual_seed(config.seed)
    basis, amplitude = fit_basis(train_data, config.codes)
    _, held_out_amplitude = fit_basis(held_out, config.codes)
    basis.save(out / "motion_basis.npz")
    lessons, exam = examples(train_data, basis, amplitude), examples(held_out, basis, held_out_amplitude)
    weights = speaker_weights([lesson.speaker for lesson in lessons])
    network = MotionNet(config.codes)
    averaged = checkpoint.Averaged(network, 0.998)
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    first = 0
    if state := checkpoint.load(out / "motion.pt"):
        network.load_state_dict(state["network"])
        averaged.network.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["step"]
    loss_of, began = MotionLoss(basis), time.monotonic()
    for step in range(first, config.steps):
        rng = np.random.default_rng((config.seed, step))
        for group in optimiser.param_groups:
            rate = min(1, (step + 1) / (config.steps // 40 + 1)) * (
                0.02 + 0.98 * np.cos(np.pi / 2 * step / config.steps) ** 2
            )
            group["lr"] = float(config.learning_rate * rate)
        chosen = rng.choice(len(lessons), config.batch, p=weights)
        windows, codes = zip(*(sample(lessons[i], config.frames, rng) for i in chosen), strict=True)
        network.train()
        loss = loss_of(network(torch.from_numpy(np.stack(windows))), torch.from_numpy(np.stack(codes)))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        averaged.update(network, step)
        if (step + 1) % 250 == 0 or step + 1 == config.steps:
            scores = gap_correlation(averaged.network, exam, basis)  # type: ignore[arg-type]
            shown = " ".join(f"{speaker} {r:.3f}" for speaker, r in scores.items())
            print(
                f"step {step + 1} loss {loss.item():.4f} r {shown} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
            checkpoint.save(
                out / "motion.pt",
                network=network.state_dict(),
                averaged=averaged.network.state_dict(),
                optimiser=optimiser.state_dict(),
                step=step + 1,
            )


def speaker_weights(speakers: list[str], evenness: float = 0.5) -> np.ndarray:
    """Probability of each clip; with `evenness` 0 all clips count alike, with 1 all speakers do."""
    counts = {speaker: speakers.count(speaker) for speaker in set(speakers)}
    weights = np.array([counts[speaker] ** -evenness for speaker in speakers])
    return weights / weights.sum()
