"""Loudness and peaks of sound that comes in blocks (ITU-R BS.1770-4), as `speech.loudness` has them."""

from collections.abc import Iterable, Iterator

import numpy as np

from voicelip.speech import loudness

_HOP_S = 0.1  # blocks of 400 ms overlap by three quarters
_PER_BLOCK = 4
_ABSOLUTE_LUFS = -70.0
_RELATIVE_LU = -10.0
_OFFSET = -0.691
_CONTEXT_S = 0.05  # around a block, more than a held peak reaches


class LoudnessMeter:
    """Integrated loudness; one number is kept for each tenth of a second."""

    def __init__(self, rate: int, channels: int) -> None:
        import pyloudnorm

        filters = pyloudnorm.Meter(rate)._filters.values()
        self._filters = [
            (stage.b / stage.a[0], stage.a / stage.a[0], stage.passband_gain) for stage in filters
        ]
        self._states = [np.zeros((channels, 2)) for _ in self._filters]
        self._hop = round(_HOP_S * rate)
        self._rest = np.zeros((channels, 0))
        self._powers: list[float] = []

    def add(self, block: np.ndarray) -> None:
        """Hear the next (C, N) samples."""
        from scipy.signal import lfilter

        weighted = block.astype(np.float64)
        for i, (b, a, gain) in enumerate(self._filters):
            weighted, self._states[i] = lfilter(b, a, weighted, axis=1, zi=self._states[i])
            weighted *= gain
        joined = np.concatenate([self._rest, weighted], axis=1)
        whole = joined.shape[1] // self._hop * self._hop
        hops = joined[:, :whole].reshape(len(joined), -1, self._hop)
        self._powers += list((hops**2).mean(axis=2).sum(axis=0))
        self._rest = joined[:, whole:]

    @property
    def lufs(self) -> float:
        """−inf for silence."""
        powers = np.asarray(self._powers)
        if len(powers) < _PER_BLOCK:
            blocks = powers.mean(keepdims=True) if len(powers) else powers
        else:
            blocks = np.convolve(powers, np.full(_PER_BLOCK, 1 / _PER_BLOCK), mode="valid")
        heard = blocks[_lufs(blocks) > _ABSOLUTE_LUFS]
        if not len(heard):
            return -np.inf
        heard = heard[_lufs(heard) > _lufs(heard.mean()) + _RELATIVE_LU]
        return float(_lufs(heard.mean()))


def _lufs(power: np.ndarray) -> np.ndarray:
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-12))


def held_down(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """The same (C, N) blocks, joined and parted otherwise, their true peaks held below −1 dBTP; what is held
    down is so on all channels alike.
    """
    context = round(_CONTEXT_S * rate)
    before: np.ndarray | None = None
    waiting: np.ndarray | None = None
    for block in blocks:
        if waiting is None:
            waiting = block
            continue
        joined = np.concatenate([waiting, block], axis=1)
        if joined.shape[1] <= 2 * context:
            waiting = joined
            continue
        ready, waiting = joined[:, :-context], joined[:, -context:]
        yield _held(before, ready, waiting, rate)
        before = ready[:, -context:]
    if waiting is not None:
        yield _held(before, waiting, waiting[:, :0], rate)


def _held(before: np.ndarray | None, block: np.ndarray, after: np.ndarray, rate: int) -> np.ndarray:
    before = block[:, :0] if before is None else before
    around = np.concatenate([before, block, after], axis=1)
    peaks = np.max([loudness.between(channel) for channel in around], axis=0)
    gains = loudness.held_down(peaks, rate)
    if gains is None:
        return block
    first = before.shape[1]
    return (block * gains[first : first + block.shape[1]]).astype(np.float32)
