"""Training, in the small: it learns, and a killed run goes on where it was."""

from pathlib import Path

import numpy as np
import pytest
import torch

from voicelip.lips.mel import mel_spectrogram
from voicelip.training import motion, renderer
from voicelip.training.clips import ClipEntry, PreparedClips, write_index

FRAMES = 40


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedClips:
    """Two made speakers whose drawn mouths open as loudly as their sound is."""
    folder = tmp_path_factory.mktemp("prepared")
    rng = np.random.default_rng(0)
    crops, points, mels, entries = [], [], [], []
    for number in range(4):
        loudness = np.clip(
            np.interp(np.arange(FRAMES), np.arange(0, FRAMES, 5), rng.uniform(-0.3, 1, 8)), 0, 1
        )
        sound = np.repeat(loudness, 640) * rng.uniform(-0.5, 0.5, FRAMES * 640)
        mel = mel_spectrogram(sound.astype(np.float32)).T
        faces = np.stack([_face(opening) for opening in loudness])
        entries.append(
            ClipEntry(
                f"p{number % 2}", f"c{number}", 25.0, number * FRAMES, FRAMES, sum(map(len, mels)), len(mel)
            )
        )
        crops.append(np.stack([_drawing(face, tone=90 + 60 * (number % 2)) for face in faces]))
        points.append(faces)
        mels.append(mel)
    np.save(folder / "crops.npy", np.concatenate(crops))
    np.save(folder / "points.npy", np.concatenate(points).astype(np.float32))
    np.save(folder / "mel.npy", np.concatenate(mels))
    write_index(folder, entries)
    return PreparedClips.open(folder)


def _face(opening: float) -> np.ndarray:
    from voicelip.face.points import INNER_LIP, JAW, NOSE_BASE, OUTER_LIP

    points = np.full((478, 2), 48.0)
    for ring, width, height in ((OUTER_LIP, 20, 7 + 5 * opening), (INNER_LIP, 15, 0.3 + 5 * opening)):
        turn = np.pi + 2 * np.pi * np.arange(20) / 20
        points[list(ring)] = np.stack([47.5 + width * np.cos(turn), 40 - height * np.sin(turn)], axis=1)
    along = np.linspace(np.pi, 0, len(JAW))
    points[list(JAW)] = np.stack([47.5 + 44 * np.cos(along), 38 + (44 + 4 * opening) * np.sin(along)], axis=1)
    points[list(NOSE_BASE)] = [[38, 24], [47.5, 26], [57, 24]]
    return points


def _drawing(points: np.ndarray, tone: int) -> np.ndarray:
    from voicelip.lips.motion import MOTION_POINTS
    from voicelip.lips.region import outlines

    lip, inside, _ = outlines(points[list(MOTION_POINTS)], 96).astype(np.float32) / 255
    image = np.full((96, 96, 3), tone, np.float32)
    image = image * (1 - lip[..., None]) + np.array([170, 70, 70]) * lip[..., None]
    return (image * (1 - inside[..., None]) + 20 * inside[..., None]).astype(np.uint8)


def test_the_motion_network_learns_that_loud_is_open(prepared: PreparedClips, tmp_path: Path) -> None:
    motion.train(motion.MotionConfig(codes=3, steps=150, batch=8, frames=32), prepared, prepared, tmp_path)
    state = torch.load(tmp_path / "motion.pt", weights_only=True)
    basis, amplitude = motion.fit_basis(prepared, 3)
    from voicelip.lips.motion_net import MotionNet

    network = MotionNet(3)
    network.load_state_dict(state["averaged"])
    scores = motion.gap_correlation(network, motion.examples(prepared, basis, amplitude), basis)
    assert min(scores.values()) > 0.7


def test_a_killed_run_goes_on_as_if_it_had_not_been(prepared: PreparedClips, tmp_path: Path) -> None:
    for name, stops in (("whole", [6]), ("killed", [3, 6])):
        (tmp_path / name).mkdir()
        for stop in stops:
            # the schedule belongs to the whole run: only the last step differs
            renderer.train(
                renderer.RendererConfig(steps=6, batch=2, bfloat16=False, stop=stop),
                prepared,
                prepared,
                tmp_path / name,
            )
    whole, killed = (
        torch.load(tmp_path / name / "renderer.pt", weights_only=True)["network"]
        for name in ("whole", "killed")
    )
    for key, value in whole.items():
        assert torch.allclose(value, killed[key], atol=1e-5), key


def test_the_renderer_learns(prepared: PreparedClips, tmp_path: Path) -> None:
    lessons = renderer.Lessons.of(prepared)
    before = renderer.mouth_psnr(renderer.Renderer(), lessons)
    renderer.train(renderer.RendererConfig(steps=80, batch=4, bfloat16=False), prepared, prepared, tmp_path)
    network = renderer.Renderer()
    network.load_state_dict(torch.load(tmp_path / "renderer.pt", weights_only=True)["averaged"])
    after = renderer.mouth_psnr(network, lessons)
    assert all(after[speaker][0] > before[speaker][0] + 1 for speaker in before)


def test_augmented_sound_stays_a_spectrogram(prepared: PreparedClips) -> None:
    rng = np.random.default_rng(0)
    mel = prepared.clip_mel(prepared.clips[0])
    for _ in range(20):
        changed = motion.augment_sound(mel, rng)
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
