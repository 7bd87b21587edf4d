"""Wav2Lip's lip-sync expert: do five mouths and a piece of sound belong together?"""

import torch
from torch import nn
from torch.nn import functional as F

from voicelip.lips.wav2lip.blocks import Conv, audio_encoder, embedding_head, residuals

SYNC_FRAMES = 5


class SyncNet(nn.Module):
    """Puts sound and mouths into one space; the cosine of the two says how well they fit. Published names."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder = nn.Sequential(
            Conv(3 * SYNC_FRAMES, 32, kernel=7, padding=3),
            Conv(32, 64, kernel=5, stride=(1, 2), padding=1),
            *residuals(64, 2),
            Conv(64, 128, stride=2),
            *residuals(128, 3),
            Conv(128, 256, stride=2),
            *residuals(256, 2),
            Conv(256, 512, stride=2),
            *residuals(512, 2),
            Conv(512, 512, stride=2),
            *embedding_head(512),
        )
        self.audio_encoder = audio_encoder(last_residuals=2)

    def forward(self, mel: torch.Tensor, mouths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`mel` (B, 1, 80, 16); `mouths` (B, 15, 48, 96): the lower halves of five frames, BGR in 0–1.

        Returns the unit vectors of sound and mouths, (B, 512) each.
        """
        sound = self.audio_encoder(mel).flatten(1)
        seen = self.face_encoder(mouths).flatten(1)
        return F.normalize(sound), F.normalize(seen)


def lower_halves(faces: torch.Tensor) -> torch.Tensor:
    """(B, 3, T, 96, 96) → (B, 3T, 48, 96), frame by frame, as the expert takes them."""
    return faces[:, :, :, faces.shape[3] // 2 :].transpose(1, 2).flatten(1, 2)
