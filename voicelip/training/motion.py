"""Training of the motion network: targets, samples, loss, stage."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

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
from voicelip.training import loop
from voicelip.training.clips import ClipEntry, PreparedClips
from voicelip.training.config import RunConfig
from voicelip.training.distributed import Ranks
from voicelip.training.sampling import clip_weights
from voicelip.training.sound import augment_sound, interpolate
from voicelip.training.stage import Call, Loss, Player, Scores, Stateless


@dataclass(frozen=True, kw_only=True)
class MotionConfig(RunConfig):
    """Settings of a run; defaults are those of the shipped weights."""

    steps: int = 2800
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    average: float = 0.998
    codes: int = 10
    frames: int = 64  # of a sample


@dataclass(frozen=True)
class MotionExample:
    """One clip as the network learns it: `mel` (80, M), `codes` (T, K) with the speaker's amplitude divided
    out.
    """

    speaker: str
    mel: np.ndarray
    codes: np.ndarray
    fps: float


@dataclass(frozen=True)
class MotionBatch:
    """`windows` (B, T, 80, 28), `codes` (B, T, K)."""

    windows: torch.Tensor
    codes: torch.Tensor


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
    codes = interpolate(example.codes.T, at).T
    columns_per_frame = COLUMNS_PER_S / example.fps
    offsets = (np.arange(WINDOW_COLUMNS) - WINDOW_COLUMNS / 2) * tempo
    columns = ((at + 0.5) * columns_per_frame)[:, None] + offsets
    windows = interpolate(mel, columns.ravel()).reshape(80, frames, WINDOW_COLUMNS).transpose(1, 0, 2)
    return _with_silence(windows, codes, rng)


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

    def __init__(self, basis: MotionBasis, device: torch.device | str = "cpu") -> None:
        gap = lip_gap(basis.decode(np.eye(len(basis.components), dtype=np.float32)))
        self._gap = (torch.from_numpy(gap.astype(np.float32)) / basis.scale).to(device)

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
def gap_correlation(network: nn.Module, data: list[MotionExample], basis: MotionBasis) -> dict[str, float]:
    """Pearson r of predicted and real lip gap per speaker, mean over clips."""
    network.eval()
    device = next(network.parameters()).device
    scores = defaultdict(list)
    for example in data:
        windows = frame_windows(example.mel, len(example.codes), example.fps, WINDOW_COLUMNS)
        predicted = network(torch.from_numpy(windows)[None].to(device))[0].cpu().numpy()
        r = np.corrcoef(lip_gap(basis.decode(predicted)), lip_gap(basis.decode(example.codes)))[0, 1]
        scores[example.speaker].append(r)
    return {speaker: float(np.mean(values)) for speaker, values in scores.items()}


class MotionStage(Stateless):
    """One network, from sound to codes."""

    name = "motion"

    def __init__(
        self,
        config: MotionConfig,
        train_data: PreparedClips,
        held_out: PreparedClips,
        device: torch.device | str = "cpu",
    ) -> None:
        self._config = config
        self.basis, amplitude = fit_basis(train_data, config.codes)
        _, held_out_amplitude = fit_basis(held_out, config.codes)
        self._lessons = examples(train_data, self.basis, amplitude)
        self._exam = examples(held_out, self.basis, held_out_amplitude)
        self._weights = clip_weights(train_data, config.shares)
        self._loss = MotionLoss(self.basis, device)
        network = MotionNet(config.codes).to(device)
        optimiser = torch.optim.AdamW(
            network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.players = {"motion": Player(network, optimiser, config.average)}

    def draw(self, rng: np.random.Generator) -> MotionBatch:
        chosen = rng.choice(len(self._lessons), self._config.batch, p=self._weights)
        windows, codes = zip(
            *(sample(self._lessons[i], self._config.frames, rng) for i in chosen), strict=True
        )
        return MotionBatch(torch.from_numpy(np.stack(windows)), torch.from_numpy(np.stack(codes)))

    def loss(self, player: str, batch: MotionBatch, call: Mapping[str, Call]) -> Loss:
        return self._loss(call["motion"](batch.windows), batch.codes), {}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        scores = gap_correlation(networks["motion"], self._exam, self.basis)
        shown = " ".join(f"{speaker} {r:.3f}" for speaker, r in scores.items())
        return Scores({f"r/{speaker}": r for speaker, r in scores.items()}, f"r {shown}")


def train(config: MotionConfig, train_data: PreparedClips, held_out: PreparedClips, out: Path) -> None:
    """Run or resume a training; leaves `motion.pt` (all state) and `motion_basis.npz` in `out`."""

    def build(ranks: Ranks) -> MotionStage:
        stage = MotionStage(config, train_data, held_out, ranks.device)
        if ranks.is_first:
            stage.basis.save(out / "motion_basis.npz")
        return stage

    loop.train(config, build, out)
