"""The picture of a dub, encoded in pieces of some seconds that are kept: what is there is not made again."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from voicelip.media import Picture, VideoWriter, ahead

PIECE_S = 5

MakeWriter = Callable[[Path], VideoWriter]


class Pictures(Protocol):
    """All frames of a dub; any stretch of them is the same wherever the reading began."""

    def frames(self, start: int, stop: int) -> Iterator[Picture]:
        """Frames `start` up to, not including, `stop` of the dub."""
        ...


@dataclass(frozen=True)
class Piece:
    """Frames `start` to `stop` of the dub, and the hash of all that they depend on."""

    start: int
    stop: int
    key: str


def grid(frames: int, fps: Fraction) -> list[tuple[int, int]]:
    """Where pieces begin and end."""
    length = max(1, round(PIECE_S * fps))
    return [(start, min(start + length, frames)) for start in range(0, frames, length)]


def key_of(*values: Any) -> str:
    """A hash of plain values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:24]


class PieceFolder:
    """Pieces on disk, KEY.mp4 each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, piece: Piece) -> Path:
        """Where a piece is, or will be."""
        return self._folder / f"{piece.key}.mp4"

    def make(
        self,
        pieces: Sequence[Piece],
        pictures: Pictures,
        writer: MakeWriter,
        depth: int,
        progress: Callable[[int], None],
    ) -> int:
        """Encode the pieces that are missing; how many frames that was. `progress` hears of frames done."""
        done = made = 0
        for run, is_there in _runs(pieces, lambda piece: self.path(piece).is_file()):
            if is_there:
                done = run[-1].stop
                progress(done)
                continue
            frames = ahead(pictures.frames(run[0].start, run[-1].stop), depth)
            for piece in run:
                with writer(self.path(piece)) as video:
                    for picture in islice(frames, piece.stop - piece.start):
                        video.write_frame(picture)
                        done, made = done + 1, made + 1
                        progress(done)
        return made

    def keep_only(self, pieces: Sequence[Piece]) -> None:
        """Remove pieces that no longer belong to the dub."""
        wanted = {self.path(piece).name for piece in pieces}
        for path in self._folder.iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)


def _runs(pieces: Sequence[Piece], is_there: Callable[[Piece], bool]) -> Iterator[tuple[list[Piece], bool]]:
    """Neighbouring pieces that are all there or all missing."""
    run: list[Piece] = []
    kind = False
    for piece in pieces:
        there = is_there(piece)
        if run and there != kind:
            yield run, kind
            run = []
        run.append(piece)
        kind = there
    if run:
        yield run, kind
