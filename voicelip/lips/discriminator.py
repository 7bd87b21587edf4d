"""The patch discriminator: does each part of this mouth look like a photograph?

PatchGAN (Isola et al., 2017), without norms. It also sees the outlines of lips and inner mouth, so that what
is drawn must suit the shape that was asked for, and only parts on the lips and inside count: skin is warped
from a photograph anyway, and drowned the rest. Used in training only.
"""

import torch
import torch.nn.functional as F
from torch import nn

PATCH_ROWS, PATCH_COLUMNS = (8, 72), (16, 80)  # of the 96 px crop: the mouth and what is around it
_SHAPES = 2  # outer lip, inner mouth
_LIPS_COUNT = 0.2  # of a score on the lips, over one inside the mouth


def judged_part(crops: torch.Tensor, outlines: torch.Tensor) -> torch.Tensor:
    """What the discriminator is shown: crops (B, 3, 96, 96) in 0–1 and the outlines (B, ≥ 2, 48, 48) of their
    mouths → (B, 5, 64, 64).
    """
    shapes = F.interpolate(outlines[:, :_SHAPES], scale_factor=2.0, mode="bilinear", align_corners=False)
    both = torch.cat([2 * crops - 1, shapes], dim=1)
    return both[:, :, PATCH_ROWS[0] : PATCH_ROWS[1], PATCH_COLUMNS[0] : PATCH_COLUMNS[1]]


class PatchDiscriminator(nn.Module):
    """(B, 5, 64, 64) → scores (B, 1, 8, 8), high for photographs, and the features of each layer before."""

    def __init__(self, widths: tuple[int, int, int] = (48, 96, 160)) -> None:
        super().__init__()
        first, second, third = widths
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(3 + _SHAPES, first, 4, 2, 1),
                nn.Conv2d(first, second, 4, 2, 1),
                nn.Conv2d(second, third, 4, 2, 1),
                nn.Conv2d(third, third, 3, 1, 1),
            ]
        )
        self.score = nn.Conv2d(third, 1, 3, 1, 1)

    def forward(self, mouths: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features = []
        x = mouths
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.score(x), *features


def mouth_weight(mouths: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """How much each of `scores` (B, 1, h, w) counts: 1 inside the mouth, less on the lips, else 0; `mouths`
    as from `judged_part`.
    """
    lips, inside = F.adaptive_max_pool2d(mouths[:, -_SHAPES:], scores.shape[-2:]).split(1, dim=1)
    return _LIPS_COUNT * lips + (1 - _LIPS_COUNT) * inside


def hinge_loss(real: torch.Tensor, drawn: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """For the discriminator (Lim & Ye, 2017), mean over scores by `weight`."""
    return weighted_mean(F.relu(1 - real) + F.relu(1 + drawn), weight)


def weighted_mean(scores: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (scores * weight).sum() / weight.sum().clamp_min(1e-6)


def matching_loss(real: tuple[torch.Tensor, ...], drawn: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """How far the features of a drawing are from the photograph's, relative to these (Wang et al., 2018)."""
    distances = [(a - b).abs().mean() / (a.abs().mean() + 1e-6) for a, b in zip(real, drawn, strict=True)]
    return torch.stack(distances).mean()
