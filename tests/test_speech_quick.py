"""The quick graph says what the published one says, sample for sample, and is made only once."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from voicelip import hub
from voicelip.speech import kokoro_quick, onnx_write, phonemes
from voicelip.speech.kokoro_session import DURATIONS
from voicelip.speech.onnx_file import read_graph
from voicelip.speech.onnx_products import as_products
from voicelip.speech.onnx_tap import with_outputs
from voicelip.speech.voices import stock_voices

rng = np.random.default_rng(7)


def session(model: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def convolution(channels: int, taps: int, spacing: int, stride: int = 1) -> bytes:
    """A model of one convolution of unsigned bytes, with zeros that are not zero."""
    weights = rng.integers(0, 256, (24, channels, taps), dtype=np.uint8)
    pad = taps // 2 * spacing
    node = onnx_write.node(
        "ConvInteger", ["x", "w", "x_zero", "w_zero"], "y",
        kernel_shape=[taps], dilations=[spacing], pads=[pad, pad], strides=[stride], group=1,
    )  # fmt: skip
    constants = {"w": weights, "x_zero": np.array(119, np.uint8), "w_zero": np.array(131, np.uint8)}
    parts = [node, *(onnx_write.tensor(name, array) for name, array in constants.items())]
    return onnx_write.model(parts, ("x", np.uint8), ("y", np.int32))


@pytest.mark.parametrize(("taps", "spacing"), [(1, 1), (3, 1), (7, 3), (11, 5)])
def test_a_convolution_as_a_product_gives_the_same_numbers(taps: int, spacing: int) -> None:
    model = convolution(32, taps, spacing)
    product = as_products(model)
    assert "ConvInteger" not in {node.kind for node in read_graph(product).nodes.values()}
    for length in (1, 5, 200):
        given = {"x": rng.integers(0, 256, (1, 32, length), dtype=np.uint8)}
        expected, found = (session(either).run(None, given)[0] for either in (model, product))
        if kokoro_quick.signed_products_are_exact():
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("channels", "stride"), [(8, 1), (32, 2)])
def test_narrow_and_striding_convolutions_stay_as_they_are(channels: int, stride: int) -> None:
    kinds = {
        node.kind for node in read_graph(as_products(convolution(channels, 3, 1, stride))).nodes.values()
    }
    assert kinds == {"ConvInteger"}


@pytest.fixture(scope="module")
def published() -> Path:
    return hub.fetch("kokoro")


def test_a_voice_sounds_the_same_fitted_too(published: Path) -> None:
    """A fitted voice replaces biases of the decoder in either graph."""
    letters = phonemes.tokens("hˈI.")
    given = {
        "tokens": np.array([[0, *letters, 0]], np.int64),
        "style": stock_voices().style("af_heart")[len(letters) - 1][None],
        "speed": np.array([1.0], np.float32),
    }
    plain = with_outputs(published.read_bytes(), [DURATIONS])
    quick = kokoro_quick.quick_graph(published, hub.entries()["kokoro"].files[0].sha256, [DURATIONS])
    name = "decoder.decoder.decode.0.norm1.fc.bias"
    bias = read_graph(plain).initializers[name]
    louder = onnxruntime.OrtValue.ortvalue_from_numpy(
        bias + rng.normal(0, 0.1, bias.shape).astype(np.float32)
    )
    heard = []
    for source, override in ((plain, louder), (quick, louder), (quick, None)):
        options = kokoro_quick.options()
        if override is not None:
            options.add_initializer(name, override)
        heard.append(kokoro_quick.session(source, options).run(None, given))
    for expected, found in zip(heard[0], heard[1], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.abs(heard[1][0] - heard[2][0]).max() > 1e-3


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    path.write_bytes(convolution(32, 3, 1))
    return path


def test_the_quick_graph_is_kept_until_what_it_is_made_of_changes(small: Path) -> None:
    first = kokoro_quick.quick_graph(small, "a", [])
    assert isinstance(first, Path)
    made = first.stat().st_mtime_ns
    assert kokoro_quick.quick_graph(small, "a", []) == first
    assert first.stat().st_mtime_ns == made
    kokoro_quick.quick_graph(small, "b", [])
    assert first.stat().st_mtime_ns != made
    assert sorted(path.name for path in small.parent.iterdir()) == ["quick.json", "quick.onnx", "small.onnx"]


def test_a_quick_graph_that_was_changed_is_made_again(small: Path) -> None:
    kept = kokoro_quick.quick_graph(small, "a", [])
    assert isinstance(kept, Path)
    good = kept.read_bytes()
    kept.write_bytes(good[:-1])
    kokoro_quick.quick_graph(small, "a", [])
    assert kept.read_bytes() == good
    assert json.loads(kept.with_suffix(".json").read_text())[-2] == len(good)


def test_without_room_it_is_made_each_time(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(kokoro_quick.tempfile, "mkstemp", full)
    graph = kokoro_quick.quick_graph(small, "a", [])
    assert isinstance(graph, bytes)
    given = {"x": rng.integers(0, 256, (1, 32, 9), dtype=np.uint8)}
    expected = session(small.read_bytes()).run(None, given)[0]
    np.testing.assert_array_equal(
        kokoro_quick.session(graph, kokoro_quick.options()).run(None, given)[0], expected
    )
