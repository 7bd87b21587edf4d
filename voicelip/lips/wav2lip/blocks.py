"""The convolution blocks that the published Wav2Lip networks are made of; attribute names are those of its
checkpoints.
"""

import torch
from torch import nn
from torch.nn import functional as F

Pair = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution, batch norm, optionally plus the input, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: Pair = 1,
        padding: int = 1,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs)
        )
        self.residual = residual

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv_block(x)
        return F.relu(y + x if self.residual else y)


class UpConv(nn.Module):
    """Transposed convolution, batch norm, ReLU; `doubles` gives twice the size, otherwise the kernel's rim
    is added (1 → 3 px).
    """

    def __init__(self, inputs: int, outputs: int, doubles: bool = True) -> None:
        super().__init__()
        stride, padding, extra = (2, 1, 1) if doubles else (1, 0, 0)
        self.conv_block = nn.Sequential(
            nn.ConvTranspose2d(inputs, outputs, 3, stride, padding, extra), nn.BatchNorm2d(outputs)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.conv_block(x))


class PlainConv(nn.Module):
    """Convolution and leaky ReLU, without a norm: the discriminator's block."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: Pair = 1, padding: int = 1
    ) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(self.conv_block(x), 0.01)


def residuals(channels: int, count: int) -> list[Conv]:
    """`count` residual blocks that keep the size."""
    return [Conv(channels, channels, residual=True) for _ in range(count)]


def embedding_head(kernel_channels: int) -> list[Conv]:
    """What ends every encoder: 3x3 px to one, then 1x1, 512 channels."""
    return [Conv(kernel_channels, 512, padding=0), Conv(512, 512, kernel=1, padding=0)]


def audio_encoder(last_residuals: int) -> nn.Sequential:
    """(B, 1, 80, 16) mel window → (B, 512, 1, 1); the generator's has one residual block at 256 channels,
    SyncNet's two.
    """
    return nn.Sequential(
        Conv(1, 32),
        *residuals(32, 2),
        Conv(32, 64, stride=(3, 1)),
        *residuals(64, 2),
        Conv(64, 128, stride=3),
        *residuals(128, 2),
        Conv(128, 256, stride=(3, 2)),
        *residuals(256, last_residuals),
        *embedding_head(256),
    )
