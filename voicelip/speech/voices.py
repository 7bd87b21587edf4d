"""The stock voices: 54 Kokoro styles and their places in speaker-embedding space.

A style is a table of 256 numbers for each phoneme count up to 510 (128 for timbre, 128 for prosody). Each
voice's table is its mean row plus a few fixed rows weighted by curves over the phoneme count, and is
stored so; `recipes/build_stock_voices.py` makes the file.
"""

import difflib
import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from voicelip import hub
from voicelip.errors import UnknownNameError

ROWS = 510
WIDTH = 256

DEFAULT_VOICES = {
    "en-us": "af_heart", "en-gb": "bf_emma", "es": "ef_dora", "fr-fr": "ff_siwis", "hi": "hf_alpha",
    "it": "if_sara", "pt-br": "pf_dora",
}  # fmt: skip


@dataclass(frozen=True)
class StockVoices:
    """All stock voices; arrays run along `names`."""

    names: tuple[str, ...]
    means: np.ndarray  # (V, 256)
    rows: np.ndarray  # (V, R, 256)
    curves: np.ndarray  # (V, 510, R)
    embeddings: np.ndarray  # (V, 256) GE2E, length 1
    sex: tuple[str, ...]  # "f" or "m"

    def style(self, name: str) -> np.ndarray:
        """(510, 256) float32: one style row for each phoneme count, the first for one phoneme."""
        i = self.names.index(check_name(name))
        table: np.ndarray = self.means[i] + self.curves[i] @ self.rows[i]
        return table

    def mixture(self, parts: Iterable[tuple[str, float]]) -> np.ndarray:
        """(510, 256) float32: the weighted sum of styles."""
        table = np.zeros((ROWS, WIDTH), np.float32)
        for name, weight in parts:
            table += np.float32(weight) * self.style(name)
        return table


@functools.cache
def stock_voices() -> StockVoices:
    """The voices that ship with voicelip."""
    with np.load(hub.pretrained("kokoro_voices.npz"), allow_pickle=False) as file:
        names = tuple(str(name) for name in file["names"])
        arrays = {key: file[key].astype(np.float32) for key in ("means", "rows", "curves", "embeddings")}
    return StockVoices(names, sex=tuple(name[1] for name in names), **arrays)


def check_name(name: str) -> str:
    """The name of a stock voice, or an error that suggests near ones."""
    names = stock_voices().names
    if name in names:
        return name
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names)}"
    raise UnknownNameError(f"no stock voice is called {name!r}; {hint}")
