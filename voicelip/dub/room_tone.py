"""What a room sounds like when nobody speaks, from the quietest moments of a recording."""

import heapq

import numpy as np

_SIZE = 4096  # samples of a moment: 85 ms at 48 kHz
_KEPT = 48  # moments
_SILENT = 1e-5  # full scale; below it is no room but digital silence
_LOOP_S = 8


class RoomTone:
    """Hears a recording block by block, then makes noise of the same colour and level for as long as one
    likes.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate, self._channels = rate, channels
        self._quiet: list[tuple[float, int, np.ndarray]] = []  # (−level, order, spectrum): the loudest first
        self._heard = 0
        self._loop: np.ndarray | None = None

    def add(self, block: np.ndarray) -> None:
        """Hear (C, N) samples; pieces at the end that make no whole moment are passed over."""
        for start in range(0, block.shape[1] - _SIZE + 1, _SIZE):
            moment = block[:, start : start + _SIZE]
            level = float(np.sqrt(np.mean(moment.astype(np.float64) ** 2)))
            if level > _SILENT and (len(self._quiet) < _KEPT or level < -self._quiet[0][0]):
                self._keep(level, moment)

    def _keep(self, level: float, moment: np.ndarray) -> None:
        self._heard += 1
        power = np.abs(np.fft.rfft(moment * np.hanning(_SIZE), axis=1)) ** 2
        entry = (-level, self._heard, power)
        if len(self._quiet) < _KEPT:
            heapq.heappush(self._quiet, entry)
        else:
            heapq.heappushpop(self._quiet, entry)

    def read(self, start: int, count: int) -> np.ndarray:
        """(C, count) float32 of noise, from sample `start` on; always the same for the same recording."""
        if not self._quiet:
            return np.zeros((self._channels, count), np.float32)
        if self._loop is None:
            self._loop = self._made()
        return self._loop[:, np.arange(start, start + count) % self._loop.shape[1]]

    def _made(self) -> np.ndarray:
        """Noise in overlapping windows with the mean spectrum, joined to a ring."""
        magnitude = np.sqrt(np.mean([power for _, _, power in self._quiet], axis=0))
        window = np.sqrt(np.hanning(_SIZE + 1)[:-1])
        # White noise through this window has the power that a Hann window let through when listening.
        scale = magnitude / np.sqrt(np.sum(np.hanning(_SIZE) ** 2))
        half = _SIZE // 2
        pieces = self._rate * _LOOP_S // half
        noise = np.random.default_rng(0)
        loop = np.zeros((self._channels, pieces * half))
        for piece in range(pieces):
            white = np.fft.rfft(noise.standard_normal((self._channels, _SIZE)), axis=1) / np.sqrt(_SIZE)
            shaped = np.fft.irfft(white * scale * np.sqrt(_SIZE), _SIZE, axis=1) * window
            places = np.arange(piece * half, piece * half + _SIZE) % loop.shape[1]
            loop[:, places] += shaped
        return loop.astype(np.float32)
