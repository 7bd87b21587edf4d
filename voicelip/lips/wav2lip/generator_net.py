"""Wav2Lip's generator: a mel window and a face with its lower half hidden → the face saying it."""

from itertools import pairwise

import torch
from torch import nn

from voicelip.lips.wav2lip.blocks import Conv, UpConv, audio_encoder, embedding_head, residuals
from voicelip.lips.wav2lip.layouts import PUBLISHED, Layout

MEL_COLUMNS = 16
_FIRST, _LAST = 16, 80  # channels of the encoder's first feature, and of what the output is made of


class Generator(nn.Module):
    """As published 36.3 M parameters, 6.2 GMAC a frame; the state dict has the published names."""

    def __init__(self, layout: Layout = PUBLISHED) -> None:
        super().__init__()
        self.layout = layout
        self.face_encoder_blocks = nn.ModuleList(_encoder(layout))
        self.audio_encoder = audio_encoder(last_residuals=1, prelu=layout.prelu)
        self.face_decoder_blocks = nn.ModuleList(_decoder(layout))
        self.output_block = nn.Sequential(
            Conv(_LAST, 32, prelu=layout.prelu), nn.Conv2d(32, 3, 1), nn.Sigmoid()
        )

    def forward(self, mel: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
        """`mel` (B, 1, 80, 16); `face` (B, 6, S, S) BGR in 0–1, masked then reference → (B, 3, S, S) BGR in
        0–1, S being the layout's `px`.

        For training also runs of T frames: (B, T, 1, 80, 16) and (B, 6, T, S, S) → (B, 3, T, S, S).
        """
        if face.ndim == 5:
            faces = face.transpose(1, 2)
            drawn = self(mel.flatten(0, 1), faces.flatten(0, 1))
            return drawn.unflatten(0, faces.shape[:2]).transpose(1, 2)
        features = []
        for block in self.face_encoder_blocks:
            face = block(face)
            features.append(face)
        x = self.audio_encoder(mel)
        for block in self.face_decoder_blocks:
            x = torch.cat((block(x), features.pop()), dim=1)
        return self.output_block(x)


def _encoder(layout: Layout) -> list[nn.Sequential]:
    """Features at the face's own size, at a half, a quarter …, at last at one px."""
    prelu = layout.prelu
    stages = [nn.Sequential(Conv(6, _FIRST, kernel=7, padding=3, prelu=prelu))]
    channels = [_FIRST, *(down.outputs for down in layout.downs)]
    for (inputs, _), down in zip(pairwise(channels), layout.downs, strict=True):
        halving = Conv(inputs, down.outputs, down.kernel, 2, down.kernel // 2, prelu=prelu)
        stages.append(nn.Sequential(halving, *residuals(down.outputs, down.residuals, prelu)))
    return stages + [nn.Sequential(*embedding_head(512, kernel, prelu)) for kernel in layout.heads]


def _decoder(layout: Layout) -> list[nn.Sequential]:
    """The way back; to what each stage gives, the encoder's feature of that size is added."""
    prelu = layout.prelu
    added = [512 for _ in layout.heads] + [down.outputs for down in reversed(layout.downs)]
    stages = [
        nn.Sequential(Conv(512, 512, kernel=1, padding=0, prelu=prelu)),
        nn.Sequential(
            UpConv(512 + added[0], 512, rim=layout.heads[-1], prelu=prelu), *residuals(512, 1, prelu)
        ),
    ]
    outputs = 512
    for up, more in zip(layout.ups, added[1:], strict=True):
        widening = UpConv(outputs + more, up.outputs, even=up.even, prelu=prelu)
        stages.append(nn.Sequential(widening, *residuals(up.outputs, up.residuals, prelu)))
        outputs = up.outputs
    return stages
