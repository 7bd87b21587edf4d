"""The published networks, against their own outputs for weights made by a written rule."""

from pathlib import Path

import numpy as np
import pytest
import torch
from wav2lip_weights import by_the_rule

from voicelip.lips.wav2lip.discriminator import QualityDiscriminator
from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.syncnet import SyncNet, lower_halves

GOLDEN = Path(__file__).parents[2] / "shared" / "data" / "wav2lip_golden.npz"


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    if not GOLDEN.exists():
        pytest.skip("needs the published networks' outputs, wav2lip_golden.npz")
    return dict(np.load(GOLDEN))


def pixels(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32) / 255)


def far(found: torch.Tensor, expected: np.ndarray) -> float:
    return float(np.abs(found.numpy() - expected).max())


@torch.inference_mode()
def test_the_generator_is_the_published_one(golden: dict[str, np.ndarray]) -> None:
    mel = torch.from_numpy(golden["mel_window"].astype(np.float32))
    assert far(by_the_rule(Generator())(mel, pixels(golden["face"])), golden["generator"]) <= 1e-4


@torch.inference_mode()
def test_the_sync_expert_is_the_published_one(golden: dict[str, np.ndarray]) -> None:
    mel = torch.from_numpy(golden["mel_window"].astype(np.float32))
    sound, mouths = by_the_rule(SyncNet())(mel, pixels(golden["sync_face"]))
    assert far(sound, golden["sync_audio"]) <= 1e-4
    assert far(mouths, golden["sync_face_embedding"]) <= 1e-4


@torch.inference_mode()
def test_the_quality_discriminator_is_the_published_one(golden: dict[str, np.ndarray]) -> None:
    assert far(by_the_rule(QualityDiscriminator())(pixels(golden["disc_face"])), golden["disc"]) <= 1e-4


@torch.inference_mode()
def test_a_run_of_frames_is_drawn_as_its_frames_are() -> None:
    network = Generator().eval()
    mel, face = torch.randn(2, 3, 1, 80, 16), torch.rand(2, 6, 3, 96, 96)
    together = network(mel, face)
    assert together.shape == (2, 3, 3, 96, 96)
    assert torch.allclose(together[:, :, 1], network(mel[:, 1], face[:, :, 1]), atol=1e-5)


def test_the_sync_expert_sees_lower_halves_frame_by_frame() -> None:
    faces = torch.rand(2, 3, 5, 96, 96)
    mouths = lower_halves(faces)
    assert mouths.shape == (2, 15, 48, 96)
    assert torch.equal(mouths[:, 3:6], faces[:, :, 1, 48:])


def test_the_generator_has_the_published_size() -> None:
    assert sum(p.numel() for p in Generator().parameters()) == pytest.approx(36.30e6, abs=0.01e6)
