"""Clips: constant-rate frames with exact times, whatever the file."""

import math
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from media_samples import counting_video, make_video, number_in, numbered

from voicelip.media import Clip, probe

GRID = Path(__file__).parents[2] / "shared" / "data" / "grid" / "val"


def numbers(frames):
    return [number_in(frame.image) for frame in frames]


@pytest.mark.parametrize("fps", [25, 30, 24, 60, 15, Fraction(30000, 1001), Fraction(24000, 1001)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_constant_rate_is_kept_frame_by_frame(tmp_path, fps, suffix):
    path = counting_video(tmp_path / f"clip.{suffix}", 40, fps=fps)
    clip = Clip(path)
    frames = list(clip.frames())
    assert clip.info.fps == fps
    assert clip.info.frame_count == 40
    assert [frame.index for frame in frames] == list(range(40))
    assert numbers(frames) == list(range(40))
    assert frames[-1].time_s == pytest.approx(39 / fps, abs=1e-9)
    assert clip.problems == []


def test_frames_are_the_receivers_own(tmp_path):
    path = counting_video(tmp_path / "clip.mp4", 5)
    for frame in Clip(path, fps=Fraction(50)).frames():
        assert frame.image.flags.c_contiguous
        assert frame.image.max() >= 115
        frame.image[:] = 0


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "webm"])
def test_reading_may_start_anywhere(tmp_path, suffix):
    codec = {"avi": "mpeg4", "webm": "libvpx-vp9"}.get(suffix, "libx264")
    options = {"avi": {"qscale": "2"}, "webm": {"crf": "20", "deadline": "realtime", "cpu-used": "8"}}.get(
        suffix
    )
    path = counting_video(tmp_path / f"clip.{suffix}", 60, gop=10, codec=codec, options=options)
    clip = Clip(path)
    assert clip.info.frame_count == 60
    assert clip.info.fps == 25
    for start in (0, 1, 9, 10, 11, 37, 59):
        frames = list(clip.frames(start, start + 3))
        assert numbers(frames) == list(range(start, min(start + 3, 60)))
    assert list(clip.frames(60)) == []


@pytest.mark.parametrize("gop", [1, 7, 250])
def test_backwards_gives_the_same_pictures(tmp_path, gop):
    clip = Clip(counting_video(tmp_path / "clip.mp4", 100, gop=gop))
    frames = list(clip.frames_backwards(98, 3))
    assert [frame.index for frame in frames] == list(range(98, 2, -1))
    assert numbers(frames) == list(range(98, 2, -1))


def variable_times_ms(count, seed=1):
    """Like a phone in the dark: 30 fps whose gaps wander, with frames left out."""
    rng = np.random.default_rng(seed)
    gaps = np.where(rng.random(count) < 0.1, rng.integers(50, 140, count), rng.integers(31, 36, count))
    return [0, *np.cumsum(gaps)[:-1].tolist()]


def test_variable_rate_becomes_constant_without_drift(tmp_path):
    times = variable_times_ms(3000)
    clip = Clip(counting_video(tmp_path / "clip.mkv", len(times), times_ms=times, gop=60))
    assert clip.info.fps == 30
    assert clip.info.frame_count == pytest.approx(times[-1] / 1000 * 30, abs=2)
    shown = np.array(numbers(clip.frames()))
    due_ms = np.arange(len(shown)) * 1000 / 30
    errors = np.abs(np.asarray(times)[shown] - due_ms)
    nearest = np.abs(np.asarray(times)[None] - due_ms[:, None]).min(axis=1)
    assert np.abs(errors - nearest).max() <= 1  # the container's clock ticks in milliseconds
    # Neither early nor late on average, at the end as at the beginning.
    signed = np.asarray(times)[shown] - due_ms
    assert abs(signed[-300:].mean()) < 0.5 * 1000 / 30
    assert abs(signed[-300:].mean() - signed[:300].mean()) < 5


def test_seeking_in_a_variable_rate_agrees_with_reading_through(tmp_path):
    times = variable_times_ms(300, seed=2)
    clip = Clip(counting_video(tmp_path / "clip.mp4", len(times), times_ms=times, gop=30))
    whole = numbers(clip.frames())
    for start in (5, 77, 250):
        assert numbers(clip.frames(start, start + 20)) == whole[start : start + 20]
    assert numbers(clip.frames_backwards(200, 100)) == whole[100:201][::-1]


def test_another_rate_may_be_asked_for(tmp_path):
    path = counting_video(tmp_path / "clip.mp4", 50, fps=50)
    clip = Clip(path, fps=Fraction(25))
    assert clip.info.frame_count == 25
    assert numbers(clip.frames()) == list(range(0, 50, 2))


def test_a_late_start_is_time_zero(tmp_path):
    for suffix in ("ts", "mkv", "mp4"):
        path = counting_video(tmp_path / f"clip.{suffix}", 20, picture_starts_s=2.0)
        clip = Clip(path)
        frames = list(clip.frames())
        assert clip.info.frame_count == 20
        assert frames[0].time_s == 0
        assert numbers(frames) == list(range(20))
        assert numbers(clip.frames(15)) == list(range(15, 20))


@pytest.mark.skipif(
    not hasattr(av.VideoStream, "set_display_rotation"), reason="this PyAV cannot write a display matrix"
)
@pytest.mark.parametrize(("rotation", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))])
def test_rotation_is_honoured(tmp_path, rotation, corner):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:16, :16] = (250, 20, 20)  # top left in storage
    info_size = (64, 48) if rotation == 180 else (48, 64)
    clip = Clip(make_video(tmp_path / "clip.mp4", [image] * 3, rotation=rotation))
    assert (clip.info.width, clip.info.height) == info_size
    assert clip.info.rotation == rotation % 360
    frame = next(clip.frames())
    assert frame.image.shape == (info_size[1], info_size[0], 3)
    assert frame.image.flags.c_contiguous
    row, column = (5 if place == 0 else -5 for place in corner)
    assert frame.image[row, column, 0] > 200
    assert (frame.image[..., 0] > 128).sum() == pytest.approx(256, abs=40)


def test_anamorphic_pixels_become_square(tmp_path):
    path = make_video(tmp_path / "clip.mp4", [numbered(0)] * 3, sample_aspect=Fraction(16, 12))
    clip = Clip(path)
    assert (clip.info.width, clip.info.height) == (256, 48)
    assert next(clip.frames()).image.shape == (48, 256, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_a_still_goes_on_for_as_long_as_asked(tmp_path, suffix):
    path = tmp_path / f"face.{suffix}"
    picture = np.zeros((33, 57, 3), np.uint8)
    picture[:] = (180, 90, 40)
    cv2.imwrite(str(path), picture[..., ::-1])
    clip = Clip(path)
    info = clip.info
    assert info.is_still
    assert (info.width, info.height, info.fps, info.frame_count) == (57, 33, 25, 1)
    assert not info.has_audio
    assert len(list(clip.frames())) == 1
    frames = list(clip.frames(0, 60))
    assert [frame.time_s for frame in frames] == [index / 25 for index in range(60)]
    assert np.abs(frames[-1].image.astype(int) - picture).mean() < 3


def test_transparency_becomes_black(tmp_path):
    picture = np.full((20, 20, 4), 200, np.uint8)
    picture[:, :10, 3] = 0
    picture[:, 10:, 3] = 255
    cv2.imwrite(str(tmp_path / "cutout.png"), picture)
    image = next(Clip(tmp_path / "cutout.png").frames()).image
    assert image[:, :10].max() == 0
    assert image[:, 10:].min() == 200


def test_odd_sizes_are_read_as_they_are(tmp_path):
    path = make_video(
        tmp_path / "clip.mkv",
        [numbered(index, 193, 49) for index in range(5)],
        codec="ffv1",
        pix_fmt="yuv444p",
    )
    clip = Clip(path)
    assert (clip.info.width, clip.info.height) == (193, 49)
    assert numbers(clip.frames()) == list(range(5))


def test_sound_is_noticed(tmp_path):
    assert not probe(counting_video(tmp_path / "mute.mp4", 5)).has_audio
    assert probe(counting_video(tmp_path / "loud.mp4", 5, sound=np.zeros(3200))).has_audio


@pytest.mark.skipif(not GRID.exists(), reason="the GRID clips are not there (../shared/data)")
def test_a_real_recording():
    path = sorted(GRID.glob("s4/*.mp4"))[0]
    clip = Clip(path)
    frames = list(clip.frames())
    assert clip.info.fps == 25
    assert len(frames) == clip.info.frame_count == math.floor(clip.info.duration_s * 25 + 0.5)
    assert frames[0].image.shape == (clip.info.height, clip.info.width, 3)
    assert clip.problems == []


def test_picked_frames_are_those_of_a_plain_reading(tmp_path):
    images = [np.full((48, 64, 3), 6 * index, np.uint8) for index in range(40)]
    clip = Clip(make_video(tmp_path / "clip.mp4", images))
    plain = {frame.index: frame.image for frame in clip.frames()}
    picked = list(clip.picked([31, 4, 5, 31]))
    assert [frame.index for frame in picked] == [4, 5, 31]
    assert all(np.array_equal(frame.image, plain[frame.index]) for frame in picked)


def test_of_the_frames_between_picked_ones_only_those_that_they_depend_on_are_decoded(tmp_path, monkeypatch):
    noise = np.random.default_rng(0)
    still = cv2.GaussianBlur(noise.uniform(0, 255, (96, 128, 3)), (0, 0), 3)
    images = [(np.roll(still, index, axis=1)).astype(np.uint8) for index in range(40)]
    clip = Clip(make_video(tmp_path / "clip.mp4", images))
    plain = {frame.index: frame.image for frame in clip.frames()}
    decoded = []
    tick_of = Clip._tick_of
    monkeypatch.setattr(Clip, "_tick_of", lambda *a: decoded.append(tick_of(*a)) or decoded[-1])
    for start in range(4):
        picked = list(clip.picked(range(start, 40, 9)))
        assert all(np.array_equal(frame.image, plain[frame.index]) for frame in picked)
    assert len(decoded) < 4 * 32


def photo_with_exif(path: Path, image: np.ndarray, orientation: int) -> Path:
    """A JPEG as phones write it, with an EXIF block that holds nothing but the orientation."""
    jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photo_of_a_phone_is_upright(tmp_path, orientation):
    """EXIF's eight ways to hold a camera, by the corner that the bright one comes to lie in."""
    image = np.full((48, 64, 3), 20, np.uint8)
    image[:16, :16] = 230
    clip = Clip(photo_with_exif(tmp_path / "photo.jpg", image, orientation))
    shown = next(iter(clip.frames(0, 1))).image
    # The TIFF specification's table: where row 0 and column 0 of what is stored are on the screen.
    bottom, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    corner = shown[-8 if bottom else 8, -8 if right else 8]
    assert shown.shape[:2] == ((48, 64) if orientation < 5 else (64, 48))
    assert corner.min() > 200
    assert (shown[..., 0] > 120).sum() < 400


def test_tags_in_an_old_encoding_do_not_matter(tmp_path):
    path = make_video(tmp_path / "clip.mp4", [numbered(3)] * 3)
    content = path.read_bytes()
    assert content.count(b"Lavf") == 1
    path.write_bytes(content.replace(b"Lavf", b"L\xe4\xfff"))
    assert number_in(next(iter(Clip(path).frames(0, 1))).image) == 3
