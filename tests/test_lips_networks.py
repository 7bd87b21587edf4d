"""Motion codes, references, and the networks in PyTorch and as shipped."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from face_samples import mouth

from voicelip import hub
from voicelip.lips.embedded import EmbeddedGenerator
from voicelip.lips.hearing import at_rate, sounding
from voicelip.lips.mel import frame_windows, mel_spectrogram
from voicelip.lips.motion import MOTION_POINTS, WINDOW_COLUMNS, MotionBasis, closed_mouth, lip_gap
from voicelip.lips.motion_net import MotionNet
from voicelip.lips.references import pick_references
from voicelip.lips.renderer import Renderer, assemble, landmark_flow, warp
from voicelip.media import read_audio
from voicelip.pipeline import PRESENTER_VOICE


@pytest.fixture(scope="module")
def generator() -> EmbeddedGenerator:
    return EmbeddedGenerator.load()


def test_codes_say_what_landmarks_say() -> None:
    basis = MotionBasis.load(hub.pretrained("lips_basis.npz"))
    codes = np.random.default_rng(0).standard_normal((7, len(basis.components)))
    assert np.allclose(basis.encode(basis.decode(codes)), codes, atol=1e-5)


def test_the_closed_mouth_is_that_of_the_smallest_gaps() -> None:
    points = np.stack([mouth(gap) for gap in [8.0] * 18 + [0.5, 0.5]])[:, MOTION_POINTS]
    assert lip_gap(closed_mouth(points)) == pytest.approx(0.5)


def test_references_show_closed_and_open() -> None:
    gaps = np.abs(10 * np.sin(np.arange(100) / 9))
    (pick,) = pick_references(np.stack([mouth(gap) for gap in gaps]).astype(np.float32))
    assert gaps[pick.closed] < 3
    assert not pick.never_open
    shown = gaps[list(pick.opened)]
    assert len(shown) > 3
    assert shown.min() < 4
    assert shown.max() > 8


def test_a_mouth_that_stays_shut_has_no_open_reference() -> None:
    (pick,) = pick_references(np.stack([mouth(0.5)] * 30).astype(np.float32))
    assert pick.never_open


def test_a_gap_in_the_track_parts_the_references() -> None:
    points = np.stack([mouth(1.0)] * 30).astype(np.float32)
    points[10:15] = np.nan
    assert [(p.span.start, p.span.stop) for p in pick_references(points)] == [(0, 10), (15, 30)]


def test_a_mouth_is_drawn_from_no_other_camera_shot() -> None:
    points = np.stack([mouth(gap) for gap in [0.0, 8.0, 5.0] * 10]).astype(np.float32)
    first, second = pick_references(points, cuts=(12,))
    assert {first.closed, *first.opened} <= set(range(12))
    assert {second.closed, *second.opened} <= set(range(12, 30))


def test_landmark_flow_reads_where_the_reference_has_the_landmark() -> None:
    target = torch.tensor([[[47.5, 40.0]]])
    reference = target + torch.tensor([4.0, -6.0])
    flow = landmark_flow(target, reference)[0] * 96
    assert flow[:, 20, 24].numpy() == pytest.approx([4.0, -6.0], rel=0.1)
    assert flow[:, 0, 0].abs().max() < 0.01


def test_a_warp_without_flow_changes_nothing() -> None:
    image = torch.rand(1, 3, 96, 96)
    assert torch.allclose(warp(image, torch.zeros(1, 2, 48, 48)), image, atol=1e-5)


def test_the_shipped_renderer_answers_like_layers_should(generator: EmbeddedGenerator) -> None:
    from voicelip.lips.export import renderer_inputs

    torch.manual_seed(0)
    inputs = {name: tensor.numpy() for name, tensor in renderer_inputs(3).items()}
    flow, weights, paint = generator.renderer.run(None, inputs)
    assert flow.shape == (3, 2, 2, 48, 48)
    assert weights.shape == (3, 3, 96, 96)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-4)
    assert 0 <= paint.min() <= paint.max() <= 1


def test_the_shipped_networks_keep_to_their_budget() -> None:
    parameters = sum(p.numel() for network in (MotionNet(10), Renderer()) for p in network.parameters())
    assert parameters <= 3e6
    shipped = ["lips_motion.onnx", "lips_renderer.onnx", "lips_basis.npz", "lips_donor.npz"]
    assert sum(hub.pretrained(name).stat().st_size for name in shipped) <= 12e6


def test_exported_networks_agree_with_pytorch(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from voicelip.lips.export import RendererGraph, export_motion, export_renderer, renderer_inputs

    torch.manual_seed(0)
    motion, renderer = MotionNet(10).eval(), Renderer().eval()
    export_motion(motion, tmp_path / "motion.onnx")
    export_renderer(renderer, tmp_path / "renderer.onnx")
    windows = torch.randn(1, 37, 80, 28)
    theirs = onnxruntime.InferenceSession(tmp_path / "motion.onnx").run(None, {"windows": windows.numpy()})
    inputs = renderer_inputs(5)
    layers = onnxruntime.InferenceSession(tmp_path / "renderer.onnx").run(
        None, {name: tensor.numpy() for name, tensor in inputs.items()}
    )
    with torch.no_grad():
        ours = RendererGraph(renderer)(**inputs)
        assert np.allclose(theirs[0], motion(windows).numpy(), atol=1e-4)
    for theirs_layer, our_layer in zip(layers, ours, strict=True):
        assert np.allclose(theirs_layer, our_layer.numpy(), atol=1e-3)


def test_the_renderer_starts_from_the_landmarks_flow() -> None:
    references, shift = torch.rand(2, 2, 3, 96, 96), 0.05 * torch.randn(2, 2, 2, 48, 48)
    renderer = Renderer().eval()
    with torch.no_grad():
        flow, weights, paint = renderer(
            torch.rand(2, 3, 96, 96), torch.ones(2, 1, 96, 96), references, torch.rand(2, 9, 48, 48), shift
        )
        assert torch.allclose(flow, shift)
        assert assemble(references, flow, weights, paint).shape == (2, 3, 96, 96)


def test_silence_keeps_the_mouth_shut(generator: EmbeddedGenerator) -> None:
    codes = generator.motion_codes(np.zeros(48_000, np.float32))
    gap_px = np.abs(lip_gap(generator.basis.decode(codes)))
    assert gap_px.max() < 1.5  # 2 % of the distance between the eyes


def test_long_sound_is_heard_in_pieces_as_in_one(generator: EmbeddedGenerator) -> None:
    rng = np.random.default_rng(0)
    loudness = np.repeat(rng.uniform(0, 0.3, 700), 1600)
    sound = (loudness * rng.standard_normal(len(loudness))).astype(np.float32)  # 70 s, more than one piece
    windows = frame_windows(mel_spectrogram(sound), 1750, 25, WINDOW_COLUMNS)
    at_once = generator.motion.run(None, {"windows": windows[None]})[0][0]
    at_once *= sounding(mel_spectrogram(sound), 1750)[:, None]
    in_pieces = generator.motion_codes(sound)
    assert in_pieces.shape == at_once.shape
    assert np.abs(in_pieces - at_once).max() < 0.03 * np.abs(at_once).max()


def test_codes_keep_their_time_at_other_frame_rates() -> None:
    ramp = np.arange(100, dtype=np.float64)[:, None]
    fps = Fraction(30000, 1001)
    frames = int(4 * fps)
    middles = (np.arange(frames) + 0.5) / float(fps)
    assert np.allclose(at_rate(ramp, frames, fps)[5:-5, 0], (middles * 25 - 0.5)[5:-5])


def test_a_pause_with_the_room_s_noise_shuts_the_mouth(generator: EmbeddedGenerator) -> None:
    words = read_audio(PRESENTER_VOICE, 16_000).samples[:48_000]
    pause = np.zeros(24_000, np.float32)  # frames 75 to 112
    room = 1e-3 * np.random.default_rng(0).standard_normal(2 * len(words) + len(pause))
    sound = np.concatenate([words, pause, words]) + room.astype(np.float32)
    gap_px = lip_gap(generator.basis.decode(generator.motion_codes(sound)))
    assert gap_px[:75].mean() > 4
    assert np.abs(gap_px[83:107]).max() < 0.5


def test_soft_speech_after_loud_is_still_speech() -> None:
    time_s = np.arange(8 * 16_000) / 16_000
    syllables = np.maximum(np.sin(2 * np.pi * 4 * time_s), 0)
    buzz = np.sign(np.sin(2 * np.pi * 120 * time_s)) * syllables
    sound = np.where(time_s < 4, 0.3, 0.03) * buzz  # 20 dB softer from the middle on
    assert sounding(mel_spectrogram(sound.astype(np.float32)), 200)[:190].min() > 0.9
