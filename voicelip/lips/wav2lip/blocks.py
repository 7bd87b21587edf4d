"""The blocks that Wav2Lip's networks are made of; attribute names are those of its checkpoints."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

Pair = int | tuple[int, int]
Activation = Callable[[torch.Tensor], torch.Tensor]


class Conv(nn.Module):
    """Convolution, batch norm, optionally plus the input, ReLU (or PReLU)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: Pair = 1,
        padding: int = 1,
        residual: bool = False,
        prelu: bool = False,
    ) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs)
        )
        self.residual = residual
        self.act: Activation = nn.PReLU() if prelu else F.relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv_block(x)
        return self.act(y + x if self.residual else y)


class UpConv(nn.Module):
    """Transposed convolution, batch norm, ReLU (or PReLU).

    With `rim` one px becomes `rim` px; otherwise the size doubles, less one px unless `even`.
    """

    def __init__(
        self, inputs: int, outputs: int, rim: int = 0, even: bool = True, prelu: bool = False
    ) -> None:
        super().__init__()
        shape = (rim, 1, 0, 0) if rim else (3, 2, 1, int(even))
        self.conv_block = nn.Sequential(nn.ConvTranspose2d(inputs, outputs, *shape), nn.BatchNorm2d(outputs))
        self.act: Activation = nn.PReLU() if prelu else F.relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.conv_block(x))


class PlainConv(nn.Module):
    """Convolution and leaky ReLU, without a norm: the discriminator's block."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: Pair = 1, padding: int = 1
    ) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(self.conv_block(x), 0.01)


def residuals(channels: int, count: int, prelu: bool = False) -> list[Conv]:
    """`count` residual blocks that keep the size."""
    return [Conv(channels, channels, residual=True, prelu=prelu) for _ in range(count)]


def embedding_head(inputs: int, kernel: int = 3, prelu: bool = False) -> list[Conv]:
    """What ends every encoder: `kernel` px to one, then 1x1, 512 channels."""
    return [
        Conv(inputs, 512, kernel, padding=0, prelu=prelu),
        Conv(512, 512, kernel=1, padding=0, prelu=prelu),
    ]


def audio_encoder(last_residuals: int, prelu: bool = False) -> nn.Sequential:
    """(B, 1, 80, 16) mel window → (B, 512, 1, 1); the generator's has one residual block at 256 channels,
    SyncNet's two.
    """
    return nn.Sequential(
        Conv(1, 32, prelu=prelu),
        *residuals(32, 2, prelu),
        Conv(32, 64, stride=(3, 1), prelu=prelu),
        *residuals(64, 2, prelu),
        Conv(64, 128, stride=3, prelu=prelu),
        *residuals(128, 2, prelu),
        Conv(128, 256, stride=(3, 2), prelu=prelu),
        *residuals(256, last_residuals, prelu),
        *embedding_head(256, prelu=prelu),
    )
