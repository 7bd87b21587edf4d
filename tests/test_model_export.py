"""`voicelip models export`: networks as ONNX files that do what PyTorch does."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_runs import Run, runner
from torch import nn
from wav2lip_weights import by_the_rule

from voicelip import errors
from voicelip.errors import ModelFileError, OptionError
from voicelip.lips.export_state import export
from voicelip.lips.motion_net import MotionNet
from voicelip.lips.renderer import Renderer
from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.syncnet import SyncNet

onnx = pytest.importorskip("onnx")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capfd, monkeypatch)


def saved(network: nn.Module, path: Path, wrapper: str = "state_dict") -> Path:
    torch.save({wrapper: network.state_dict()}, path)
    return path


def test_a_checkpoint_of_our_own_training_is_exported_and_runs_at_any_length(
    run: Run, tmp_path: Path
) -> None:
    import onnxruntime

    torch.manual_seed(0)
    network = MotionNet(7).eval()
    source, out = saved(network, tmp_path / "motion.pt", "averaged"), tmp_path / "motion.onnx"
    outcome = run("models", "export", str(source), "-o", str(out), "--json")
    assert outcome.code == 0
    told = json.loads(outcome.out)
    assert told["kind"] == "voicelip's motion network"
    assert told["largest_difference"] < 1e-4
    windows = np.random.default_rng(0).random((1, 31, 80, 28), np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(windows)).numpy()
    given = onnxruntime.InferenceSession(str(out)).run(None, {"windows": windows})[0]
    assert np.abs(given - expected).max() < 1e-4


def test_what_exists_is_left_alone_and_what_is_not_known_is_refused(run: Run, tmp_path: Path) -> None:
    source, out = saved(nn.Linear(2, 2), tmp_path / "other.pt"), tmp_path / "other.onnx"
    with pytest.raises(ModelFileError, match="no network that is known here"):
        export(source, out)
    out.write_bytes(b"mine")
    outcome = run("models", "export", str(source), "-o", str(out))
    assert outcome.code == errors.OutputError.exit_code
    assert out.read_bytes() == b"mine"


def test_eight_bits_are_refused_where_no_ranges_are_known(tmp_path: Path) -> None:
    source = saved(MotionNet(3), tmp_path / "motion.pt")
    with pytest.raises(OptionError, match="motion network is not exported in int8; choose of fp32"):
        export(source, tmp_path / "motion.onnx", "int8")
    assert not (tmp_path / "motion.onnx").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "precision", "bound"),
    [
        (Generator, "fp32", 1e-3),
        (Generator, "fp16", 2e-2),
        (SyncNet, "fp16", 1e-3),
        (Renderer, "fp32", 1e-3),
        (Renderer, "fp16", 2e-2),
    ],
)
def test_networks_that_draw_and_judge_keep_their_outputs(
    kind: type[nn.Module], precision: str, bound: float, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = kind() if kind is Renderer else by_the_rule(kind())
    done = export(saved(network, tmp_path / "n.pth"), tmp_path / "n.onnx", precision)
    assert done.largest_difference <= bound
    smaller = 0.6 if precision == "fp16" else 1.1
    weights = sum(each.numel() for each in network.parameters())
    assert done.bytes < smaller * 4 * weights + 300_000
