"""Training, in the small: each network learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from training_samples import make_prepared

from voicelip.lips.renderer import Renderer
from voicelip.training import motion, renderer
from voicelip.training.clips import PreparedClips
from voicelip.training.mouths import Lessons
from voicelip.training.sound import augment_sound


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedClips:
    return make_prepared(tmp_path_factory.mktemp("prepared"))


def test_the_motion_network_learns_that_loud_is_open(prepared: PreparedClips, tmp_path: Path) -> None:
    motion.train(motion.MotionConfig(codes=3, steps=80, batch=6, frames=32), prepared, prepared, tmp_path)
    state = torch.load(tmp_path / "motion.pt", weights_only=True)
    basis, amplitude = motion.fit_basis(prepared, 3)
    from voicelip.lips.motion_net import MotionNet

    network = MotionNet(3)
    network.load_state_dict(state["averaged"])
    scores = motion.gap_correlation(network, motion.examples(prepared, basis, amplitude), basis)
    assert min(scores.values()) > 0.7


def test_the_renderer_learns(prepared: PreparedClips, tmp_path: Path) -> None:
    lessons = Lessons.of(prepared)
    before = renderer.mouth_psnr(Renderer(), lessons)
    renderer.train(
        renderer.RendererConfig(steps=40, batch=4, precision="float32"), prepared, prepared, tmp_path
    )
    network = Renderer()
    network.load_state_dict(torch.load(tmp_path / "renderer.pt", weights_only=True)["averaged"])
    after = renderer.mouth_psnr(network, lessons)
    assert all(after[speaker][0] > before[speaker][0] + 1 for speaker in before)


def test_augmented_sound_stays_a_spectrogram(prepared: PreparedClips) -> None:
    rng = np.random.default_rng(0)
    mel = prepared.clip_mel(prepared.clips[0])
    for _ in range(20):
        changed = augment_sound(mel, rng)
        assert changed.shape == mel.shape
        assert -4 <= changed.min() <= changed.max() <= 4


def test_a_silenced_stretch_closes_the_mouth() -> None:
    rng = np.random.default_rng(1)
    loud = motion.MotionExample("p", np.full((80, 200), 2.0, np.float32), np.ones((60, 3), np.float32), 25.0)
    silenced = 0
    for _ in range(30):
        windows, codes = motion.sample(loud, 32, rng)
        quiet = (windows.max(axis=(1, 2)) < -2.0).nonzero()[0]
        silenced += len(quiet)
        if len(quiet) > 8:
            assert np.abs(codes[quiet[4:-4]]).max() == 0
    assert silenced > 20
