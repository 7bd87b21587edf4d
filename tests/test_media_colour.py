"""Colours survive reading and writing, and the tags that explain them are kept."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from media_samples import make_video

import voicelip
from voicelip.media import Clip, ColourTags, VideoWriter

PATCHES = np.array(
    [(180, 140, 120), (90, 60, 50), (40, 90, 160), (200, 200, 60), (120, 120, 120), (235, 230, 225)], np.uint8
)
LIMITED, FULL = 1, 2


def patches(width, height):
    """Flat patches, skin tones among them, that chroma subsampling cannot blur but at the seams."""
    image = np.zeros((height, width, 3), np.uint8)
    for index, colour in enumerate(PATCHES):
        image[:, index * width // 6 : (index + 1) * width // 6] = colour
    return image


def patch_error(image):
    width = image.shape[1]
    centres = [image[20:-20, (2 * index + 1) * width // 12] for index in range(6)]
    return max(
        np.abs(centre.astype(int) - colour).mean() for centre, colour in zip(centres, PATCHES, strict=True)
    )


@pytest.mark.parametrize(
    ("size", "tags"),
    [
        ((1280, 720), (1, 1, 1, LIMITED)),
        ((360, 288), (5, 6, 5, LIMITED)),
        ((360, 240), (6, 6, 6, LIMITED)),
        ((360, 240), (1, 1, 1, FULL)),
        ((360, 240), (9, 14, 9, LIMITED)),
    ],
    ids=["bt709 HD", "bt601 PAL", "bt601 NTSC", "full range", "bt2020 SDR"],
)
def test_a_round_trip_shifts_no_colour(tmp_path, size, tags):
    source = make_video(tmp_path / "in.mp4", [patches(*size)] * 3, tags=tags)
    clip = Clip(source)
    assert clip.info.colour == ColourTags(*tags)
    first = [frame.image for frame in clip.frames()]
    assert patch_error(first[0]) < 2.5
    with VideoWriter(tmp_path / "out.mp4", *size, clip.info.fps, colour=clip.info.colour) as writer:
        for image in first:
            writer.write_frame(image)
    again = Clip(tmp_path / "out.mp4")
    assert again.info.colour == ColourTags(*tags)
    second = next(again.frames()).image
    assert patch_error(second) < 4
    shift = (second.astype(float) - first[0]).mean(axis=(0, 1))
    assert np.abs(shift).max() < 0.7


def test_untagged_files_follow_the_convention_of_players(tmp_path):
    small = Clip(make_video(tmp_path / "sd.mp4", [patches(360, 240)] * 2))
    assert (small.info.colour.matrix, small.info.colour.range) == (6, LIMITED)
    large = Clip(make_video(tmp_path / "hd.mp4", [patches(1280, 720)] * 2))
    assert (large.info.colour.matrix, large.info.colour.range) == (1, LIMITED)


def test_ten_bit_and_gray_become_plain_rgb(tmp_path):
    source = patches(360, 240)
    deep = make_video(
        tmp_path / "deep.mkv", [source] * 2, codec="ffv1", pix_fmt="yuv422p10le", tags=(1, 1, 1, LIMITED)
    )
    assert patch_error(next(Clip(deep).frames()).image) < 2.5
    cv2.imwrite(str(tmp_path / "gray.png"), source[..., 1])
    gray = next(Clip(tmp_path / "gray.png").frames()).image
    assert np.abs(gray.astype(int) - source[..., 1:2]).max() <= 1


def test_sixteen_bit_gray_keeps_its_brightness(tmp_path):
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((40, 40), 0x8000, np.uint16))
    gray = next(Clip(tmp_path / "gray.png").frames()).image
    assert np.abs(gray.astype(int) - 128).max() <= 1


def test_a_photo_makes_a_video_of_the_range_that_players_expect(tmp_path):
    cv2.imwrite(str(tmp_path / "face.jpg"), patches(360, 240)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    clip = Clip(tmp_path / "face.jpg")
    assert clip.info.colour.range == LIMITED
    image = next(clip.frames()).image
    assert patch_error(image) < 3
    with VideoWriter(tmp_path / "out.mp4", 360, 240, 25, colour=clip.info.colour) as writer:
        writer.write_frame(image)
    assert patch_error(next(Clip(tmp_path / "out.mp4").frames()).image) < 4


@pytest.mark.skipif(int(av.__version__.split(".")[0]) < 17, reason="this PyAV cannot convert transfer curves")
@pytest.mark.parametrize(
    "transfer", [pytest.param(16, id="PQ"), pytest.param(18, id="HLG", marks=pytest.mark.slow)]
)
def test_hdr_is_delivered_in_standard_range(tmp_path, transfer):
    gray = np.repeat(np.linspace(0, 255, 192).astype(np.uint8)[None, :, None], 48, axis=0).repeat(3, axis=2)
    path = make_video(
        tmp_path / "hdr.mkv", [gray] * 2, codec="ffv1", pix_fmt="yuv420p10le", tags=(9, transfer, 9, LIMITED)
    )
    clip = Clip(path)
    assert clip.info.colour == ColourTags(1, 1, 1, LIMITED)
    assert "HDR" in clip.problems[0]
    row = next(clip.frames()).image[20].astype(int)
    assert np.ptp(row, axis=1).max() <= 3  # gray stays gray
    assert np.diff(row[:, 1]).min() >= -2  # brighter stays brighter
    assert row[0].max() < 5
    assert row[-1].min() > 250


def test_quick_colours_are_nearly_the_exact_ones() -> None:
    clip = Clip(Path(voicelip.__file__).parent / "assets" / "presenter.mp4")
    picture = next(clip.frames(3, 4)).picture
    exact, quick = (picture.rgb(exact=wanted).astype(int) for wanted in (True, False))
    assert np.abs(quick - exact).mean() < 2
