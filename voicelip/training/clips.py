"""Prepared talking clips on disk: mouth crops, landmarks and mel spectrograms, read by memory map.

A prepared folder holds shards (see `shards`), or three arrays in one piece: `crops.npy` (N, 96, 96, 3) uint8,
`points.npy` (N, 478, 2) float32 in crop px, `mel.npy` (M, 80) float32, and `clips.json`, one entry per clip
with its ranges in the three.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import InputNotFoundError
from voicelip.lips.mel import frame_windows
from voicelip.training.quality import Quality
from voicelip.training.shards import LAYOUT, Rows, journal_lines, shard_folders


@dataclass(frozen=True)
class ClipEntry:
    """Where one clip lies in the arrays of its folder, where it is from and how good it is."""

    speaker: str
    name: str
    fps: float
    first_frame: int
    frames: int
    first_column: int
    columns: int
    source: str = ""  # the recording's path in the folder that was prepared
    start_s: float = 0.0  # in the recording
    quality: Quality | None = None

    @property
    def span(self) -> slice:
        return slice(self.first_frame, self.first_frame + self.frames)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ClipEntry":
        """From what `asdict` made of an entry."""
        quality = values.get("quality")
        return cls(**{**values, "quality": Quality(**quality) if quality else None})


@dataclass(frozen=True)
class PreparedClips:
    """A prepared folder, opened: the arrays are memory maps."""

    crops: "np.ndarray | Rows | Joined"
    points: "np.ndarray | Rows | Joined"
    mel: "np.ndarray | Rows | Joined"
    clips: list[ClipEntry]
    folder_sizes: tuple[int, ...] = ()  # clips of each folder that was joined; none: one folder

    @classmethod
    def open(cls, folder: Path) -> "PreparedClips":
        """Open a folder, also one that is still being prepared: it holds what is finished."""
        if shards := shard_folders(folder):
            return cls._of_shards(shards)
        if not (folder / "clips.json").exists():
            raise InputNotFoundError(
                f"{folder}: holds no prepared clips; make some with "
                f"`python -m recipes.prepare_lips CLIPS {folder}`"
            )
        entries = [ClipEntry.from_dict(entry) for entry in json.loads((folder / "clips.json").read_text())]
        crops, points, mel = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in LAYOUT)
        return cls(crops, points, mel, entries)

    @classmethod
    def _of_shards(cls, shards: list[Path]) -> "PreparedClips":
        clips: list[ClipEntry] = []
        seen: set[str] = set()  # sources, lest two runs at once give one clip twice
        frames, columns = [0], [0]  # where each shard begins
        for shard in shards:
            local = [
                ClipEntry.from_dict(clip) for line in journal_lines(shard) for clip in line.get("clips", ())
            ]
            clips += [_moved(clip, frames[-1], columns[-1]) for clip in local if clip.source not in seen]
            seen.update(clip.source for clip in local)
            frames.append(frames[-1] + max((clip.first_frame + clip.frames for clip in local), default=0))
            columns.append(columns[-1] + max((clip.first_column + clip.columns for clip in local), default=0))
        lengths, mel_lengths = np.diff(frames).tolist(), np.diff(columns).tolist()
        return cls(
            Rows("crops", shards, lengths),
            Rows("points", shards, lengths),
            Rows("mel", shards, mel_lengths),
            clips,
        )

    @classmethod
    def join(cls, parts: "Sequence[PreparedClips]") -> "PreparedClips":
        """Several folders as one; speakers of different folders are different, whatever their names."""
        if len(parts) == 1:
            return parts[0]
        clips: list[ClipEntry] = []
        frames = columns = 0
        for number, part in enumerate(parts):
            for clip in part.clips:
                moved = _moved(clip, frames, columns)
                clips.append(replace(moved, speaker=f"{number}/{clip.speaker}"))
            frames, columns = frames + len(part.crops), columns + len(part.mel)
        crops, points, mel = (Joined([getattr(part, name) for part in parts]) for name in LAYOUT)
        return cls(crops, points, mel, clips, tuple(len(part.clips) for part in parts))

    def folders(self) -> list[range]:
        """The numbers of the clips of each joined folder."""
        ends = np.cumsum(self.folder_sizes or (len(self.clips),)).tolist()
        return [range(first, last) for first, last in zip([0, *ends], ends, strict=False)]

    def clip_mel(self, clip: ClipEntry) -> np.ndarray:
        """(80, M) float32."""
        return self.mel[clip.first_column : clip.first_column + clip.columns].T

    def windows(self, clip: ClipEntry, columns: int) -> np.ndarray:
        """(T, 80, columns) float32, one window centred on each frame."""
        return frame_windows(self.clip_mel(clip), clip.frames, clip.fps, columns)


class Joined:
    """Rows of several arrays as one: `rows[5]`, or `rows[2:9]` within one of them."""

    def __init__(self, parts: "Sequence[np.ndarray | Rows | Joined]") -> None:
        self._parts = list(parts)
        self._ends = np.cumsum([len(part) for part in parts]).tolist()

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, key: int | slice) -> np.ndarray:
        if isinstance(key, slice) and key.start == key.stop:
            return self._parts[0][0:0]
        first = key.start if isinstance(key, slice) else int(key)
        number = bisect_right(self._ends, first)
        if first < 0 or number == len(self._parts):
            raise IndexError(f"row {first} of {len(self)}")
        before = self._ends[number - 1] if number else 0
        if isinstance(key, slice):
            if key.stop > self._ends[number]:
                raise IndexError(f"rows {key.start} to {key.stop} lie in more than one folder")
            return self._parts[number][key.start - before : key.stop - before]
        return self._parts[number][first - before]


def write_index(folder: Path, entries: list[ClipEntry]) -> None:
    """The `clips.json` of a folder whose arrays are in one piece."""
    (folder / "clips.json").write_text(json.dumps([asdict(entry) for entry in entries], indent=0))


def _moved(clip: ClipEntry, frames: int, columns: int) -> ClipEntry:
    return replace(clip, first_frame=clip.first_frame + frames, first_column=clip.first_column + columns)
