"""The picture of a dub: whose mouth is made anew, when, and what stays as it was."""

from fractions import Fraction
from pathlib import Path

import cv2
import dub_people as people
import numpy as np
import pytest
from media_samples import make_video

from voicelip import hub
from voicelip.dub.cast import Role
from voicelip.dub.picture import DubPicture
from voicelip.dub.timemap import Stretch, TimeMap
from voicelip.dub.turns import Turn
from voicelip.errors import NoFaceError, OptionError
from voicelip.face.points import mouth_opening
from voicelip.face.tracker import FaceTracker
from voicelip.media import Clip

PX = people.PX
ANNA, TOM = Role("Anna", "stock:presenter"), Role("Tom", "stock:presenter")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dub")


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    return FaceTracker.from_task(hub.fetch("face-landmarker"))


@pytest.fixture(scope="module")
def alone(folder: Path) -> Clip:
    """The presenter, silent, for 2.4 s."""
    return Clip(make_video(folder / "alone.mp4", people.presenter()))


@pytest.fixture(scope="module")
def talk(folder: Path) -> Clip:
    """Anna left, Tom right: she talks for 2.4 s, then, after a cut to the other side, he does."""
    still, moving = list(people.presenter()), list(people.talking(folder))
    first = people.beside(moving, [people.other(image) for image in still])
    then = people.beside([people.other(image) for image in moving], still)
    dimmed = [cv2.convertScaleAbs(image, alpha=0.5) for image in then]
    return Clip(make_video(folder / "talk.mp4", first + dimmed, sound=np.tile(people.speech(), 2)))


def pictures(dub: DubPicture, start: int = 0, stop: int | None = None) -> list[np.ndarray]:
    return [picture.rgb() for picture in dub.frames(start, stop)]


def originals(clip: Clip) -> list[np.ndarray]:
    return [frame.image for frame in clip.frames()]


def changed(dub: DubPicture, clip: Clip, part: slice = slice(None)) -> np.ndarray:
    """(T,) bool: the frames in which columns `part` differ from the clip's."""
    pairs = zip(pictures(dub), originals(clip), strict=True)
    return np.array([not np.array_equal(a[:, part], b[:, part]) for a, b in pairs])


def one(clip: Clip, start_s: float, stop_s: float, **more) -> DubPicture:
    role = Role("", "stock:presenter")
    said = people.stem(max(clip.info.duration_s, stop_s), start_s, stop_s)
    return DubPicture(clip, [role], [Turn("", start_s, stop_s)], {"": said}, **more)


def two(clip: Clip, roles: tuple[Role, Role] = (ANNA, TOM), **more) -> DubPicture:
    """Anna is heard in the first half and Tom in the second, as in the clip itself."""
    turns = [Turn("Anna", 0.4, 2.0), Turn("Tom", 2.8, 4.4)]
    stems = {turn.speaker: people.stem(4.8, turn.start_s, turn.end_s) for turn in turns}
    return DubPicture(clip, roles, turns, stems, **more)


def test_a_mouth_is_made_anew_while_its_speaker_is_heard_and_left_alone_else(alone: Clip) -> None:
    dub = one(alone, 1.0, 1.6)
    touched = changed(dub, alone)
    assert touched[25:40].all()
    assert not touched[:15].any()
    assert not touched[50:].any()
    assert dub.told == {"": "the only face"}
    assert not dub.warnings
    assert not dub.passed


def test_it_comes_and_goes_over_a_few_frames(alone: Clip) -> None:
    still = originals(alone)
    new = pictures(one(alone, 1.0, 1.6))
    difference = np.array([np.abs(a.astype(int) - b).sum() for a, b in zip(new, still, strict=True)])
    coming = difference[14:22]
    assert np.flatnonzero(coming)[0] >= 2  # not before it is needed
    assert (np.diff(coming[coming > 0][:4]) > 0).all()
    steps = np.abs(np.diff(difference))
    assert steps[13:20].max() < 0.6 * difference.max()


def test_any_stretch_is_the_same_wherever_the_reading_begins(alone: Clip) -> None:
    dub = one(alone, 0.6, 2.0)
    whole = pictures(dub)
    again = pictures(dub, 21, 43)
    assert len(whole) == dub.count == 60
    assert all(np.array_equal(a, b) for a, b in zip(again, whole[21:43], strict=True))


def test_of_two_people_the_one_whose_mouth_goes_with_the_sound_is_the_speaker(talk: Clip) -> None:
    dub = two(talk)
    assert dub.told == {"Anna": "mouth motion", "Tom": "mouth motion"}
    left, right = changed(dub, talk, slice(0, PX)), changed(dub, talk, slice(PX, None))
    assert left[10:50].all()
    assert left[70:110].all()
    assert not right.any()
    assert not dub.warnings


def test_an_index_or_a_photo_tells_it_against_the_sound(talk: Clip, folder: Path) -> None:
    photo = folder / "tom.png"
    cv2.imwrite(str(photo), people.other(people.presenter()[5])[..., ::-1])
    roles = (Role("Anna", "stock:presenter", photo), Role("Tom", "stock:presenter", 0))
    dub = two(talk, roles, original_heard=[(0.0, 4.8)])
    assert dub.told == {"Anna": "like tom.png", "Tom": "face 0 from the left"}
    assert dub.whose["Anna"] == two(talk).whose["Tom"]
    touched = changed(dub, talk, slice(0, PX))
    assert not touched[10:50].any()
    assert not touched[70:110].any()


def test_a_face_that_is_not_there_is_an_error_before_any_work(talk: Clip, folder: Path) -> None:
    with pytest.raises(NoFaceError, match="no face 2 for Tom: at most 2 are in sight"):
        two(talk, (ANNA, Role("Tom", "stock:presenter", 2)))
    with pytest.raises(OptionError, match="no speech is given for Tom"):
        DubPicture(talk, [ANNA, TOM], [], {"Anna": np.zeros(1, np.float32)})


def test_who_is_heard_but_not_seen_leaves_the_picture_as_it_is_and_is_told(alone: Clip, talk: Clip) -> None:
    turns = [Turn("Anna", 0.4, 2.0), Turn("Voice", 2.8, 4.4)]
    stems = {turn.speaker: people.stem(4.8, turn.start_s, turn.end_s) for turn in turns}
    roles = [Role("Anna", "stock:presenter", 0), Role("Voice", "stock:presenter")]
    silent = DubPicture(talk, [roles[0]], turns[:1], stems)
    assert set(silent.told) == {"Anna"}
    narrated = DubPicture(
        alone, [Role("A", "x", 0), Role("B", "x")], [Turn("B", 0.4, 1.4)],
        {"A": np.zeros(1, np.float32), "B": people.stem(2.4, 0.4, 1.4)},
    )  # fmt: skip
    assert narrated.passed == {"out_of_view": 25}
    assert any("nobody in the picture seems to be B" in warning for warning in narrated.warnings)
    assert not changed(narrated, alone).any()


def test_frames_that_do_not_show_the_face_pass_and_are_counted(folder: Path) -> None:
    images = [*people.presenter()[:30], *[np.full((PX, PX, 3), 90, np.uint8)] * 20, *people.presenter()[30:]]
    clip = Clip(make_video(folder / "gap.mp4", images))
    dub = one(clip, 0.4, 3.0)
    assert dub.passed == {"no_face": 20}
    assert "in 20 of the 65 frames with speech no face is in sight" in dub.warnings[0]
    assert not changed(dub, clip)[30:50].any()


def test_where_the_original_talks_and_the_dub_is_silent_the_mouth_is_shut(
    folder: Path, tracker: FaceTracker
) -> None:
    clip = Clip(make_video(folder / "talking.mp4", people.talking(folder), sound=people.speech()))
    before = mouth_opening(tracker.track(originals(clip)).points)
    dub = one(clip, 0.04, 0.4)
    after = mouth_opening(tracker.track(pictures(dub)).points)
    assert before[20:].max() > 0.08
    assert after[24:56].max() < 0.03
    heard = one(clip, 0.04, 0.4, original_heard=[(1.0, 2.4)])
    assert not changed(heard, clip)[36:].any()


def test_a_slowed_picture_repeats_frames_with_mouths_of_their_own(alone: Clip) -> None:
    times = TimeMap.slowed([Stretch(Fraction(0), Fraction(1), Fraction(2))])
    dub = one(alone, 0.2, 1.8, times=times)
    assert dub.count == 85
    shown = pictures(dub)
    still = originals(alone)
    assert np.array_equal(shown[84], still[59])
    assert np.array_equal(shown[60][: PX // 3], still[35][: PX // 3])
    assert not np.array_equal(shown[20], shown[21])  # one frame of the clip, two mouths


def test_a_new_mouth_never_reaches_onto_another_face(folder: Path) -> None:
    close = [np.hstack((image[:, 56:200], people.other(image)[:, 56:200])) for image in people.presenter()]
    clip = Clip(make_video(folder / "close.mp4", close))
    stems = {"A": people.stem(2.4, 0.4, 2.0), "B": np.zeros(1, np.float32)}
    roles = [Role("A", "x", 0), Role("B", "x", 1)]
    dub = DubPicture(clip, roles, [Turn("A", 0.4, 2.0)], stems)
    assert changed(dub, clip, slice(0, 144))[12:48].all()
    assert not changed(dub, clip, slice(144, None)).any()


def test_without_sound_the_largest_face_speaks_and_the_user_is_told(folder: Path) -> None:
    near = [
        cv2.resize(image, None, fx=1.25, fy=1.25)[20 : 20 + PX, 30 : 30 + PX]
        for image in people.presenter()[:30]
    ]
    clip = Clip(make_video(folder / "mute.mp4", people.beside(list(people.presenter()[:30]), near)))
    dub = one(clip, 0.2, 1.0)
    assert dub.told == {"": "the largest face"}
    assert "the sound does not tell whose face" in dub.warnings[0]
    several = DubPicture(
        clip,
        [ANNA, TOM],
        [Turn("Anna", 0.2, 1.0)],
        {"Anna": people.stem(1.2, 0.2, 1.0), "Tom": np.zeros(1, np.float32)},
    )
    assert not several.told
    assert any("nobody in the picture seems to be Anna" in warning for warning in several.warnings)


def test_a_photo_speaks(folder: Path) -> None:
    photo = folder / "photo.png"
    cv2.imwrite(str(photo), people.presenter()[0][..., ::-1])
    dub = one(Clip(photo), 0.6, 1.0, count=40)
    shown = pictures(dub)
    assert len(shown) == 40
    assert np.array_equal(shown[0], shown[39])
    assert not np.array_equal(shown[0], shown[20])
