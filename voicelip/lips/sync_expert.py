"""The sync expert: do five mouths and a piece of sound belong together?

After SyncNet (Chung & Zisserman, "Out of time", 2016), as a teacher of lips after Wav2Lip (Prajwal et al.,
2020), at the scale of our crops: two encoders put mouths and sound into one space, where the cosine says how
well they fit.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from voicelip.lips.mel import MEL_BANDS

SYNC_FRAMES = 5  # consecutive mouths, the sound is centred on the third
SYNC_COLUMNS = 28  # mel columns
SYNC_PX = 32  # side of a mouth as the expert sees it
MOUTH_BOX = (16, 80)  # rows and columns of the 96 px crop that it sees, at half the size
_SIZE = 128


def seen_mouths(crops: torch.Tensor) -> torch.Tensor:
    """Crops (B, 5, 3, 96, 96) in 0–1 as the expert takes them: (B, 15, 32, 32)."""
    low, high = MOUTH_BOX
    return F.avg_pool2d(crops[..., low:high, low:high].flatten(1, 2), 2)


def _encoder_2d(*widths: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [
            nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return layers


def _layer_1d(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv1d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(),
    ]


class SyncExpert(nn.Module):
    """0.9 M parameters; mouths and sound to unit vectors of 128 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            *_encoder_2d(3 * SYNC_FRAMES, 48, 80, 128),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(128 * (SYNC_PX // 8) ** 2, _SIZE),
        )
        self.listen = nn.Sequential(
            *_layer_1d(MEL_BANDS, 128, 1),
            *_layer_1d(128, 128, 2),
            *_layer_1d(128, 128, 2),
            *_layer_1d(128, 128, 1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(128 * (SYNC_COLUMNS // 4), _SIZE),
        )
        self.sharpness = nn.Parameter(torch.tensor(10.0).log())  # of the softmax over cosines

    def forward(self, mouths: torch.Tensor, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`mouths` (B, 15, 32, 32) in 0–1, `windows` (W, 80, 28) mel → unit vectors (B, 128), (W, 128)."""
        return self.embed_mouths(mouths), self.embed_sound(windows)

    def embed_mouths(self, mouths: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.look(2 * mouths - 1), dim=1)

    def embed_sound(self, windows: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.listen(windows / 4), dim=1)


def contrast(mouths: torch.Tensor, sounds: torch.Tensor, sharpness: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of picking a mouth's own sound, and a sound's own mouth, among those of one clip.

    `mouths`, `sounds` (C, W, 128): W moments of each of C clips (InfoNCE; van den Oord et al., 2018). That
    they are of one clip keeps the expert from telling people apart instead of sounds.
    """
    logits = sharpness.exp().clamp(max=50) * mouths @ sounds.transpose(1, 2)
    own = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.transpose(1, 2), own)) / 2
