"""What a room sounds like when nobody speaks, from the quietest moments of a recording."""

import heapq

import numpy as np

_SIZE = 4096  # samples of a moment: 85 ms at 48 kHz
_KEPT = 48  # moments
_SILENT = 1e-5  # full scale; below it is no room but digital silence
_LOOP_S = 8
_ALIKE = 2.0  # moments so many times as loud as the quietest are no room
_HIGHEST = 10 ** (-40 / 20)  # full scale; what is never quieter has music or traffic in it, not only a room
_FAR = 10 ** (-18 / 20)  # below the recording's level, likewise


class RoomTone:
    """Hears a recording block by block, then makes noise of the same colour and level for as long as one
    likes.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate, self._channels = rate, channels
        self._quiet: list[tuple[float, int, np.ndarray]] = []  # (−level, order, spectrum): the loudest first
        self._heard = 0
        self._power, self._samples = 0.0, 0
        self._loop: np.ndarray | None = None

    def add(self, block: np.ndarray) -> None:
        """Hear (C, N) samples; pieces at the end that make no whole moment are passed over."""
        self._power += float((block.astype(np.float64) ** 2).mean(axis=0).sum())
        self._samples += block.shape[1]
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
        if self._loop is None:
            room = self._room()
            self._loop = self._made(room) if room else np.zeros((self._channels, self._rate), np.float32)
        return self._loop[:, np.arange(start, start + count) % self._loop.shape[1]]

    def _room(self) -> list[np.ndarray]:
        """The spectra of moments in which there is nothing but the room; none where there always is more."""
        quietest = -max((level for level, _, _ in self._quiet), default=-np.inf)
        usual = np.sqrt(self._power / max(1, self._samples))
        if quietest > min(_HIGHEST, _FAR * usual):
            return []
        return [power for level, _, power in self._quiet if -level <= _ALIKE * quietest]

    def _made(self, room: list[np.ndarray]) -> np.ndarray:
        """Noise in overlapping windows with the mean spectrum, joined to a ring."""
        magnitude = np.sqrt(np.mean(room, axis=0))
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
