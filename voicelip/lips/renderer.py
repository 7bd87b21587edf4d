"""Motion to pixels: warps a closed and an open view of the same mouth into the wanted shape and paints what
neither shows.

An encoder–decoder with skip connections sees the masked face, two reference crops and the outlines of lips,
mouth and jaw in all three. It gives a dense flow for each reference (a correction of the flow that the
landmarks imply), weights that blend the two warped references with a painted residual, and the residual
itself. Flows and weights scale to any size, which is what keeps a large mouth sharp.
"""

import torch
import torch.nn.functional as F
from torch import nn

from voicelip.face.crop import CROP_PX

GRID_PX = CROP_PX // 2  # flows live on a grid of half the crop's size
OUTLINES = 3  # filled outer lip, inner mouth, jaw
REFERENCES = 2  # closed, open
_FLOW_LIMIT = 0.15  # of the crop's side, beyond what the landmarks imply
_REACH_PX = 5.0  # how far a landmark's displacement carries, crop px


class Block(nn.Module):
    """Two 3x3 convolutions with a residual path."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels_out)
        same = channels_in == channels_out and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.skip(x))


class Up(nn.Module):
    """Doubles the size, joins the encoder's features of that size, and mixes."""

    def __init__(self, channels_in: int, channels_skip: int, channels_out: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels_in + channels_skip, channels_out, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)
        self.mix = nn.Conv2d(channels_out, channels_out, 3, 1, 1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip], dim=1)
        return F.relu(self.mix(F.relu(self.norm(self.squeeze(joined)))))


class Renderer(nn.Module):
    """The render branch; gives what the compositor applies at the footage's own size.

    `flow` (B, R, 2, 48, 48), in units of the crop's side, says where each reference is read; `weights`
    (B, R + 1, 96, 96) sum to one over references and paint; `paint` (B, 3, 96, 96) is in 0–1.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (20, 48, 72, 112)) -> None:
        super().__init__()
        images = 4 * (3 + 1 + 3 * REFERENCES)
        outlines = OUTLINES * (1 + REFERENCES)
        w, w1, w2, w3 = widths
        self.start = nn.Sequential(
            nn.Conv2d(images + outlines + 2 * REFERENCES, w, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU()
        )
        self.down0 = Block(w, w)
        self.down1 = Block(w, w1, stride=2)
        self.down2 = Block(w1, w2, stride=2)
        self.down3 = Block(w2, w3, stride=2)
        self.middle = Block(w3, w3)
        self.up2 = Up(w3, w2, w2)
        self.up1 = Up(w2, w1, w1)
        self.up0 = Up(w1, w, w)
        self.flow = nn.Conv2d(w, 2 * REFERENCES, 3, 1, 1)
        self.layers = nn.Conv2d(w, 4 * (REFERENCES + 1 + 3), 3, 1, 1)
        nn.init.zeros_(self.flow.weight)
        nn.init.zeros_(self.flow.bias)  # type: ignore[arg-type]

    def forward(
        self,
        masked: torch.Tensor,
        mask: torch.Tensor,
        references: torch.Tensor,
        outlines: torch.Tensor,
        shift: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`masked` (B, 3, 96, 96) and `references` (B, R, 3, 96, 96) in 0–1, `mask` (B, 1, 96, 96),
        `outlines` (B, 9, 48, 48) of target and references, `shift` (B, R, 2, 48, 48) the landmarks' flow →
        flow, weights, paint.
        """
        images = torch.cat([masked - 0.5 * (1 - mask), mask - 0.5, references.flatten(1, 2) - 0.5], dim=1)
        features = self.start(torch.cat([_unshuffled(images), outlines, 4 * shift.flatten(1, 2)], dim=1))
        d0 = self.down0(features)
        d1 = self.down1(d0)
        d2 = self.down2(d1)
        u = self.middle(self.down3(d2))
        u = self.up0(self.up1(self.up2(u, d2), d1), d0)
        flow = shift + _FLOW_LIMIT * torch.tanh(self.flow(u)).reshape(-1, REFERENCES, 2, GRID_PX, GRID_PX)
        layers = F.pixel_shuffle(self.layers(u), 2)
        weights = torch.softmax(layers[:, : REFERENCES + 1], dim=1)
        return flow, weights, torch.sigmoid(layers[:, REFERENCES + 1 :])


def _unshuffled(images: torch.Tensor) -> torch.Tensor:
    """`F.pixel_unshuffle(images, 2)` in the form that ONNX Runtime is fast at."""
    parts = [images[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    return torch.stack(parts, dim=2).flatten(1, 2)


def landmark_flow(target: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """The flow that landmarks imply: (B, N, 2) crop px each → (B, 2, 48, 48) in units of the crop's side.

    At each place the displacements of nearby landmarks are averaged with Gaussian weights, and fade to none
    far from all.
    """
    axis = (
        torch.arange(GRID_PX, device=target.device, dtype=target.dtype) * 2 + 0.5
    )  # centres of grid cells, crop px
    # exp of a sum is a product: one Gaussian a direction, (B, 48, N) each, instead of one a place
    across = torch.exp(-((axis[None, :, None] - target[:, None, :, 0]) ** 2) / (2 * _REACH_PX**2))
    down = torch.exp(-((axis[None, :, None] - target[:, None, :, 1]) ** 2) / (2 * _REACH_PX**2))
    displacement = (reference - target).transpose(1, 2)
    # products of matrices rather than einsum, which ONNX Runtime takes three times as long for
    moved = (down[:, None] * displacement[:, :, None]) @ across[:, None].transpose(2, 3)
    return moved / ((down @ across.transpose(1, 2))[:, None] + 0.05) / CROP_PX


def warp(images: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Read `images` (B, 3, S, S) at places displaced by `flow` (B, 2, G, G), in units of the side."""
    size = images.shape[-1]
    dense = F.interpolate(flow, size=(size, size), mode="bilinear", align_corners=False)
    axis = (torch.arange(size, device=images.device, dtype=flow.dtype) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    grid = torch.stack([x, y], dim=-1) + 2 * dense.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def assemble(
    references: torch.Tensor, flow: torch.Tensor, weights: torch.Tensor, paint: torch.Tensor
) -> torch.Tensor:
    """Blend the warped references and the paint: → (B, 3, 96, 96)."""
    result = weights[:, REFERENCES:] * paint
    for index in range(REFERENCES):
        result = result + weights[:, index : index + 1] * warp(references[:, index], flow[:, index])
    return result
