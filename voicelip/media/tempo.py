"""Sound faster or slower at its own pitch: FFmpeg's `atempo`, a waveform-similarity overlap-add (WSOLA)."""

from fractions import Fraction
from typing import Any

import numpy as np

from voicelip.media.values import Audio

_BLOCK = 4096


def at_tempo(audio: Audio, factor: float) -> Audio:
    """`audio` in 1 / `factor` of its time; `factor` lies between 0.5 and 2."""
    if factor == 1 or not len(audio.samples):
        return audio
    pieces = TempoFilter(audio.sample_rate, 1, factor)
    blocks = [
        pieces.push(audio.samples[None, at : at + _BLOCK]) for at in range(0, len(audio.samples), _BLOCK)
    ]
    samples = np.concatenate([*blocks, pieces.end()], axis=1)[0]
    return Audio(samples, audio.sample_rate)


class TempoFilter:
    """The same for sound that comes in blocks, (C, N) float32."""

    def __init__(self, rate: int, channels: int, factor: float) -> None:
        from av.filter import Graph

        layout = "mono" if channels == 1 else "stereo"
        self._rate, self._layout, self._channels = rate, layout, channels
        self._graph = Graph()
        source = self._graph.add_abuffer(
            sample_rate=rate, format="fltp", layout=layout, time_base=Fraction(1, rate)
        )
        tempo = self._graph.add("atempo", f"{factor:.9f}")
        sink = self._graph.add("abuffersink")
        source.link_to(tempo)
        tempo.link_to(sink)
        self._graph.configure()
        self._pushed = 0

    def push(self, block: np.ndarray) -> np.ndarray:
        """Hand in a block; what is ready comes back."""
        from av import AudioFrame

        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(block, np.float32), format="fltp", layout=self._layout
        )
        frame.sample_rate, frame.time_base = self._rate, Fraction(1, self._rate)
        frame.pts = self._pushed
        self._pushed += block.shape[1]
        self._graph.push(frame)
        return self._ready()

    def end(self) -> np.ndarray:
        """What is still inside; nothing may be pushed afterwards."""
        self._graph.push(None)
        return self._ready()

    def _ready(self) -> np.ndarray:
        from av.error import BlockingIOError, EOFError

        blocks: list[Any] = [np.zeros((self._channels, 0), np.float32)]
        while True:
            try:
                blocks.append(self._graph.pull().to_ndarray())
            except (BlockingIOError, EOFError):
                return np.concatenate(blocks, axis=1)
