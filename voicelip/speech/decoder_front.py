"""The front half of Kokoro: text → what its decoder is given. The ONNX graph, cut before the decoder."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from voicelip.speech import phonemes
from voicelip.speech.onnx_file import cut

OUTPUTS = {
    "text": "/encoder/MatMul_1_output_0",
    "pitch": "/encoder/Reshape_output_0",
    "energy": "/encoder/Reshape_1_output_0",
    "letters": "/encoder/text_encoder/Transpose_2_output_0",
    "durations": "/encoder/Cast_4_output_0",
}


@dataclass(frozen=True)
class Phrase:
    """One phrase before it is sound; T is in frames of 25 ms."""

    text: np.ndarray  # (512, T) features of the phonemes, each held for its duration
    pitch: np.ndarray  # (2T,) Hz, about 0 where there is no voice
    energy: np.ndarray  # (2T,)
    letters: np.ndarray  # (512, L) features of the phonemes, once each
    durations: np.ndarray  # (L,) frames

    @property
    def median_hz(self) -> float:
        """Of the voiced frames."""
        return float(np.median(self.pitch[self.pitch > 50]))


class FrontHalf:
    """Predicts durations, pitch and energy of phrases in a style."""

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            cut(model, OUTPUTS.values()), options, providers=["CPUExecutionProvider"]
        )

    def phrase(self, letters: str, style: np.ndarray, speed: float = 1.0) -> Phrase:
        """`letters` are Kokoro phonemes, `style` is (510, 256)."""
        ids = phonemes.tokens(letters)
        inputs = {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": style[len(ids) - 1][None],
            "speed": np.array([speed], dtype=np.float32),
        }
        found: list[Any] = self._session.run(list(OUTPUTS.values()), inputs)
        text, pitch, energy, each, alignment = found
        return Phrase(text[0], pitch.ravel(), energy.ravel(), each[0], alignment.sum(axis=1))
