"""`--lips wav2lip:PATH`: what it sees, hears and changes. The weights are made up, so it draws noise."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from wav2lip_weights import by_the_rule

import voicelip
from voicelip.errors import ModelFileError, OptionError, TermsError, UnknownNameError
from voicelip.face import MouthCrops
from voicelip.lips.generator import Job, Shot
from voicelip.lips.generators import create
from voicelip.lips.mel import mel_spectrogram
from voicelip.lips.wav2lip.boxes import face_boxes, stretches
from voicelip.lips.wav2lip.generator import Wav2LipGenerator, mel_windows
from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.layouts import LIVE_256, PRELU_288, Layout
from voicelip.lips.wav2lip.options import Wav2LipOptions
from voicelip.lips.wav2lip.paste import paste_hard, paste_mouth
from voicelip.media import Audio, Clip, RgbPicture, write_audio
from voicelip.pipeline import PRESENTER, PRESENTER_FACE, LipsyncOptions

PUBLISHED = Wav2LipOptions()
SIZE = (200, 240)  # height and width of the made frames


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "wav2lip.pth"
    torch.save({"state_dict": by_the_rule(Generator()).state_dict(), "global_step": 1}, path)
    return path


def crops(frames: int, step_px: float = 0.0) -> MouthCrops:
    """A made face whose points reach from (70, 40) to (150, 160), moving right by `step_px` a frame."""
    points = np.random.default_rng(0).uniform([0, 0], [80, 120], (478, 2))
    points[0], points[1] = (0, 0), (80, 120)
    to_frame = np.stack([np.array([[1.0, 0, 70 + step_px * i], [0, 1.0, 40]]) for i in range(frames)])
    return MouthCrops(to_frame, np.repeat(points[None], frames, axis=0).astype(np.float32))


def job(seconds: float = 1.0, fps: Fraction = Fraction(25), strength: float = 1.0) -> Job:
    samples = np.random.default_rng(1).standard_normal(int(16_000 * seconds)).astype(np.float32) / 10
    picture = RgbPicture(np.full((*SIZE, 3), 99, np.uint8))
    return Job(
        samples, int(seconds * fps), fps, crops(30), lambda indices: [picture for _ in indices], strength
    )


def test_the_box_is_the_face_with_ten_px_below() -> None:
    assert face_boxes(crops(3), *SIZE, PUBLISHED.pads, True)[0].tolist() == [70, 40, 150, 170]


def test_boxes_are_averaged_forwards_over_five_frames() -> None:
    left = face_boxes(crops(10, step_px=2), *SIZE, PUBLISHED.pads, True)[:, 0]
    assert left[:6].tolist() == [74, 76, 78, 80, 82, 84]
    assert left[6:].tolist() == [
        84,
        85,
        85,
        85,
    ]  # the last ones meet boxes already smoothed


def test_pads_go_to_their_sides_and_without_smoothing_boxes_are_the_frames_own() -> None:
    boxes = face_boxes(crops(10, step_px=2), *SIZE, (1, 2, 3, 4), False)
    assert boxes[0].tolist() == [70 - 3, 40 - 1, 150 + 4, 160 + 2]
    assert boxes[:, 0].tolist() == [67 + 2 * i for i in range(10)]


def test_boxes_stay_inside_the_frame() -> None:
    boxes = face_boxes(crops(60, step_px=2), *SIZE, PUBLISHED.pads, True)
    assert boxes[:, 2].max() == SIZE[1]


def test_frames_without_a_face_and_cuts_part_the_clip() -> None:
    seen = crops(20)
    seen.to_frame[5:7] = np.nan
    seen.to_frame[12:, 0, 2] += 80
    boxes = face_boxes(seen, *SIZE, PUBLISHED.pads, True)
    assert [(run.start, run.stop) for run in stretches(boxes)] == [(0, 5), (7, 12), (12, 20)]
    assert not boxes[5:7].any()
    assert boxes[11, 0] == 70  # not drawn towards the next shot


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30_000, 1001)])
def test_frame_i_hears_the_published_window(fps: Fraction) -> None:
    given = job(fps=fps)
    windows, mel = mel_windows(given), mel_spectrogram(given.samples)
    start = int(7 * 80 / float(fps))
    assert np.array_equal(windows[7], mel[:, start : start + 16])
    assert np.array_equal(windows[-1], mel[:, -16:])


def test_very_short_sound_still_has_a_window() -> None:
    assert mel_windows(job(seconds=0.04)).shape[1:] == (80, 16)


@torch.inference_mode()
def test_the_network_sees_bgr_with_the_lower_half_hidden(checkpoint: Path) -> None:
    rng = np.random.default_rng(2)
    faces = rng.integers(0, 256, (2, 96, 96, 3), np.uint8)
    windows = rng.uniform(-4, 4, (2, 80, 16)).astype(np.float32)
    bgr = faces[..., ::-1].astype(np.float32) / 255
    masked = bgr.copy()
    masked[:, 48:] = 0
    seen = torch.from_numpy(np.concatenate([masked, bgr], axis=3).transpose(0, 3, 1, 2))
    expected = by_the_rule(Generator())(torch.from_numpy(windows)[:, None], seen)
    drawn = Wav2LipGenerator.load(checkpoint).draw(windows, faces)
    assert np.abs(drawn - expected.numpy().transpose(0, 2, 3, 1)[..., ::-1]).max() <= 1e-3


def test_the_lower_half_alone_is_the_same(checkpoint: Path) -> None:
    rng = np.random.default_rng(2)
    faces = rng.integers(0, 256, (2, 96, 96, 3), np.uint8)
    windows = rng.uniform(-4, 4, (2, 80, 16)).astype(np.float32)
    generator = Wav2LipGenerator.load(checkpoint)
    whole, lower = (generator.draw(windows, faces, whole) for whole in (True, False))
    assert np.abs(whole[:, 48:] - lower[:, 48:]).max() <= 1e-4
    assert np.abs(lower[:, :48] - faces[:, :48] / 255).max() <= 1e-6


def test_the_hard_paste_replaces_the_box_and_nothing_else() -> None:
    frame = RgbPicture(np.full((*SIZE, 3), 7, np.uint8))
    box = (70, 40, 150, 170)
    patch = paste_hard(frame.rgb(box), box, np.full((96, 96, 3), 0.999, np.float32))
    result = frame.with_patch(patch).rgb()
    assert (result[40:170, 70:150] == 254).all()
    assert (result == 7).sum() == result.size - 80 * 130 * 3


def test_the_mouth_paste_meets_its_surroundings_and_leaves_the_rest() -> None:
    frame = np.random.default_rng(3).integers(90, 110, (*SIZE, 3), np.uint8)
    mask = np.zeros((96, 96), np.float32)
    mask[30:70, 20:60] = 1
    mask = np.clip(np.cumsum(mask, axis=0) / 40, 0, 1) * mask
    to_frame = np.array([[1.0, 0, 70], [0, 1.0, 60]])
    drawn = np.full((96, 96, 3), 110 / 255, np.float32)
    patch = paste_mouth(frame[40:170, 70:150], (70, 40, 150, 170), drawn, to_frame, mask)
    result = RgbPicture(frame).with_patch(patch).rgb()
    assert (result[:40] == frame[:40]).all()
    assert (result[:, :70] == frame[:, :70]).all()
    assert (result[90:130, 90:130] != frame[90:130, 90:130]).any()
    assert abs(float(result[110:125, 95:125].mean()) - 100) < 6  # brought to the surroundings' light


def test_a_face_outside_the_frame_is_left_alone(checkpoint: Path) -> None:
    away = crops(30)
    away.to_frame[:, 0, 2] += 500
    given = job()
    session = create(f"wav2lip:{checkpoint}").session(
        Job(given.samples, 5, given.fps, away, given.read_frames)
    )
    shot = Shot(0, 0, next(iter(given.read_frames([0]))))
    assert not session.render([shot])[0].changed.any()


def test_strength_is_refused(checkpoint: Path) -> None:
    with pytest.raises(OptionError, match="strength"):
        create(f"wav2lip:{checkpoint}").session(job(strength=0.5))


def test_an_unknown_name_tells_of_wav2lip() -> None:
    with pytest.raises(UnknownNameError, match="wav2lip:CHECKPOINT"):
        create("wav3lip:x.pth")


def test_by_its_mere_name_the_published_file_is_meant_and_its_terms_come_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path))
    with pytest.raises(TermsError, match="commercially"):
        create("wav2lip-gan")


def test_options_are_refused_where_they_mean_nothing(checkpoint: Path) -> None:
    with pytest.raises(OptionError, match="embedded lips take no Wav2LipOptions"):
        create("embedded", Wav2LipOptions(smooth=False))
    with pytest.raises(OptionError, match="takes Wav2LipOptions"):
        create(f"wav2lip:{checkpoint}", {"pads": 3})
    with pytest.raises(OptionError, match="top, bottom, left and right"):
        Wav2LipOptions(box=(90, 10, 0, 50))
    with pytest.raises(OptionError, match="not inside the clip's 240x200"):
        create(f"wav2lip:{checkpoint}", Wav2LipOptions(box=(0, 300, 0, 50))).session(job())


def test_a_given_box_is_used_in_every_frame_and_no_face_is_needed(checkpoint: Path) -> None:
    given = job()
    unseen = replace(given.crops, points=np.full_like(given.crops.points, np.nan))
    shots = [Shot(i, i, next(iter(given.read_frames([0])))) for i in range(2)]
    for paste, pixels in (("hard", 60 * 80), ("mouth", None)):
        options = Wav2LipOptions(box=(100, 160, 20, 100), paste=paste)
        generator = create(f"wav2lip:{checkpoint}", options)
        assert not generator.needs_faces
        for patch in generator.session(replace(given, crops=unseen)).render(shots):
            assert patch.box == (20, 100, 100, 160)
            rows = np.flatnonzero(patch.changed.any(axis=1))
            assert patch.changed.sum() == pixels or rows.min() >= 30  # the mouth lies in the lower half


def test_a_batch_too_large_for_the_memory_is_drawn_in_halves(checkpoint: Path) -> None:
    generator = Wav2LipGenerator.load(checkpoint)
    rng = np.random.default_rng(5)
    faces, windows = rng.integers(0, 256, (3, 96, 96, 3), np.uint8), np.zeros((3, 80, 16), np.float32)
    expected = generator.draw(windows, faces)
    sizes, forward = [], generator.network.forward

    def limited(mel: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
        sizes.append(len(face))
        if len(face) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(mel, face)

    generator.network.forward = limited  # type: ignore[method-assign]
    assert np.allclose(generator.draw(windows, faces), expected, atol=1e-5)
    assert sizes == [3, 1, 2, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("layout", [LIVE_256, PRELU_288], ids=["256 px", "288 px"])
def test_larger_variants_load_by_their_keys_and_draw_the_same_lower_half(
    layout: Layout, tmp_path: Path
) -> None:
    network = by_the_rule(Generator(layout))
    torch.save({"state_dict": network.state_dict()}, tmp_path / "large.pth")
    generator = Wav2LipGenerator.load(tmp_path / "large.pth")
    assert generator.face_px == layout.px
    rng = np.random.default_rng(6)
    faces = rng.integers(0, 256, (1, layout.px, layout.px, 3), np.uint8)
    windows = rng.uniform(-4, 4, (1, 80, 16)).astype(np.float32)
    whole, lower = (generator.draw(windows, faces, whole) for whole in (True, False))
    half = layout.px // 2
    assert np.ptp(whole[:, half:]) > 0.1
    assert np.abs(whole[:, half:] - lower[:, half:]).max() <= 1e-4


def test_a_clip_of_which_only_a_box_and_the_first_frame_are_used(checkpoint: Path, tmp_path: Path) -> None:
    sound = np.random.default_rng(4).standard_normal(3200).astype(np.float32) / 20
    write_audio(tmp_path / "speech.wav", Audio(sound, 16_000))
    options = LipsyncOptions(
        lips=f"wav2lip:{checkpoint}",
        lips_options=Wav2LipOptions(box=(400, 500, 500, 600), paste="hard"),
        static=True,
        crf=1,
    )
    result = voicelip.lipsync(
        face=PRESENTER, audio=tmp_path / "speech.wav", out=tmp_path / "out.mp4", options=options
    )
    assert not result.passed_through
    first, *others = [frame.image.astype(int) for frame in Clip(result.path).frames()]
    assert len(others) == 4
    for other in others:
        assert np.abs(other - first)[:380].max() < 12  # nothing moves, but for the box


def test_a_clip_is_written_and_only_the_mouth_differs(checkpoint: Path, tmp_path: Path) -> None:
    sound = np.random.default_rng(4).standard_normal(6400).astype(np.float32) / 20
    write_audio(tmp_path / "speech.wav", Audio(sound, 16_000))
    options = LipsyncOptions(lips=f"wav2lip:{checkpoint}", crf=1)
    result = voicelip.lipsync(
        face=PRESENTER, audio=tmp_path / "speech.wav", out=tmp_path / "out.mp4", options=options
    )
    assert result.frames == 10
    assert ["watermark" in each for each in result.warnings] == [True]  # of 0.4 s of noise; no other
    before = next(iter(Clip(PRESENTER_FACE).frames(5, 6))).image.astype(int)
    after = next(iter(Clip(result.path).frames(5, 6))).image.astype(int)
    changed = np.argwhere(np.abs(after - before).max(axis=2) > 24)
    height, width = before.shape[:2]
    assert len(changed) > 0.005 * height * width  # weights without training draw no mouth
    assert changed.min(axis=0)[0] > 0.3 * height
    assert np.ptp(changed, axis=0).max() < 0.5 * height


def test_another_network_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    write_audio(tmp_path / "speech.wav", Audio(np.zeros(6400, np.float32), 16_000))
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    options = LipsyncOptions(lips=f"wav2lip:{tmp_path / 'other.pth'}")
    with pytest.raises(ModelFileError, match="missing"):
        voicelip.lipsync(
            face=PRESENTER, audio=tmp_path / "speech.wav", out=tmp_path / "o.mp4", options=options
        )
    assert not (tmp_path / "o.mp4").exists()
