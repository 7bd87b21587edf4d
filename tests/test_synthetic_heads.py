"""The rendered presenter that ships with the package, and the renderer behind her."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import voicelip

pytest.importorskip("numba")
ROOT = Path(__file__).resolve().parents[1]

from recipes.synthetic_heads.head import Frame, HeadSpec, Renderer  # noqa: E402
from recipes.synthetic_heads.mesh import FaceKit, load_facekit, rotation  # noqa: E402
from recipes.synthetic_heads.motion import listening  # noqa: E402
from recipes.synthetic_heads.people import random_frame, random_spec  # noqa: E402
from recipes.synthetic_heads.rasteriser import rasterise  # noqa: E402
from voicelip import hub  # noqa: E402
from voicelip.face.points import mouth_opening  # noqa: E402
from voicelip.face.tracker import FaceTracker  # noqa: E402

FACEKIT = ROOT.parent / "shared" / "data" / "ict_facekit.npz"
PRESENTER = Path(voicelip.__file__).parent / "assets" / "presenter.mp4"
BT709 = 1
SIZE = 128


@pytest.fixture(scope="module")
def kit() -> FaceKit:
    if not FACEKIT.exists():
        pytest.skip(f"ICT-FaceKit is not at {FACEKIT}")
    return load_facekit(FACEKIT)


@pytest.fixture(scope="module")
def renderer(kit: FaceKit) -> Renderer:
    return Renderer(kit, texture_size=256, directions=24, shadow_size=96)


def test_the_presenter_is_a_small_standard_clip() -> None:
    assert PRESENTER.stat().st_size <= 1_500_000
    with av.open(str(PRESENTER)) as container:
        video = container.streams.video[0]
        assert not container.streams.audio
        assert video.average_rate == 25
        assert 6 * 25 <= video.frames <= 10 * 25
        assert min(video.width, video.height) >= 512
        context = video.codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (BT709, BT709, BT709)


def test_the_presenter_is_found_in_every_frame_with_her_mouth_closed() -> None:
    with av.open(str(PRESENTER)) as container:
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    track = FaceTracker.from_task(hub.fetch("face-landmarker")).track(images)
    assert track.tracked.all()
    assert np.quantile(mouth_opening(track.points), 0.99) < 0.03


def test_the_presenter_ends_where_she_began() -> None:
    frames = listening(8.0, 25)
    steps = [abs(b.yaw - a.yaw) for a, b in pairwise(frames)]
    assert abs(frames[0].yaw - frames[-1].yaw) <= 1.5 * max(steps)
    assert frames[0].expression["eyeBlink_L"] == frames[-1].expression["eyeBlink_L"] == 0


def test_she_blinks_fully_and_briefly_every_few_seconds() -> None:
    lids = np.array([frame.expression["eyeBlink_L"] for frame in listening(8.0, 25)])
    starts = np.flatnonzero((lids[1:] > 0) & (lids[:-1] == 0))
    assert 2 <= len(starts) <= 4
    for start in starts:
        blink = lids[start + 1 : start + 9]
        assert blink.max() > 0.9
        assert 3 <= (blink > 0).sum() <= 7


def test_the_nearer_triangle_hides_the_farther() -> None:
    points = np.array(
        [[0, 0, 0.1], [8, 0, 0.1], [0, 8, 0.1], [0, 0, 0.2], [4, 0, 0.2], [0, 4, 0.2]], np.float32
    )
    owner, weights, nearest = rasterise(points, np.array([[0, 1, 2], [3, 4, 5]], np.int32), 8, 8)
    assert owner[0, 0] == 1
    assert owner[0, 6] == 0
    assert owner[7, 7] == -1
    assert nearest[0, 0] == pytest.approx(0.2)
    assert weights[0, 6] == pytest.approx([6.5 / 8, 0.5 / 8], abs=1e-5)


def test_turning_the_head_keeps_lengths() -> None:
    turn = rotation(0.3, -0.2, 0.1)
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-6)


def test_opening_the_jaw_opens_the_mouth_in_picture_and_landmarks(renderer: Renderer) -> None:
    spec = HeadSpec()
    closed = renderer.render(spec, Frame(), SIZE, SIZE)
    opened = renderer.render(spec, Frame(expression={"jawOpen": 0.5}), SIZE, SIZE)
    gap = [picture.landmarks[66, 1] - picture.landmarks[62, 1] for picture in (closed, opened)]
    assert gap[1] > gap[0] + 3
    x, y = opened.landmarks[[62, 66]].mean(axis=0).round().astype(int)
    assert opened.image[y, x].mean() < 0.6 * closed.image[y - 8, x].mean()  # the dark of the mouth


def test_the_same_arguments_give_the_same_picture(renderer: Renderer) -> None:
    first = renderer.render(HeadSpec(), Frame(yaw=0.1), SIZE, SIZE)
    renderer.render(random_spec(np.random.default_rng(5)), Frame(), SIZE, SIZE)
    again = renderer.render(HeadSpec(), Frame(yaw=0.1), SIZE, SIZE)
    assert np.array_equal(first.image, again.image)


def test_random_people_differ_and_can_be_had_again(renderer: Renderer) -> None:
    people = [random_spec(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert people[0] == people[1] != people[2]
    frame = random_frame(np.random.default_rng(1))
    pictures = [renderer.render(spec, frame, SIZE, SIZE) for spec in people[1:]]
    assert np.abs(pictures[0].image.astype(int) - pictures[1].image).mean() > 5
    for picture in pictures:
        assert picture.image.shape == (SIZE, SIZE, 3)
        assert np.isfinite(picture.vertices).all()
        assert (picture.landmarks > 0).all()
        assert (picture.landmarks < SIZE).all()
