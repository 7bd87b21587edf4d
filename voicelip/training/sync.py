"""Training of the sync expert: moments of clips, how well they are told apart, stage."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from voicelip.errors import OptionError
from voicelip.lips.mel import SILENCE, frame_windows
from voicelip.lips.sync_expert import (
    MOUTH_BOX,
    SYNC_COLUMNS,
    SYNC_FRAMES,
    SYNC_PX,
    SyncExpert,
    contrast,
    seen_mouths,
)
from voicelip.training import checkpoint, loop
from voicelip.training.clips import PreparedClips
from voicelip.training.config import RunConfig
from voicelip.training.sampling import clip_weights
from voicelip.training.sound import augment_sound
from voicelip.training.stage import Call, Loss, Player, Scores, Stateless

_MIDDLE = SYNC_FRAMES // 2
_APART = 5  # frames between moments that are held against each other
_MOST_LAG = 10


@dataclass(frozen=True, kw_only=True)
class SyncConfig(RunConfig):
    """Settings of a run; `batch` counts clips."""

    steps: int = 2500
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 5e-2
    moments: int = 10  # of each clip, held against each other


@dataclass(frozen=True)
class Moments:
    """`mouths` (C, W, 15, 32, 32) in 0–1, `windows` (C, W, 80, 28)."""

    mouths: torch.Tensor
    windows: torch.Tensor


def has_speech(data: PreparedClips, number: int, moments: int = 2) -> bool:
    """Whether a clip has sound, and room for `moments` apart."""
    clip = data.clips[number]
    return (
        clip.columns > 0
        and clip.frames >= SYNC_FRAMES + _APART * (moments - 1)
        and float(data.clip_mel(clip).max()) > SILENCE + 1
    )


def draw_moments(data: PreparedClips, clips: list[int], moments: int, rng: np.random.Generator) -> Moments:
    """`moments` of each clip, at least 5 frames apart, in other light, framing and sound."""
    mouths, windows = [], []
    for number in clips:
        clip = data.clips[number]
        starts = _starts(clip.frames, moments, rng)
        mel = augment_sound(data.clip_mel(clip), rng)
        heard = frame_windows(mel, clip.frames, clip.fps, SYNC_COLUMNS)
        windows.append(heard[starts + _MIDDLE])
        frames = data.crops[clip.span]
        mouths.append(_varied(np.stack([frames[start : start + SYNC_FRAMES] for start in starts]), rng))
    return Moments(torch.from_numpy(np.stack(mouths)), torch.from_numpy(np.stack(windows)))


def _starts(frames: int, moments: int, rng: np.random.Generator) -> np.ndarray:
    """First frames of `moments` runs that are `_APART` or more from one another, sorted."""
    room = frames - SYNC_FRAMES - _APART * (moments - 1)
    return np.sort(rng.integers(0, room + 1, moments)) + _APART * np.arange(moments)


def _varied(runs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(W, 5, 96, 96, 3) uint8 of one clip → (W, 15, 32, 32) float32 in 0–1, all varied alike."""
    side = MOUTH_BOX[1] - MOUTH_BOX[0] + int(rng.integers(-6, 7))
    top, left = (int(MOUTH_BOX[0] + rng.integers(-4, 5) - (side - 64) // 2) for _ in range(2))
    boxes = runs[:, :, top : top + side, left : left + side]
    if rng.random() < 0.5:
        boxes = boxes[:, :, :, ::-1]
    light = np.arange(256, dtype=np.float32) / 255
    table = np.clip(light ** np.exp(rng.uniform(-0.4, 0.4)) * rng.uniform(0.7, 1.2), 0, 1)
    tint = rng.uniform(0.85, 1.15, 3).astype(np.float32)
    size = (SYNC_PX, SYNC_PX)
    small = np.stack(
        [cv2.resize(box, size, interpolation=cv2.INTER_AREA) for box in boxes.reshape(-1, side, side, 3)]
    )
    lit = np.clip(table[small].astype(np.float32) * tint, 0, 1)
    return lit.transpose(0, 3, 1, 2).reshape(len(runs), -1, *size)


@torch.no_grad()
def cosines(network: nn.Module, data: PreparedClips, number: int) -> np.ndarray:
    """(T, T) cosine of the mouths and the sound of every moment of a clip."""
    device = next(network.parameters()).device
    clip = data.clips[number]
    runs = clip.frames - SYNC_FRAMES + 1
    crops = torch.from_numpy(np.array(data.crops[clip.span])).to(device).permute(0, 3, 1, 2).float() / 255
    index = torch.arange(runs)[:, None] + torch.arange(SYNC_FRAMES)
    windows = data.windows(clip, SYNC_COLUMNS)[_MIDDLE : _MIDDLE + runs]
    mouths, sounds = network(seen_mouths(crops[index]), torch.from_numpy(windows).to(device))
    return (mouths @ sounds.T).cpu().numpy()


@dataclass(frozen=True)
class Judgement:
    """`two_way` the share of pairs (own sound, sound from elsewhere in the clip) in which the own fits
    better; `lag` in frames at which mouths and sound fit best.
    """

    two_way: float
    lag: int


def judge(matrix: np.ndarray) -> Judgement:
    """From the cosines (T, T) of a clip."""
    own, moment = np.diagonal(matrix)[:, None], np.arange(len(matrix))
    elsewhere = np.abs(moment[:, None] - moment) >= _APART
    better = (own > matrix) + 0.5 * (own == matrix)
    most = min(_MOST_LAG, len(matrix) - 1)
    means = {lag: float(np.diagonal(matrix, lag).mean()) for lag in range(-most, most + 1)}
    return Judgement(float(better[elsewhere].mean()), max(means, key=lambda lag: means[lag]))


class SyncStage(Stateless):
    """One network, the expert."""

    name = "sync_expert"

    def __init__(
        self,
        config: SyncConfig,
        train_data: PreparedClips,
        held_out: PreparedClips,
        device: torch.device | str = "cpu",
    ) -> None:
        self._config, self._data, self._exam = config, train_data, held_out
        spoken = [has_speech(train_data, number, config.moments) for number in range(len(train_data.clips))]
        if not any(spoken):
            raise OptionError(f"no clip has sound and {config.moments} moments; lower `moments`")
        weights = clip_weights(train_data, config.shares) * np.array(spoken)
        self._weights = weights / weights.sum()
        self._network = network = SyncExpert().to(device)
        optimiser = torch.optim.AdamW(
            network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.players = {"expert": Player(network, optimiser, config.average)}

    def draw(self, rng: np.random.Generator) -> Moments:
        clips = rng.choice(len(self._weights), self._config.batch, p=self._weights)
        return draw_moments(self._data, clips.tolist(), self._config.moments, rng)

    def loss(self, player: str, batch: Moments, call: Mapping[str, Call]) -> Loss:
        shape = batch.windows.shape[:2]
        mouths, sounds = call["expert"](batch.mouths.flatten(0, 1), batch.windows.flatten(0, 1))
        mouths, sounds = mouths.unflatten(0, shape), sounds.unflatten(0, shape)
        right = (mouths @ sounds.transpose(1, 2)).argmax(-1) == torch.arange(shape[1], device=mouths.device)
        return contrast(mouths, sounds, self._network.sharpness), {"right": right.float().mean()}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        found = defaultdict(list)
        for number, clip in enumerate(self._exam.clips):
            if has_speech(self._exam, number):
                found[clip.speaker].append(judge(cosines(networks["expert"], self._exam, number)))
        two_way = {name: float(np.mean([j.two_way for j in all_of])) for name, all_of in found.items()}
        in_step = float(np.mean([abs(j.lag) <= 1 for all_of in found.values() for j in all_of]))
        shown = " ".join(f"{speaker} {share:.3f}" for speaker, share in two_way.items())
        values = {f"two_way/{speaker}": share for speaker, share in two_way.items()}
        return Scores(
            {**values, "in_step": in_step}, f"two-way {shown}, in step within 1 frame {in_step:.2f}"
        )


def train(config: SyncConfig, train_data: PreparedClips, held_out: PreparedClips, out: Path) -> None:
    """Run or resume a training; leaves `sync_expert.pt` (all state) in `out`."""
    loop.train(config, lambda ranks: SyncStage(config, train_data, held_out, ranks.device), out)


def load_expert(path: Path, device: torch.device | str = "cpu") -> SyncExpert:
    """A trained expert, frozen, from `sync_expert.pt`."""
    expert = SyncExpert().to(device)
    expert.load_state_dict(checkpoint.averaged_weights(path, device))
    return expert.eval().requires_grad_(False)
