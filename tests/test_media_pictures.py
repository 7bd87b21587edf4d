"""Pictures that are converted only where they are looked at, and kept as they are stored elsewhere."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from media_samples import make_video

from voicelip.media import Clip, Frame, Patch, Picture, VideoWriter
from voicelip.media.picture import ConvertedPicture
from voicelip.media.planes import PlanarPicture

WIDTH, HEIGHT = 320, 180


def colourful(height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(40, 215, (height // 6, width // 6, 3)).astype(np.float32)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def first_frame(path: Path) -> Frame:
    return next(Clip(path).frames())


def patch_at(picture: Picture, left: int, top: int, width: int, height: int) -> Patch:
    """The picture's negative in a disc within the box."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    image = 255 - picture.rgb((left, top, left + width, top + height))
    return Patch(left, top, image, np.hypot(x, y) < 0.8)


@pytest.mark.parametrize(
    "tags", [None, (1, 1, 1, 1), (9, 1, 9, 2)], ids=["untagged", "BT.709", "full BT.2020"]
)
def test_a_part_is_what_the_whole_shows_there(tags: tuple[int, int, int, int] | None, tmp_path: Path) -> None:
    make_video(tmp_path / "in.mp4", [colourful()] * 2, tags=tags)
    clip = Clip(tmp_path / "in.mp4")
    picture = next(clip.frames()).picture
    whole, quick = (
        ConvertedPicture(WIDTH, HEIGHT, lambda _, e=exact: decoded(clip, e)).rgb() for exact in (1, 0)
    )
    assert isinstance(picture, PlanarPicture)
    assert np.array_equal(picture.rgb(), whole)
    rng = np.random.default_rng(1)
    for _ in range(30):
        (left, right), (top, bottom) = (np.sort(rng.choice(side + 1, 2, False)) for side in (WIDTH, HEIGHT))
        box = (int(left), int(top), int(right), int(bottom))
        assert np.array_equal(picture.rgb(box), whole[top:bottom, left:right])
        assert np.array_equal(picture.rgb(box, exact=False), quick[top:bottom, left:right])


def decoded(clip: Clip, exact: int) -> np.ndarray:
    from voicelip.media.colour import ToRgb

    return ToRgb(WIDTH, HEIGHT)(next(clip.pictures(0, 1))[1], bool(exact))


def test_a_patch_changes_no_sample_but_its_own(tmp_path: Path) -> None:
    picture = first_frame(make_video(tmp_path / "in.mp4", [colourful()] * 2)).picture
    assert isinstance(picture, PlanarPicture)
    before = picture.planes.copy()
    patch = patch_at(picture, 61, 33, 90, 71)
    patched = picture.with_patch(patch)
    assert isinstance(patched, PlanarPicture)
    changed = np.zeros((HEIGHT, WIDTH), bool)
    changed[33 : 33 + 71, 61 : 61 + 90] = patch.changed
    cells = changed.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).any(axis=(1, 3))
    assert (patched.planes.y == before.y)[~changed].all()
    assert (patched.planes.u == before.u)[~cells].all()
    assert (patched.planes.v == before.v)[~cells].all()
    assert (patched.planes.y != before.y)[changed].mean() > 0.9
    assert all(np.array_equal(getattr(picture.planes, name), getattr(before, name)) for name in "yuv")
    inside = np.abs(patched.rgb(patch.box).astype(int) - patch.image)[20:-20, 25:-25]
    assert inside.mean() < 6  # what halving the colours' resolution costs


def test_colours_stay_in_place(tmp_path: Path) -> None:
    """Chroma samples lie beside the luma's by half a pixel, and are put back where they were taken."""
    redder = np.clip(4 * (np.arange(WIDTH) - 80), 0, 120)[None, :, None] * np.array([1, -1, 0]) + 128
    ramp = np.tile(redder, (HEIGHT, 1, 1)).astype(np.uint8)
    picture = first_frame(make_video(tmp_path / "in.mp4", [ramp] * 2)).picture
    assert isinstance(picture, PlanarPicture)
    again = Patch(40, 40, picture.rgb((40, 40, 140, 140)), np.ones((100, 100), bool))
    patched = picture.with_patch(again)
    assert isinstance(patched, PlanarPicture)
    rising = patched.planes.v[30:60, 42:53].astype(int) - picture.planes.v[30:60, 42:53]
    assert abs(rising.mean()) < 0.3  # half a pixel would be more than one level


def test_planes_reach_the_encoder_untouched(tmp_path: Path) -> None:
    source = Clip(make_video(tmp_path / "in.mp4", [colourful(seed=seed) for seed in range(3)]))
    info = source.info
    pictures = [frame.picture for frame in source.frames()]
    pictures[1] = pictures[1].with_patch(patch_at(pictures[1], 100, 50, 60, 60))
    with VideoWriter(tmp_path / "out.mp4", WIDTH, HEIGHT, info.fps, colour=info.colour, crf=0) as writer:
        for picture in pictures:
            writer.write_frame(picture)
    for given, written in zip(pictures, Clip(tmp_path / "out.mp4").frames(), strict=True):
        assert isinstance(given, PlanarPicture)
        assert isinstance(written.picture, PlanarPicture)
        assert all(
            np.array_equal(getattr(given.planes, name), getattr(written.picture.planes, name))
            for name in "yuv"
        )


def test_planes_of_other_colours_than_the_videos_are_converted(tmp_path: Path) -> None:
    picture = first_frame(make_video(tmp_path / "in.mp4", [colourful()] * 2, tags=(5, 6, 5, 1))).picture
    other = first_frame(make_video(tmp_path / "other.mp4", [colourful()] * 2, tags=(1, 1, 1, 2)))
    colour = Clip(tmp_path / "other.mp4").info.colour
    with VideoWriter(tmp_path / "out.mp4", WIDTH, HEIGHT, Fraction(25), colour=colour, crf=0) as writer:
        writer.write_frame(picture)
        writer.write_frame(other.picture)
    shown = [frame.image.astype(int) for frame in Clip(tmp_path / "out.mp4").frames()]
    assert np.abs(shown[0] - picture.rgb()).mean() < 8
    assert np.array_equal(shown[1], other.image)


ODD_ONES = {
    "10 bits": {"pix_fmt": "yuv420p10le"},
    "4:4:4": {"pix_fmt": "yuv444p"},
    "turned": {"rotation": 90},
    "oblong pixels": {"sample_aspect": Fraction(4, 3)},
}


@pytest.mark.parametrize("kind", ODD_ONES)
def test_other_kinds_of_pictures_behave_alike(kind: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", [colourful()] * 2, **ODD_ONES[kind])  # type: ignore[arg-type]
    frame = first_frame(path)
    picture = frame.picture
    assert not isinstance(picture, PlanarPicture)
    assert (picture.height, picture.width) == frame.image.shape[:2]
    box = (21, 30, 98, 119)
    assert np.array_equal(picture.rgb(box), frame.image[30:119, 21:98])
    quick = picture.rgb(box, exact=False).astype(int)
    assert np.abs(quick - frame.image[30:119, 21:98]).mean() < 3
    patch = patch_at(picture, 21, 30, 77, 89)
    expected = frame.image.copy()
    patch.onto(expected)
    assert np.array_equal(picture.with_patch(patch).rgb(), expected)
    assert np.array_equal(picture.rgb(), frame.image)


def test_a_still_is_converted_once(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), colourful())
    frames = list(Clip(tmp_path / "face.png").frames(0, 3))
    assert frames[0].picture is frames[2].picture
    frames[0].image[:] = 0
    assert frames[1].image.any()


def test_nothing_is_a_patch_too(tmp_path: Path) -> None:
    picture = first_frame(make_video(tmp_path / "in.mp4", [colourful()] * 2)).picture
    assert np.array_equal(picture.with_patch(Patch.nothing()).rgb(), picture.rgb())
