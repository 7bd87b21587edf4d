"""Where recordings lie in the public data sets' folders, and who speaks in them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from voicelip.errors import InputNotFoundError

VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"}


class Layout(str, Enum):
    """How a folder is laid out."""

    auto = "auto"
    grid = "grid"  # SPEAKER/**/*.mpg, as GRID is unpacked
    lrs = "lrs"  # [SET/]ID/00001.mp4 with a transcript 00001.txt beside it, as LRS2 and LRS3 are
    hdtf = "hdtf"  # WDA_BarackObama_000.mp4: pieces of one recording share all but the number
    plain = "plain"  # any clips; each file is taken for a speaker of its own


@dataclass(frozen=True)
class Recording:
    """One file: who speaks, and its path within the corpus (with slashes)."""

    speaker: str
    source: str


def find_recordings(folder: Path, layout: Layout = Layout.auto) -> tuple[Layout, list[Recording]]:
    """The layout (found out if `auto`) and every video of a corpus, sorted by path."""
    if not folder.is_dir():
        raise InputNotFoundError(f"{folder}: no such folder; name the one that holds the clips")
    paths = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".")
    )
    if not paths:
        raise InputNotFoundError(f"{folder}: holds no video files")
    if layout is Layout.auto:
        layout = _guess(folder, paths)
    speaker_of = _SPEAKER[layout]
    return layout, [Recording(speaker_of(path), path.as_posix()) for path in paths]


def _guess(folder: Path, paths: list[Path]) -> Layout:
    """By most of the files: right in the folder, numbered or not; or in folders, with transcripts or not."""
    flat = [path for path in paths if len(path.parts) == 1]
    if 2 * len(flat) > len(paths):
        numbered = sum(bool(_NUMBERED.fullmatch(path.stem)) for path in flat)
        return Layout.hdtf if 2 * numbered > len(flat) else Layout.plain
    sample = paths[:: max(1, len(paths) // 200)]
    transcribed = sum((folder / path).with_suffix(".txt").exists() for path in sample)
    return Layout.lrs if 2 * transcribed > len(sample) else Layout.grid


_NUMBERED = re.compile(r"(?:RD|WDA|WRA)_(.+)_\d+")


def _grid_speaker(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else path.stem


def _hdtf_speaker(path: Path) -> str:
    return re.sub(r"_\d+$", "", path.stem)


_SPEAKER: dict[Layout, Callable[[Path], str]] = {
    Layout.grid: _grid_speaker,
    Layout.lrs: lambda path: path.parent.name or path.stem,
    Layout.hdtf: _hdtf_speaker,
    Layout.plain: lambda path: path.with_suffix("").as_posix(),
}
