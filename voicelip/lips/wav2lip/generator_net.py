"""Wav2Lip's generator: a mel window and a face with its lower half hidden → the face saying it."""

import torch
from torch import nn

from voicelip.lips.wav2lip.blocks import Conv, UpConv, audio_encoder, embedding_head, residuals

FACE_PX = 96
MEL_COLUMNS = 16


class Generator(nn.Module):
    """36.3 M parameters, 6.2 GMAC a frame; the state dict has the published names."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(
            [
                nn.Sequential(Conv(6, 16, kernel=7, padding=3)),  # 96 px
                nn.Sequential(Conv(16, 32, stride=2), *residuals(32, 2)),  # 48
                nn.Sequential(Conv(32, 64, stride=2), *residuals(64, 3)),  # 24
                nn.Sequential(Conv(64, 128, stride=2), *residuals(128, 2)),  # 12
                nn.Sequential(Conv(128, 256, stride=2), *residuals(256, 2)),  # 6
                nn.Sequential(Conv(256, 512, stride=2), *residuals(512, 1)),  # 3
                nn.Sequential(*embedding_head(512)),  # 1
            ]
        )
        self.audio_encoder = audio_encoder(last_residuals=1)
        self.face_decoder_blocks = nn.ModuleList(
            [
                nn.Sequential(Conv(512, 512, kernel=1, padding=0)),
                nn.Sequential(UpConv(1024, 512, doubles=False), *residuals(512, 1)),
                nn.Sequential(UpConv(1024, 512), *residuals(512, 2)),
                nn.Sequential(UpConv(768, 384), *residuals(384, 2)),
                nn.Sequential(UpConv(512, 256), *residuals(256, 2)),
                nn.Sequential(UpConv(320, 128), *residuals(128, 2)),
                nn.Sequential(UpConv(160, 64), *residuals(64, 2)),
            ]
        )
        self.output_block = nn.Sequential(Conv(80, 32), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mel: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
        """`mel` (B, 1, 80, 16); `face` (B, 6, 96, 96) BGR in 0–1, masked then reference → (B, 3, 96, 96) BGR
        in 0–1.

        For training also runs of T frames: (B, T, 1, 80, 16) and (B, 6, T, 96, 96) → (B, 3, T, 96, 96).
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
