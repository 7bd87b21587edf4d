"""From a speaker's embeddings to a style of Kokoro's at once, by a small network; see
`recipes/train_voice_mapper.py`.

It sees every window's embedding, not only their middle, and the person's pitch. Each window passes a layer of
its own, as in Deep Sets (Zaheer et al. 2017); their mean, with the pitch, becomes coordinates of timbre and
prosody along the directions in which the stock voices differ.
"""

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.speech.voices import stock_voices

MIDDLE_HZ = 150.0  # pitch is told in octaves from here


def style_like(windows: np.ndarray, median_hz: float) -> np.ndarray:
    """(510, 256) float32 style for (P, 256) embeddings of a speaker's windows and the median pitch."""
    found: np.ndarray = mapped(load_mapper(), windows, median_hz) + length_curve()
    return found.astype(np.float32)


def mapped(weights: Mapping[str, np.ndarray], windows: np.ndarray, median_hz: float) -> np.ndarray:
    """(256,): the style without the curve that a phrase's length adds."""
    each = np.maximum(0, windows @ weights["window.weight"].T + weights["window.bias"])
    together = np.append(each.mean(axis=0), np.log2(median_hz / MIDDLE_HZ))
    inner = np.maximum(0, weights["inner.weight"] @ together + weights["inner.bias"])
    place = weights["place.weight"] @ inner + weights["place.bias"]
    style: np.ndarray = weights["middle"] + place @ weights["directions"]
    return style


@functools.cache
def length_curve() -> np.ndarray:
    """(510, 256) float32: how a style changes with the phoneme count, on average over the stock voices."""
    stock = stock_voices()
    curve: np.ndarray = np.einsum("vnr,vrw->nw", stock.curves, stock.rows) / len(stock.names)
    return curve.astype(np.float32)


@functools.cache
def load_mapper() -> Mapping[str, np.ndarray]:
    """The network that ships with voicelip."""
    return read_mapper(hub.pretrained("voice_mapper.safetensors"))


def read_mapper(path: Path) -> Mapping[str, np.ndarray]:
    """Weights by name, float32."""
    from safetensors.numpy import load_file

    return {name: array.astype(np.float32) for name, array in load_file(str(path)).items()}
