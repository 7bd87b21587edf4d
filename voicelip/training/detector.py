"""Training of the network that tells regenerated mouths from recorded ones.

A batch holds the same moments of the same clips as recorded, as regenerated and as pasted, all seen through
the same random changes of light and place, so that nothing but the regeneration tells them apart.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from voicelip.trust.detect_learned import CHANNELS, planes
from voicelip.trust.evidence import CROP_PX

REAL = "real"
_SHIFT_PX = 6


@dataclass(frozen=True)
class Take:
    """One moment's crops by kind: each (N, 2, 128, 128, 3) uint8, the same frames of the same clip."""

    speaker: str
    quality: str
    name: str
    crops: dict[str, np.ndarray]


class MouthDetector(nn.Module):
    """(B, 5, 128, 128) → (B,) logits; 0.15 M parameters."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        widths = (width, 2 * width, 3 * width, 4 * width)
        layers: list[nn.Module] = [nn.Conv2d(CHANNELS, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU()]
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, 2, 1), nn.BatchNorm2d(outer), nn.ReLU()]
        layers += [nn.Conv2d(widths[-1], widths[-1], 3, 1, 1), nn.BatchNorm2d(widths[-1]), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * widths[-1], 1))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        features = self.features(seen)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        return self.head(pooled)[:, 0]


def draw(takes: list[Take], count: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """`count` moments in all their kinds: planes (B, 5, 128, 128), and 1 for what is not real (B,)."""
    speakers = sorted({take.speaker for take in takes})
    seen, truth = [], []
    for _ in range(count):
        speaker = speakers[rng.integers(len(speakers))]
        own = [take for take in takes if take.speaker == speaker]
        take = own[rng.integers(len(own))]
        moment = rng.integers(min(len(crops) for crops in take.crops.values()))
        change = Change.draw(rng)
        for kind, crops in take.crops.items():
            seen.append(planes(change.applied(crops[moment])))
            truth.append(float(kind != REAL))
    images = torch.from_numpy(np.stack(seen)).contiguous(memory_format=torch.channels_last)
    return images, torch.tensor(truth)


@dataclass(frozen=True)
class Change:
    """What is done to a pair of crops; nothing that resamples, since fine detail is what gives them away."""

    mirror: bool
    shift: tuple[int, int]  # px down, right
    gain: np.ndarray  # (3,)
    gamma: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Change":
        down, right = rng.integers(-_SHIFT_PX, _SHIFT_PX + 1, 2).tolist()
        return cls(
            mirror=bool(rng.random() < 0.5),
            shift=(down, right),
            gain=rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3),
            gamma=float(rng.uniform(0.85, 1.2)),
        )

    def applied(self, pair: np.ndarray) -> np.ndarray:
        """To (2, 128, 128, 3) uint8."""
        if self.mirror:
            pair = pair[:, :, ::-1]
        padded = np.pad(pair, ((0, 0), (_SHIFT_PX,) * 2, (_SHIFT_PX,) * 2, (0, 0)), mode="reflect")
        top, left = _SHIFT_PX - self.shift[0], _SHIFT_PX - self.shift[1]
        moved = padded[:, top : top + CROP_PX, left : left + CROP_PX]
        curve = 255 * np.clip(np.arange(256)[:, None] / 255 * self.gain, 0, 1) ** self.gamma
        return (
            np.rint(np.take_along_axis(curve, moved.reshape(-1, 3), axis=0))
            .astype(np.uint8)
            .reshape(moved.shape)
        )


def step(
    network: nn.Module, optimiser: torch.optim.Optimizer, seen: torch.Tensor, truth: torch.Tensor
) -> float:
    """One step of descent; the loss weighs real and regenerated alike."""
    network.train()
    logits = network(seen)
    weight = torch.where(truth > 0, 0.5 / truth.mean(), 0.5 / (1 - truth.mean()))
    loss = functional.binary_cross_entropy_with_logits(logits, truth, weight)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.detach())


@torch.no_grad()
def logits_of(network: nn.Module, crops: np.ndarray) -> np.ndarray:
    """(N, 2, 128, 128, 3) uint8 → (N,)."""
    network.eval()
    return network(torch.from_numpy(np.stack([planes(pair) for pair in crops]))).numpy()


def auc(real: list[float], other: list[float]) -> float:
    """The chance that a regenerated clip scores higher than a real one."""
    a, b = np.array(real)[:, None], np.array(other)[None]
    return float(((a < b) + 0.5 * (a == b)).mean())
