"""Checkpoints as people have them load; anything else is refused with the reason, and nothing in it runs."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from wav2lip_weights import by_the_rule

from voicelip.errors import InputNotFoundError, ModelFileError
from voicelip.lips.generators import create
from voicelip.lips.wav2lip.checkpoint import load_network, recognise
from voicelip.lips.wav2lip.discriminator import QualityDiscriminator
from voicelip.lips.wav2lip.fold import fold
from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.layouts import LAYOUTS, LIVE_256, Layout
from voicelip.lips.wav2lip.syncnet import SyncNet
from voicelip.state_dict import State


@pytest.fixture(scope="module")
def weights() -> State:
    return by_the_rule(QualityDiscriminator()).state_dict()


@pytest.fixture(scope="module")
def expert() -> SyncNet:
    return by_the_rule(SyncNet())


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def refused(path: Path, kind: type = QualityDiscriminator) -> str:
    with pytest.raises(ModelFileError) as caught:
        load_network(path, kind)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "optimizer": None, "global_step": 7, "global_epoch": 1},
        lambda state: {"state_dict": {f"module.{key}": value for key, value in state.items()}},
        lambda state: {key: value.half() for key, value in state.items()},
    ],
    ids=["plain", "as published", "with module.", "half precision"],
)
def test_every_usual_wrapping_loads(wrap: Callable[[State], object], weights: State, tmp_path: Path) -> None:
    network = load_network(saved(tmp_path / "d.pth", wrap(weights)), QualityDiscriminator)
    assert not network.training
    for key, value in network.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.allclose(value, weights[key], atol=2e-3)


def test_the_old_file_format_loads(weights: State, tmp_path: Path) -> None:
    torch.save({"state_dict": weights}, tmp_path / "d.pth", _use_new_zipfile_serialization=False)
    network = load_network(tmp_path / "d.pth", QualityDiscriminator)
    assert torch.equal(network.state_dict()["binary_pred.0.weight"], weights["binary_pred.0.weight"])


def test_safetensors_loads_and_a_damaged_one_is_refused(weights: State, tmp_path: Path) -> None:
    torch_files = pytest.importorskip("safetensors.torch")
    path = tmp_path / "d.safetensors"
    torch_files.save_file({f"module.{key}": value for key, value in weights.items()}, path)
    network = load_network(path, QualityDiscriminator)
    assert torch.equal(network.state_dict()["binary_pred.0.weight"], weights["binary_pred.0.weight"])
    path.write_bytes(path.read_bytes()[:-100])
    assert "damaged" in refused(path)


def test_a_checkpoint_without_batch_counters_loads(expert: SyncNet, tmp_path: Path) -> None:
    state = {key: value for key, value in expert.state_dict().items() if "num_batches" not in key}
    mel, mouths = torch.randn(1, 1, 80, 16), torch.rand(1, 15, 48, 96)
    with torch.inference_mode():
        loaded = load_network(saved(tmp_path / "s.pth", state), SyncNet)(mel, mouths)
        assert torch.equal(torch.stack(loaded), torch.stack(expert(mel, mouths)))


class _Hostile:
    """Unpickling it makes a folder."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.made),)


@pytest.mark.parametrize("form", ["zip", "old"])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(form: str, tmp_path: Path) -> None:
    path, content = tmp_path / "evil.pth", {"state_dict": _Hostile(tmp_path / "made")}
    torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    assert "would run code (posix.mkdir)" in refused(path).replace("nt.mkdir", "posix.mkdir")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_bare_pickle_does_not_run_either(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(_Hostile(tmp_path / "made"), protocol))
    assert "unsafe" in refused(path) or "would run code" in refused(path)
    assert not (tmp_path / "made").exists()


def test_damaged_and_foreign_files_are_refused(weights: State, tmp_path: Path) -> None:
    whole = saved(tmp_path / "d.pth", weights).read_bytes()
    contents = {
        "cut": whole[: len(whole) // 2],
        "start": whole[:100],
        "empty": b"",
        "text": b"<html>404</html>",
    }
    for name, content in contents.items():
        path = tmp_path / f"{name}.pth"
        path.write_bytes(content)
        assert "fetch the file again" in refused(path)
    with zipfile.ZipFile(tmp_path / "other.pth", "w") as archive:
        archive.writestr("readme.txt", "not a checkpoint")
    assert "fetch the file again" in refused(tmp_path / "other.pth")


def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "script.pth"))
    assert "TorchScript" in refused(tmp_path / "script.pth")


def test_another_of_the_networks_is_named(weights: State, tmp_path: Path) -> None:
    said = refused(saved(tmp_path / "d.pth", weights), Generator)
    assert "not the weights of Wav2Lip's generator: it is Wav2Lip's quality discriminator" in said


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.px} px")
def test_a_generators_layout_is_told_by_its_keys(layout: Layout) -> None:
    with torch.device("meta"):
        state = Generator(layout).state_dict()
    found = recognise(state)
    assert isinstance(found, Generator)
    assert found.layout == layout
    assert recognise({**state, "sam.sa.conv1.weight": torch.zeros(1, 2, 7, 7)}) is None


def test_a_generator_of_no_known_layout_is_compared_with_the_nearest(tmp_path: Path) -> None:
    with torch.device("meta"):
        state = Generator(LIVE_256).state_dict()
    small = {key: torch.zeros(1) for key in state}  # all keys of one layout, no shape right
    said = refused(saved(tmp_path / "g.pth", {**small, "sam.sa.conv1.weight": torch.zeros(1)}), Generator)
    assert "nearest is the 256 px one, but 1 unknown (sam.sa.conv1.weight)" in said


def test_differing_keys_are_named(weights: State, tmp_path: Path) -> None:
    state = dict(weights)
    state["binary_pred.9.bias"] = state.pop("binary_pred.0.bias")
    state["binary_pred.0.weight"] = torch.zeros(2, 512, 1, 1)
    said = refused(saved(tmp_path / "d.pth", state))
    assert "1 missing (binary_pred.0.bias)" in said
    assert "1 unknown (binary_pred.9.bias)" in said
    assert "1 of another shape (binary_pred.0.weight 2x512x1x1 instead of 1x512x1x1)" in said


@pytest.mark.parametrize("content", [[1, 2], {}, {"state_dict": {}}, {"epoch": 3}, torch.zeros(3)])
def test_what_is_no_state_dict_is_refused(content: object, tmp_path: Path) -> None:
    assert "holds no state dict" in refused(saved(tmp_path / "d.pth", content))


def test_weights_that_are_not_numbers_are_refused(weights: State, expert: SyncNet, tmp_path: Path) -> None:
    for bad in (float("nan"), float("inf")):
        state = {**weights, "binary_pred.0.bias": torch.tensor([bad])}
        assert "binary_pred.0.bias holds values that are not finite" in refused(
            saved(tmp_path / "d.pth", state)
        )
    state = {**weights, "binary_pred.0.bias": torch.tensor([1])}
    assert "int64, not floating point" in refused(saved(tmp_path / "d.pth", state))
    key = "audio_encoder.0.conv_block.1.running_var"
    state = {**expert.state_dict(), key: torch.full((32,), -1.0)}
    assert f"{key} holds a variance below zero" in refused(saved(tmp_path / "s.pth", state), SyncNet)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="no such model file"):
        create(f"wav2lip:{tmp_path / 'none.pth'}")


@torch.inference_mode()
def test_folding_the_norms_changes_nothing() -> None:
    network = by_the_rule(Generator())
    mel, face = torch.randn(2, 1, 80, 16), torch.rand(2, 6, 96, 96)
    before = network(mel, face)
    assert torch.allclose(fold(network)(mel, face), before, atol=1e-4)
