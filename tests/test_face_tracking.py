"""Following a face: through cuts, gaps, other people, and things held before the mouth."""

from collections.abc import Callable

import cv2
import face_samples as samples
import numpy as np
import pytest

from voicelip import hub
from voicelip.errors import NoFaceError, OptionError
from voicelip.face import FaceStatus, FaceTrack, by_index, like_photo
from voicelip.face.mesh import Region
from voicelip.face.points import inter_ocular_px
from voicelip.face.tracker import FaceTracker

MAN, WOMAN = "val/s1/bbbmzn", "val/s22/lbbc2a"


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    return FaceTracker.from_task(hub.fetch("face-landmarker"))


@pytest.fixture(scope="module")
def presenter() -> list[np.ndarray]:
    return samples.presenter_frames(30)


@pytest.fixture(scope="module")
def man() -> list[np.ndarray]:
    return samples.grid_clip(MAN)[:45]


@pytest.fixture(scope="module")
def woman() -> list[np.ndarray]:
    return samples.grid_clip(WOMAN)[:45]


@pytest.fixture(scope="module")
def own_points(tracker: FaceTracker, man: list[np.ndarray]) -> np.ndarray:
    """Landmarks of the man's clip by itself."""
    return tracker.track(man).points


def beside(left: list[np.ndarray], right: list[np.ndarray]) -> list[np.ndarray]:
    """Two clips in one picture."""
    return [np.hstack(pair) for pair in zip(left, right, strict=False)]


def mean_x(track: FaceTrack) -> np.ndarray:
    return track.points[..., 0].mean(axis=1)


def test_the_presenter_is_followed_in_every_frame(tracker: FaceTracker, presenter: list[np.ndarray]) -> None:
    track = tracker.track(presenter)
    assert track.tracked.all()
    assert track.shot.max() == 0
    assert np.abs(track.yaw_deg).max() < 25


def test_pictures_without_a_face_give_a_track_without_tracked_frames(tracker: FaceTracker) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (8, 120, 160, 3), dtype=np.uint8)
    track = tracker.track(noise)
    assert len(track) == 8
    assert (track.status == FaceStatus.NO_FACE).all()
    assert np.isnan(track.points).all()


def test_one_picture_is_a_clip(tracker: FaceTracker, presenter: list[np.ndarray]) -> None:
    assert tracker.track(presenter[:1]).tracked.all()


def test_a_black_beginning_and_a_black_gap_pass_and_the_face_is_back_at_once(
    tracker: FaceTracker, presenter: list[np.ndarray]
) -> None:
    black = [np.zeros_like(presenter[0])]
    track = tracker.track(black * 10 + presenter[:12] + black * 7 + presenter[12:24])
    expected = np.r_[np.zeros(10), np.ones(12), np.zeros(7), np.ones(12)].astype(bool)
    assert np.array_equal(track.tracked, expected)


def test_a_face_that_fades_in_is_found_as_soon_as_it_can_be_seen(
    tracker: FaceTracker, presenter: list[np.ndarray]
) -> None:
    faded = [(image * (number / 30)).astype(np.uint8) for number, image in enumerate(presenter)]
    track = tracker.track(faded)
    assert np.flatnonzero(track.tracked)[0] <= 5
    assert track.tracked[5:].all()


def test_a_cut_to_another_place_in_the_picture_starts_a_shot(
    tracker: FaceTracker, presenter: list[np.ndarray]
) -> None:
    moved = [cv2.resize(image[:, ::-1], None, fx=0.5, fy=0.5) for image in presenter[15:]]
    height, width = presenter[0].shape[:2]
    small = [
        np.pad(image, ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0))) for image in moved
    ]
    track = tracker.track(presenter[:15] + small)
    assert track.tracked.all()
    assert np.array_equal(track.shot, np.r_[np.zeros(15), np.ones(15)])
    before, after = inter_ocular_px(track.points[10]), inter_ocular_px(track.points[20])
    assert after == pytest.approx(before / 2, rel=0.1)


def test_a_cut_to_another_face_in_the_same_place_starts_a_shot(
    tracker: FaceTracker, man: list[np.ndarray], woman: list[np.ndarray], own_points: np.ndarray
) -> None:
    height, width = man[0].shape[:2]
    hers = tracker.track(woman[:1]).points[0]
    scale = inter_ocular_px(own_points[14]) / inter_ocular_px(hers)
    place = own_points[14].mean(axis=0) - scale * hers.mean(axis=0)
    there = np.float32([[scale, 0, place[0]], [0, scale, place[1]]])
    moved = [cv2.warpAffine(image, there, (width, height)) for image in woman[:15]]
    track = tracker.track(man[:15] + moved)
    assert track.tracked.all()
    assert np.array_equal(track.shot, np.r_[np.zeros(15), np.ones(15)])


def test_a_flickering_lamp_starts_no_shots(tracker: FaceTracker, presenter: list[np.ndarray]) -> None:
    light = 0.65 + 0.35 * np.sin(2.2 * np.arange(len(presenter)))
    lit = [(image * bright).astype(np.uint8) for image, bright in zip(presenter, light, strict=True)]
    track = tracker.track(lit)
    assert track.tracked.all()
    assert not track.shot.any()


@pytest.mark.parametrize("degrees", [30, 50, 80])
def test_a_tilted_head_is_found_and_measured_upright(
    tracker: FaceTracker, presenter: list[np.ndarray], degrees: float
) -> None:
    image = presenter[0]
    upright = tracker.track([image]).points[0]
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    tilted = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    track = tracker.track([tilted])
    assert track.tracked.all()
    expected = upright @ turn[:, :2].T + turn[:, 2]
    assert np.abs(track.points[0] - expected).mean() < 0.05 * inter_ocular_px(upright)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (640, 360)])
def test_a_small_face_in_a_wide_shot_is_found(
    tracker: FaceTracker, presenter: list[np.ndarray], width: int, height: int
) -> None:
    face_px = 0.09 * height
    scale = face_px / (2 * float(inter_ocular_px(tracker.track(presenter[:1]).points[0])))
    person = cv2.resize(presenter[0], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    wide = np.full((height, width, 3), 120, np.uint8)
    y, x = int(0.4 * height), int(0.65 * width)
    wide[y : y + person.shape[0], x : x + person.shape[1]] = person
    track = tracker.track([wide])
    assert track.tracked.all()
    assert float(inter_ocular_px(track.points[0])) == pytest.approx(face_px / 2, rel=0.15)


def test_a_face_as_large_as_the_frame_is_found(tracker: FaceTracker, presenter: list[np.ndarray]) -> None:
    points = tracker.track(presenter[:1]).points[0]
    (x0, y0), (x1, y1) = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    close = presenter[0][max(0, y0) : y1, max(0, x0) : x1]
    assert tracker.track([close]).tracked.all()


@pytest.mark.parametrize(
    "change", [lambda x: x // 8, lambda x: x.mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1)]
)
def test_dark_and_grey_clips_are_followed(
    tracker: FaceTracker, presenter: list[np.ndarray], change: Callable[[np.ndarray], np.ndarray]
) -> None:
    assert tracker.track([change(image) for image in presenter[:6]]).tracked.all()


def test_landmarks_settle_from_a_loose_box(tracker: FaceTracker, presenter: list[np.ndarray]) -> None:
    face = tracker.faces(presenter[0])[0]
    tight = tracker.landmarks(presenter[0], face).points
    x, y, w, h = face.box
    loose = type(face)((x - 0.3 * w, y - 0.3 * h, 1.6 * w, 1.6 * h), face.score, face.eyes)
    again = tracker.landmarks(presenter[0], loose).points
    assert np.abs(again - tight)[:, :2].mean() < 0.03 * Region.of_points(tight).side


def test_the_chosen_one_of_two_is_followed(
    tracker: FaceTracker, man: list[np.ndarray], woman: list[np.ndarray]
) -> None:
    pictures = beside(man[:10], woman[:10])
    middle = man[0].shape[1]
    assert (mean_x(tracker.track(pictures, by_index(0))) < middle).all()
    assert (mean_x(tracker.track(pictures, by_index(1))) > middle).all()
    for photo, is_left in ((man[40], True), (woman[40], False)):
        track = tracker.track(pictures, like_photo(photo, tracker))
        assert track.tracked.all()
        assert ((mean_x(track) < middle) == is_left).all()


def test_an_index_nobody_has_is_an_error_that_counts_the_faces(
    tracker: FaceTracker, man: list[np.ndarray], woman: list[np.ndarray]
) -> None:
    with pytest.raises(NoFaceError, match="no face 2: at most 2 faces"):
        tracker.track(beside(man[:3], woman[:3]), by_index(2))
    with pytest.raises(OptionError, match="-1"):
        by_index(-1)


def test_a_photo_of_nobody_is_an_error(tracker: FaceTracker) -> None:
    with pytest.raises(NoFaceError, match="the photo"):
        like_photo(np.full((200, 200, 3), 90, np.uint8), tracker)


def test_a_person_is_known_again_after_a_cut_and_in_another_place(
    tracker: FaceTracker, man: list[np.ndarray], woman: list[np.ndarray]
) -> None:
    middle = man[0].shape[1]
    black = [np.zeros((man[0].shape[0], 2 * middle, 3), np.uint8)] * 3
    pictures = beside(man[:10], woman[:10]) + black + beside(woman[10:20], man[10:20])
    track = tracker.track(pictures, by_index(0))
    assert (mean_x(track)[:10] < middle).all()
    assert (mean_x(track)[13:] > middle).all()


def test_a_particular_person_is_not_replaced_by_a_stranger_alone(
    tracker: FaceTracker, man: list[np.ndarray], woman: list[np.ndarray]
) -> None:
    track = tracker.track(woman[:6] + man[:6] + woman[6:12], like_photo(man[40], tracker))
    assert np.array_equal(track.tracked, np.r_[np.zeros(6), np.ones(6), np.zeros(6)].astype(bool))


def test_somebody_walking_through_the_picture_does_not_take_over(
    tracker: FaceTracker, man: list[np.ndarray], woman: list[np.ndarray], own_points: np.ndarray
) -> None:
    (x0, y0), (x1, y1) = _head_box(tracker.track(woman[:1]).points[0])
    wall = man[0][:, -1:].repeat(200, 1)
    pictures = []
    for number, image in enumerate(man * 2):
        picture = np.hstack([wall, image, wall])
        left = int(np.interp(number, [0, 80], [picture.shape[1] - (x1 - x0), 0]))
        picture[60 : 60 + y1 - y0, left : left + x1 - x0] = woman[number % len(woman)][y0:y1, x0:x1]
        pictures.append(picture)
    track = tracker.track(pictures, by_index(0))
    own = own_points + np.array([200, 0])
    apart = np.linalg.norm(track.points - np.concatenate([own, own]), axis=-1).mean(axis=1)
    assert (apart[:20] < 8).all()
    assert (apart[-8:] < 8).all()


@pytest.mark.parametrize("cover", [samples.hand, samples.microphone, samples.paper])
def test_a_mouth_behind_something_is_covered_and_talking_is_not(
    tracker: FaceTracker, man: list[np.ndarray], own_points: np.ndarray, cover: samples.Cover
) -> None:
    images, points = list(man), own_points
    covered = slice(24, 36)
    images[covered] = [
        cover(image, place) for image, place in zip(images[covered], points[covered], strict=True)
    ]
    status = tracker.track(images).status
    assert (status[covered] == FaceStatus.COVERED).mean() > 0.9
    assert (status[:20] == FaceStatus.TRACKED).all()
    assert (status[40:] == FaceStatus.TRACKED).all()


def _head_box(points: np.ndarray) -> np.ndarray:
    """Corners (2, 2) of a box around a head with landmarks `points` (478, 2), in whole px."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.stack([low - 15, high + 5]).astype(int)
