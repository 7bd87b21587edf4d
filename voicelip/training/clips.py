"""Prepared talking clips on disk: mouth crops, landmarks and mel spectrograms, read by memory map.

A prepared folder holds `crops.npy` (N, 96, 96, 3) uint8, `points.npy` (N, 478, 2) float32 in crop px,
`mel.npy` (M, 80) float32 and `clips.json`, one entry per clip with its ranges in the three.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from voicelip.lips.mel import frame_windows


@dataclass(frozen=True)
class ClipEntry:
    """Where one clip lies in the arrays of its folder."""

    speaker: str
    name: str
    fps: float
    first_frame: int
    frames: int
    first_column: int
    columns: int

    @property
    def span(self) -> slice:
        return slice(self.first_frame, self.first_frame + self.frames)


@dataclass(frozen=True)
class PreparedClips:
    """A prepared folder, opened: the arrays are memory maps."""

    crops: np.ndarray
    points: np.ndarray
    mel: np.ndarray
    clips: list[ClipEntry]

    @classmethod
    def open(cls, folder: Path) -> "PreparedClips":
        entries = [ClipEntry(**entry) for entry in json.loads((folder / "clips.json").read_text())]
        crops, points, mel = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("crops", "points", "mel")
        )
        return cls(crops, points, mel, entries)

    def clip_mel(self, clip: ClipEntry) -> np.ndarray:
        """(80, M) float32."""
        return self.mel[clip.first_column : clip.first_column + clip.columns].T

    def windows(self, clip: ClipEntry, columns: int) -> np.ndarray:
        """(T, 80, columns) float32, one window centred on each frame."""
        return frame_windows(self.clip_mel(clip), clip.frames, clip.fps, columns)


def write_index(folder: Path, entries: list[ClipEntry]) -> None:
    (folder / "clips.json").write_text(json.dumps([asdict(entry) for entry in entries], indent=0))
