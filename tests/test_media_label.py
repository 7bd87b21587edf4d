"""The visible mark: readable at any size, and nothing but its own pixels is changed."""

import numpy as np
import pytest
from cli_runs import runner, signals_kept

from voicelip.media import Audio, Clip, RgbPicture, write_audio
from voicelip.media.label import labelled
from voicelip.pipeline import PRESENTER, PRESENTER_FACE


@pytest.mark.parametrize("size", [(2160, 3840), (1080, 1920), (1920, 1080), (288, 360), (120, 160)])
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_letters_stand_out_from_their_ground(size, shade):
    image = labelled(RgbPicture(np.full((*size, 3), shade, np.uint8))).rgb()
    corner = image[: min(size) // 6, : min(size) // 4]
    assert corner.max() > 230
    ground = np.median(corner[np.any(corner != shade, axis=-1)]) if shade else 0
    assert corner.max() - float(ground) > 120


@pytest.mark.parametrize("size", [(1080, 1920), (289, 361)])
def test_only_a_corner_is_changed(size):
    before = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    after = labelled(RgbPicture(before)).rgb()
    rows, columns = np.nonzero(np.any(after != before, axis=-1))
    side = min(size)
    assert rows.min() > 0
    assert rows.max() < 0.15 * side
    assert columns.max() < 0.25 * side


def test_pictures_as_they_were_decoded_keep_all_other_pixels():
    picture = next(iter(Clip(PRESENTER_FACE).frames(0, 1))).picture
    before, after = picture.rgb(), labelled(picture).rgb()
    side = min(before.shape[:2])
    assert np.array_equal(before[side // 4 :], after[side // 4 :])
    assert np.array_equal(before[:, side // 3 :], after[:, side // 3 :])
    assert not np.array_equal(before, after)


def test_a_picture_too_small_for_it_stays_as_it_is():
    image = np.full((10, 12, 3), 99, np.uint8)
    assert np.array_equal(labelled(RgbPicture(image)).rgb(), image)


def test_it_is_drawn_when_asked_for(capfd, monkeypatch, tmp_path):
    sound = tmp_path / "sound.wav"
    write_audio(sound, Audio(np.random.default_rng(1).normal(0, 0.1, 4800).astype(np.float32), 16_000))
    with signals_kept():
        run = runner(capfd, monkeypatch)
        common = ("lipsync", "--face", PRESENTER, "--audio", sound, "-o")
        assert run(*common, tmp_path / "plain.mp4").code == 0
        assert run(*common, tmp_path / "marked.mp4", "--label").code == 0
    plain, marked = (
        next(iter(Clip(tmp_path / f"{name}.mp4").frames())).image for name in ("plain", "marked")
    )
    side = min(plain.shape[:2])
    difference = np.abs(plain.astype(int) - marked)
    assert difference[: side // 6, : side // 4].max() > 60
    assert difference[side // 3 :].max() < 40  # what the encoder makes of it
