"""The network from sound to motion: hears mel windows, says how lips and jaw move."""

import torch
from torch import nn

from voicelip.lips.mel import MEL_BANDS


class MotionNet(nn.Module):
    """Mel windows (B, T, 80, 28) → motion codes (B, T, K), closed mouth at zero."""

    def __init__(self, codes: int, width: int = 128) -> None:
        super().__init__()
        self.listen = nn.Sequential(
            nn.Conv1d(MEL_BANDS, width, 5, stride=2, padding=2),
            nn.BatchNorm1d(width),
            nn.GELU(),
            nn.Conv1d(width, width, 3, stride=2, padding=1),
            nn.BatchNorm1d(width),
            nn.GELU(),
            nn.Conv1d(width, width, 3, stride=2, padding=1),
            nn.BatchNorm1d(width),
            nn.GELU(),
        )
        self.squeeze = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * width, width), nn.GELU())
        self.context = nn.GRU(width, width, num_layers=1, bidirectional=True, batch_first=True)
        self.speak = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * width, codes))

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        batch, frames = windows.shape[:2]
        heard = self.squeeze(self.listen(windows.flatten(0, 1) / 4))
        context, _ = self.context(heard.reshape(batch, frames, -1))
        return self.speak(context)
