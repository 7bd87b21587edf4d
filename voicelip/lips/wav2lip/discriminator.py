"""Wav2Lip's quality discriminator: is this lower half of a face a photograph?"""

import torch
from torch import nn

from voicelip.lips.wav2lip.blocks import PlainConv


class QualityDiscriminator(nn.Module):
    """The published names. No norm: every face is judged by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(
            [
                nn.Sequential(PlainConv(3, 32, kernel=7, padding=3)),
                nn.Sequential(PlainConv(32, 64, 5, (1, 2), 2), PlainConv(64, 64, 5, padding=2)),
                nn.Sequential(PlainConv(64, 128, 5, 2, 2), PlainConv(128, 128, 5, padding=2)),
                nn.Sequential(PlainConv(128, 256, 5, 2, 2), PlainConv(256, 256, 5, padding=2)),
                nn.Sequential(PlainConv(256, 512, stride=2), PlainConv(512, 512)),
                nn.Sequential(PlainConv(512, 512, stride=2), PlainConv(512, 512)),
                nn.Sequential(PlainConv(512, 512, padding=0), PlainConv(512, 512, kernel=1, padding=0)),
            ]
        )
        self.binary_pred = nn.Sequential(nn.Conv2d(512, 1, 1), nn.Sigmoid())

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """`faces` (B, 3, T, 96, 96) BGR in 0–1 → (B·T, 1): the probability that each is real, the frames of
        a face together.
        """
        x = faces.transpose(1, 2).flatten(0, 1)
        x = x[:, :, x.shape[2] // 2 :]
        for block in self.face_encoder_blocks:
            x = block(x)
        return self.binary_pred(x).flatten(1)
