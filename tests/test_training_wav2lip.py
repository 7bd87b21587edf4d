"""The published networks are trained as published: losses, schedule, checkpoints that others load."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from training_samples import make_prepared

from voicelip.face import stabilise
from voicelip.face.track import FaceTrack
from voicelip.lips.mel import published_starts
from voicelip.lips.wav2lip.checkpoint import load_network
from voicelip.lips.wav2lip.discriminator import QualityDiscriminator
from voicelip.lips.wav2lip.generator import Wav2LipGenerator
from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.options import Wav2LipOptions
from voicelip.lips.wav2lip.places import followed_places
from voicelip.lips.wav2lip.syncnet import SyncNet
from voicelip.media import Clip
from voicelip.pipeline import PRESENTER_FACE
from voicelip.training import wav2lip, wav2lip_sync
from voicelip.training.clips import PreparedClips
from voicelip.training.config import load_config
from voicelip.training.wav2lip_faces import FaceRun, draw_run, face_crops

CONFIGS = Path(__file__).parent.parent / "recipes" / "configs"
TINY = {"batch": 1, "exam_batches": 1, "precision": "bfloat16", "device": "cpu", "log_every": 1}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedClips:
    return make_prepared(tmp_path_factory.mktemp("faces"), speakers=1, clips=1)


@pytest.fixture(scope="module")
def expert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An expert that has learnt nothing, in the published layout."""
    path = tmp_path_factory.mktemp("expert") / "lipsync_expert.pth"
    torch.manual_seed(0)
    torch.save({"state_dict": SyncNet().state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def trained(prepared: PreparedClips, expert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps with the discriminator, whose expert counts after the first evaluation."""
    out = tmp_path_factory.mktemp("run")
    config = wav2lip.Wav2LipConfig(
        steps=3, adversarial=0.07, sync_below=1e9, evaluate_every=2, learning_rate=1e-3, **TINY
    )
    wav2lip.train(config, prepared, prepared, expert, out)
    return out


def test_frames_hear_what_they_hear_at_inference(prepared: PreparedClips) -> None:
    run = draw_run(prepared, 0, np.random.default_rng(3))
    mel = prepared.clip_mel(prepared.clips[0])
    starts = published_starts(mel.shape[1], 25, 16)
    first = _first_frame(prepared, run)
    for frame in range(5):
        start = starts[first + frame]
        assert np.array_equal(run.windows[frame, 0], mel[:, start : start + 16])
    assert np.array_equal(run.sound, run.windows[0])


def _first_frame(prepared: PreparedClips, run: FaceRun) -> int:
    rgb = np.rint(run.faces[::-1, 0].transpose(1, 2, 0) * 255)
    return int(np.abs(prepared.crops[:].astype(np.float32) - rgb).sum(axis=(1, 2, 3)).argmin())


def test_the_reference_is_never_the_run_itself(prepared: PreparedClips) -> None:
    for seed in range(20):
        run = draw_run(prepared, 0, np.random.default_rng(seed))
        assert run.faces.shape == run.reference.shape == (3, 5, 96, 96)
        assert not np.array_equal(run.faces, run.reference)


def test_the_lower_half_is_hidden_from_the_generator(prepared: PreparedClips) -> None:
    run = draw_run(prepared, 0, np.random.default_rng(0))
    batch = wav2lip.FaceBatch(*(torch.from_numpy(np.ascontiguousarray(part))[None] for part in
                                (run.faces, run.reference, run.windows, run.sound)))  # fmt: skip
    seen = batch.seen()
    assert seen.shape == (1, 6, 5, 96, 96)
    assert seen[:, :3, :, 48:].abs().max() == 0
    assert torch.equal(seen[:, :3, :, :48], batch.faces[..., :48, :])


def test_faces_are_cut_where_inference_cuts_them() -> None:
    rng = np.random.default_rng(0)
    head = rng.uniform([60, 40], [160, 180], (478, 2))
    points = np.stack([head + np.array([2 * frame, 0]) for frame in range(12)]).astype(np.float32)
    track = FaceTrack(points, np.zeros(12, np.int8), np.zeros(12, np.float32), np.zeros(12, np.int32))
    info = replace(Clip(PRESENTER_FACE).info, width=320, height=240)
    faces = face_crops(track, info)
    places = followed_places(stabilise(track), 240, 320, Wav2LipOptions())
    frame = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    for index in (0, 5, 11):
        left, top, right, bottom = places.box(index)
        assert np.array_equal(faces.cut(frame, index), cv2.resize(frame[top:bottom, left:right], (96, 96)))
    size = np.array([right - left, bottom - top])
    assert np.allclose(faces.points[11], (points[11] - [left, top]) * 96 / size, atol=1e-3)


@pytest.mark.slow
def test_checkpoints_have_the_published_layout(trained: Path) -> None:
    state = torch.load(trained / "wav2lip.pth", weights_only=True)
    assert set(state) == {"state_dict", "optimizer", "global_step", "global_epoch"}
    assert (state["global_step"], state["global_epoch"]) == (3, 3)
    load_network(trained / "wav2lip.pth", Generator)
    load_network(trained / "wav2lip_disc.pth", QualityDiscriminator)


@pytest.mark.slow
def test_the_generator_draws_with_what_was_trained(trained: Path) -> None:
    drawn = Wav2LipGenerator.load(trained / "wav2lip.pth").draw(
        np.zeros((1, 80, 16), np.float32), np.full((1, 96, 96, 3), 120, np.uint8)
    )
    assert drawn.shape == (1, 96, 96, 3)
    assert 0 <= drawn.min() <= drawn.max() <= 1


@pytest.mark.slow
def test_the_expert_counts_once_its_loss_is_low(trained: Path) -> None:
    stage = torch.load(trained / "wav2lip.pt", weights_only=True)["stage"]
    assert stage["sync_weight"] == 0.03


@pytest.mark.slow
def test_a_published_checkpoint_is_gone_on_from(
    prepared: PreparedClips, expert: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = wav2lip.Wav2LipConfig(steps=1, **TINY)
    wav2lip.train(config, prepared, prepared, expert, tmp_path, trained / "wav2lip.pth")
    state = torch.load(tmp_path / "wav2lip.pth", weights_only=True)
    assert state["global_step"] == 4
    assert not (tmp_path / "wav2lip_disc.pth").exists()
    assert "its weight is 0" in capsys.readouterr().out


def test_the_generators_loss_falls_on_one_batch(prepared: PreparedClips, expert: Path) -> None:
    torch.manual_seed(0)
    config = wav2lip.Wav2LipConfig(learning_rate=2e-3, **TINY)
    stage = wav2lip.Wav2LipStage(config, prepared, prepared, load_network(expert, SyncNet))
    assert _fall(stage, "generator", steps=3) < 0.8


@pytest.mark.slow
def test_the_sync_experts_loss_falls_on_one_batch(prepared: PreparedClips) -> None:
    torch.manual_seed(0)
    config = wav2lip_sync.Wav2LipSyncConfig(learning_rate=1e-3, **{**TINY, "batch": 4})
    assert _fall(wav2lip_sync.Wav2LipSyncStage(config, prepared, prepared), "syncnet", steps=12) < 0.8


def _fall(stage: wav2lip.Wav2LipStage | wav2lip_sync.Wav2LipSyncStage, name: str, steps: int) -> float:
    """The last loss over the first, on one batch."""
    player, batch = stage.players[name], stage.draw(np.random.default_rng(1))
    losses = []
    for _ in range(steps + 1):
        player.network.train()
        value, _ = stage.loss(name, batch, {name: _low_precision(player.network)})
        losses.append(value.item())
        player.optimiser.zero_grad()
        value.backward()
        player.optimiser.step()
    return losses[-1] / losses[0]


def _low_precision(network: torch.nn.Module) -> Callable[..., Any]:
    def call(*inputs: torch.Tensor) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            outputs = network(*inputs)
        return outputs.float() if isinstance(outputs, torch.Tensor) else [part.float() for part in outputs]

    return call


@pytest.mark.slow
def test_the_expert_of_a_run_is_one_for_the_generator(prepared: PreparedClips, tmp_path: Path) -> None:
    config = wav2lip_sync.Wav2LipSyncConfig(steps=1, **{**TINY, "batch": 2})
    wav2lip_sync.train(config, prepared, prepared, tmp_path)
    load_network(tmp_path / "lipsync_expert.pth", SyncNet)


def test_the_configs_hold_the_published_settings() -> None:
    assert load_config(wav2lip.Wav2LipConfig, CONFIGS / "wav2lip.yaml") == wav2lip.Wav2LipConfig()
    gan = load_config(wav2lip.Wav2LipConfig, CONFIGS / "wav2lip_gan.yaml")
    assert gan == wav2lip.Wav2LipConfig(adversarial=0.07)
    sync = load_config(wav2lip_sync.Wav2LipSyncConfig, CONFIGS / "wav2lip_sync.yaml")
    assert sync == wav2lip_sync.Wav2LipSyncConfig()
