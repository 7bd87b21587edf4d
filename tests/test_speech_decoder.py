"""The PyTorch decoder makes the sound of the ONNX graph, with and without a speaker's own constants."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from voicelip import hub
from voicelip.speech import phonemes
from voicelip.speech.decoder_front import FrontHalf, Phrase
from voicelip.speech.decoder_source import source_spectrum
from voicelip.speech.decoder_weights import decoder_weights
from voicelip.speech.engine import Voice
from voicelip.speech.kokoro_session import session_of
from voicelip.speech.onnx_file import Graph, cut, read_graph
from voicelip.speech.voices import stock_voices

LETTERS = phonemes.phonemize("A quiet river.", "en-us")
VOICE = "am_michael"
LAYER = "decoder.decoder.generator.resblocks.3.adain1.0.fc.bias"  # one of those that a fit changes
PITCH = ("encoder.predictor.F0_proj.weight_scale", "encoder.predictor.F0_proj.bias")


@dataclass(frozen=True)
class Kokoro:
    graph: Graph
    weights: dict[str, np.ndarray]
    front: FrontHalf
    phrase: Phrase


@pytest.fixture(scope="module")
def kokoro() -> Kokoro:
    model = hub.fetch("kokoro").read_bytes()
    graph, front = read_graph(model), FrontHalf(model)
    return Kokoro(graph, decoder_weights(graph), front, front.phrase(LETTERS, stock_voices().style(VOICE)))


def spoken(overrides: dict[str, np.ndarray]) -> np.ndarray:
    """By the whole graph, untrimmed."""
    voice = Voice("test", ((VOICE, 1.0),), overrides=overrides)
    ids = phonemes.tokens(LETTERS)
    style = stock_voices().style(VOICE)[len(ids) - 1][None]
    feed = {"tokens": np.array([[0, *ids, 0]]), "style": style, "speed": np.ones(1, np.float32)}
    return session_of(voice).run(None, feed)[0].ravel()


def decoded(kokoro: Kokoro, offsets: Mapping[str, np.ndarray], pitch: float = 1.0) -> np.ndarray:
    import torch

    from voicelip.speech.decoder import build_decoder

    decoder = build_decoder(kokoro.weights)
    for name, layer in decoder.modulations().items():
        layer.offset = torch.from_numpy(offsets.get(name, np.zeros(1, np.float32)))
    hertz = kokoro.phrase.pitch * np.float32(pitch)
    mix = (kokoro.weights[f"generator.m_source.l_linear.{part}"] for part in ("weight", "bias"))
    style = stock_voices().style(VOICE)[len(phonemes.tokens(LETTERS)) - 1][:128]
    inputs = (kokoro.phrase.text, hertz, kokoro.phrase.energy, style, source_spectrum(hertz, *mix))
    with torch.inference_mode():
        return decoder(*map(torch.from_numpy, map(np.ascontiguousarray, inputs))).numpy()


def log_spectrum(samples: np.ndarray) -> np.ndarray:
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::256] * np.hanning(1024)
    return np.log(np.abs(np.fft.rfft(frames, axis=1)) + 1e-4)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(log_spectrum(a) - log_spectrum(b)).mean())


def test_the_file_is_read_as_the_onnx_package_reads_it(kokoro: Kokoro) -> None:
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(str(hub.fetch("kokoro"))).graph
    assert [node.name for node in graph.node] == list(kokoro.graph.nodes)
    for tensor in graph.initializer:
        np.testing.assert_array_equal(
            onnx.numpy_helper.to_array(tensor), kokoro.graph.initializers[tensor.name]
        )


def test_the_front_half_is_a_third_of_the_model() -> None:
    model = hub.fetch("kokoro").read_bytes()
    part = cut(model, ["/encoder/MatMul_1_output_0"])
    assert len(part) < 0.4 * len(model)
    assert LAYER not in read_graph(part).initializers


def test_the_decoder_sounds_as_the_graph_does(kokoro: Kokoro) -> None:
    graph, own = spoken({}), decoded(kokoro, {})
    assert len(graph) == len(own)
    assert difference(graph, own) < 0.35
    assert own.std() == pytest.approx(graph.std(), rel=0.1)


def test_offsets_and_pitch_in_the_decoder_are_changed_constants_in_the_graph(kokoro: Kokoro) -> None:
    random = np.random.default_rng(0)
    constants = kokoro.graph.initializers
    layers = [name for name in constants if name.startswith("decoder.") and name.endswith(".fc.bias")]
    offsets = {name: random.normal(0, 0.2, constants[name].shape).astype(np.float32) for name in layers}
    changed = {name: constants[name] + offset for name, offset in offsets.items()}
    changed |= {name: np.asarray(constants[name] * np.float32(1.3)) for name in PITCH}
    graph = spoken(changed)
    assert len(layers) == 58
    assert difference(graph, decoded(kokoro, offsets, pitch=1.3)) < 0.4 < 0.5 < difference(graph, spoken({}))
