"""Signs of synthesis in a picture: what is measured of a face, and what `verify` makes of it."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_runs import runner, signals_kept

from voicelip.examine import gather
from voicelip.media import Clip, VideoWriter, read_audio
from voicelip.pipeline import PRESENTER_FACE, PRESENTER_VOICE
from voicelip.trust import detect, detect_movement, detect_texture
from voicelip.trust.detect_container import history
from voicelip.trust.detect_learned import planes, regenerated
from voicelip.trust.evidence import CROP_PX, FaceEvidence
from voicelip.trust.verify import Verdict

GRID = Path(__file__).parents[2] / "shared" / "data" / "grid"


def written(path: Path, images, audio=None, fps: int = 25) -> Path:
    images = list(images)
    height, width = images[0].shape[:2]
    with VideoWriter(path, width, height, fps, audio.sample_rate if audio else None) as writer:
        if audio:
            writer.write_audio(audio.samples)
        for image in images:
            writer.write_frame(image)
    return path


@pytest.fixture(scope="module")
def noisy(tmp_path_factory) -> Path:
    """Three seconds of the presenter, with noise as of a camera."""
    rng = np.random.default_rng(0)
    frames = (frame.image for frame in Clip(PRESENTER_FACE).frames(0, 75))
    grainy = (np.clip(each + rng.normal(0, 6, each.shape), 0, 255).astype(np.uint8) for each in frames)
    return written(tmp_path_factory.mktemp("noisy") / "noisy.mp4", grainy, read_audio(PRESENTER_VOICE))


@pytest.fixture(scope="module")
def face(noisy) -> FaceEvidence:
    found = gather(noisy)
    assert found is not None
    return found


def smoothed_mouth(face: FaceEvidence) -> FaceEvidence:
    """As if the mouth had been drawn small and enlarged."""
    crops = face.crops.copy()
    for pair, points in zip(crops, face.crop_points, strict=True):
        mouth = detect_texture.areas(points)[0]
        for image in pair:
            image[mouth] = cv2.GaussianBlur(image, (0, 0), 1.5)[mouth]
    return replace(face, crops=crops)


class TestEvidence:
    def test_the_mouth_is_amid_each_crop(self, face):
        assert face.crops.shape == (16, 2, CROP_PX, CROP_PX, 3)
        middle = face.crop_points[:, [13, 14]].mean(axis=(0, 1))
        assert np.abs(middle - CROP_PX / 2).max() < 14

    def test_eyes_are_as_far_apart_at_any_size_of_picture(self, noisy, tmp_path, face):
        images = (cv2.resize(frame.image, None, fx=0.6, fy=0.6) for frame in Clip(noisy).frames(0, 40))
        small = gather(written(tmp_path / "small.mp4", images))
        for each in (face, small):
            eyes = np.linalg.norm(each.crop_points[:, 33] - each.crop_points[:, 263], axis=1)
            assert eyes.mean() == pytest.approx(70.5, rel=0.06)

    def test_there_is_none_without_a_face(self, tmp_path):
        images = np.random.default_rng(0).integers(0, 256, (30, 96, 128, 3), np.uint8)
        assert gather(written(tmp_path / "noise.mp4", images)) is None


class TestTexture:
    def test_a_smoothed_mouth_is_softer_and_less_noisy_than_its_face(self, face):
        smooth = smoothed_mouth(face)
        assert detect_texture.sharpness(smooth) < detect_texture.sharpness(face) - 0.3
        assert detect_texture.flicker(smooth) < detect_texture.flicker(face) - 0.3

    def test_a_tinted_mouth_differs_in_colour(self, face):
        crops = face.crops.copy()
        for pair, points in zip(crops, face.crop_points, strict=True):
            mouth = detect_texture.areas(points)[0]
            pair[:, mouth] = np.clip(pair[:, mouth] * np.array([1.0, 0.85, 0.9]), 0, 255).astype(np.uint8)
        assert detect_texture.colour(replace(face, crops=crops)) > detect_texture.colour(face) + 2


class TestMovement:
    def test_lips_that_are_late_are_told_so(self, face):
        in_step = replace(face, opening=0.01 * face.expected)
        assert detect_movement.synchrony(in_step).lag_s == 0
        late = replace(face, opening=0.01 * np.roll(face.expected, 5))
        assert detect_movement.synchrony(late).lag_s == pytest.approx(0.2)
        assert detect_movement.synchrony(late).r > 0.9

    def test_a_photograph_stands_still(self, noisy, tmp_path):
        image = next(iter(Clip(noisy).frames(0, 1))).image
        rng = np.random.default_rng(1)
        images = [np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8) for _ in range(60)]
        still = gather(written(tmp_path / "still.mp4", images))
        head = next(each for each in detect.judge(tmp_path / "still.mp4", still) if each.name == "head")
        assert head.is_sign

    def test_closed_eyes_are_counted_as_blinks(self, face):
        points = np.repeat(face.points[:1], 250, axis=0)
        for start in (40, 130, 210):
            for top, bottom in ((160, 144), (158, 153), (385, 380), (387, 373)):
                points[start : start + 4, top] = points[start : start + 4, bottom]
        closing = replace(face, points=points)
        assert detect_movement.blinks_per_minute(closing) == pytest.approx(18)


class TestHistory:
    def test_the_encoder_and_its_settings(self, noisy):
        past = history(noisy)
        assert any(each.startswith("x264") for each in past.encoders)
        assert past.rate_factor == 18
        assert past.is_edited

    def test_of_what_is_no_media_is_empty(self, tmp_path):
        (tmp_path / "no.mp4").write_bytes(bytes(99))
        assert history(tmp_path / "no.mp4").encoders == ()


class TestLearned:
    def test_what_the_network_sees(self, face):
        seen = planes(face.crops[0])
        assert seen.shape == (5, CROP_PX, CROP_PX)
        assert np.abs(seen[0]).max() <= 1.01
        assert not planes(np.repeat(face.crops[0][:1], 2, axis=0))[2].any()  # nothing changes

    @pytest.mark.skipif(not GRID.exists(), reason="the GRID corpus is not there")
    def test_recorded_and_pasted_mouths_of_people_it_never_saw(self, tmp_path):
        from recipes.prepare_detector import Quality, Studio, Take, write

        clip = GRID / "val" / "s5" / "lbax4n.mp4"
        other = next((GRID / "val" / "s22").iterdir())
        for kind, film in Studio().films(Take("s5-lbax4n-0", clip, other)):
            write(film, tmp_path / f"{kind}.mp4", Quality(18, 1))
        real = regenerated(gather(tmp_path / "real.mp4"))
        assert real < 0.5
        assert regenerated(gather(tmp_path / "paste.mp4")) > real + 0.1


class TestVerify:
    @pytest.fixture
    def run(self, capfd, monkeypatch):
        with signals_kept():
            yield runner(capfd, monkeypatch)

    def test_signals_are_told_where_nothing_is_declared(self, noisy, run):
        outcome = run("verify", noisy, "--json")
        (report,) = json.loads(outcome.out)
        names = {each["name"] for each in report["signals"]}
        assert {"file", "mouth, learned detector", "head", "lips and sound"} <= names
        signs = [each for each in report["signals"] if each["is_sign"]]
        assert outcome.code == (Verdict.SUSPICIOUS if signs else Verdict.NOTHING).value

    def test_signals_can_be_left_out(self, noisy, run):
        outcome = run("verify", noisy, "--no-detect", "--json")
        assert json.loads(outcome.out)[0]["signals"] == []
        assert outcome.code == Verdict.NOTHING.value

    def test_a_still_head_makes_a_file_suspicious(self, noisy, run, tmp_path):
        image = next(iter(Clip(noisy).frames(0, 1))).image
        outcome = run("verify", written(tmp_path / "still.mp4", [image] * 60))
        assert outcome.code == Verdict.SUSPICIOUS.value
        assert "stands still" in outcome.out
