"""Prepared clips on disk as shards, which grow clip by clip and survive being killed.

    FOLDER/shards/00000/crops.bin      (N, 96, 96, 3) uint8
                        points.bin     (N, 478, 2) float32, crop px
                        mel.bin        (M, 80) float32
                        journal.jsonl  one line for each finished recording: its clips, or why it was left out

A line is written after the rows it speaks of are on the disk. Rows that no line names belong to a recording
that was not finished; nobody reads them.
"""

import json
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

LAYOUT: dict[str, tuple[type, tuple[int, ...]]] = {
    "crops": (np.uint8, (96, 96, 3)),
    "points": (np.float32, (478, 2)),
    "mel": (np.float32, (80,)),
}
_OPEN_MAPS = 128  # each costs a file handle, of which a process has some hundreds


class ShardWriter:
    """Writes one new shard; a context manager."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._files: dict[str, BinaryIO] = {name: (folder / f"{name}.bin").open("wb") for name in LAYOUT}
        self._journal = (folder / "journal.jsonl").open("w", encoding="utf-8")
        self.rows = dict.fromkeys(LAYOUT, 0)

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()
        self._journal.close()

    def append(self, name: str, rows: np.ndarray) -> None:
        """Add rows (N, …) to the array `name`."""
        kind, shape = LAYOUT[name]
        if rows.shape[1:] != shape:
            raise ValueError(f"rows of {name} have the shape {shape}, not {rows.shape[1:]}")
        self._files[name].write(np.ascontiguousarray(rows, kind).tobytes())
        self.rows[name] += len(rows)

    def finish(self, source: str, clips: Sequence[dict[str, Any]] = (), rejected: str | None = None) -> None:
        """Record that all of `source` is in, or the reason why none of it is."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        line = (
            {"source": source, "rejected": rejected} if rejected else {"source": source, "clips": list(clips)}
        )
        self._journal.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())


def shard_folders(folder: Path) -> list[Path]:
    """The shards of a prepared folder that hold at least one line, in order."""
    return sorted(journal.parent for journal in (folder / "shards").glob("*/journal.jsonl"))


def journal_lines(shard: Path) -> Iterator[dict[str, Any]]:
    """The finished recordings of a shard; a last line that was cut off is none."""
    for line in (shard / "journal.jsonl").read_text("utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


class Rows:
    """The rows of one array over all shards as one: `rows[5]`, `rows[2:9]`, `rows[[3, 9]]`, `rows[5, :, 0]`.

    Memory maps, opened when they are touched; a slice within one shard is a view.
    """

    def __init__(self, name: str, shards: Sequence[Path], lengths: Sequence[int]) -> None:
        kind, self._row_shape = LAYOUT[name]
        self.dtype = np.dtype(kind)
        self._files = [shard / f"{name}.bin" for shard in shards]
        self._lengths = list(lengths)
        self._ends = np.cumsum(self._lengths, dtype=np.int64)
        self._maps: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self._row_shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, tuple):
            rows = self[key[0]]
            is_one = not isinstance(key[0], slice) and np.ndim(key[0]) == 0
            rest = key[1:] if is_one else (slice(None), *key[1:])
            return rows[rest]
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            return self._between(start, stop) if step == 1 else self._picked(np.arange(start, stop, step))
        if np.ndim(key) == 0:
            return self._row(int(key))
        index = np.asarray(key)
        return self._picked(np.flatnonzero(index) if index.dtype == bool else index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._between(0, len(self)), dtype)

    def __getstate__(self) -> dict[str, Any]:
        # A worker process opens its own maps; pickled, they would be the whole data.
        return {**self.__dict__, "_maps": OrderedDict()}

    def _row(self, index: int) -> np.ndarray:
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        shard, local = self._place(index % len(self))
        return self._map(shard)[local]

    def _picked(self, index: np.ndarray) -> np.ndarray:
        out = np.empty((*index.shape, *self._row_shape), self.dtype)
        for place in np.ndindex(index.shape):
            out[place] = self._row(int(index[place]))
        return out

    def _between(self, start: int, stop: int) -> np.ndarray:
        parts = []
        while start < stop:
            shard, local = self._place(start)
            count = min(stop - start, self._lengths[shard] - local)
            parts.append(self._map(shard)[local : local + count])
            start += count
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, *self._row_shape), self.dtype)

    def _place(self, index: int) -> tuple[int, int]:
        shard = int(np.searchsorted(self._ends, index, side="right"))
        return shard, index - int(self._ends[shard]) + self._lengths[shard]

    def _map(self, shard: int) -> np.ndarray:
        if shard in self._maps:
            self._maps.move_to_end(shard)
            return self._maps[shard]
        shape = (self._lengths[shard], *self._row_shape)
        opened = np.memmap(self._files[shard], self.dtype, "r", shape=shape).view(np.ndarray)
        self._maps[shard] = opened
        if len(self._maps) > _OPEN_MAPS:
            self._maps.popitem(last=False)
        return opened
