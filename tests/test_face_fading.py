"""How a new mouth comes and goes where the face cannot be worked on."""

import numpy as np

from voicelip.face import FaceStatus, FaceTrack
from voicelip.media import Patch, RgbPicture


def track(status: list[int], yaw_deg: float = 0.0, shot: list[int] | None = None) -> FaceTrack:
    length = len(status)
    return FaceTrack(
        np.zeros((length, 478, 2), np.float32),
        np.array(status, np.int8),
        np.full(length, yaw_deg, np.float32),
        np.array(shot or [0] * length, np.int32),
    )


def test_a_whole_clip_with_a_face_shows_the_new_mouth_throughout() -> None:
    assert (track([0] * 20).opacity() == 1).all()


def test_the_new_mouth_eases_towards_covered_frames_of_the_same_shot() -> None:
    opacity = track([0] * 10 + [FaceStatus.COVERED] * 5 + [0] * 10).opacity()
    assert (opacity[10:15] == 0).all()
    assert (np.diff(opacity[5:11]) < 0).all()
    assert (np.diff(opacity[14:20]) > 0).all()
    assert opacity[0] == opacity[-1] == 1


def test_at_a_cut_nothing_fades() -> None:
    opacity = track([0] * 10 + [FaceStatus.NO_FACE] * 10, shot=[0] * 10 + [1] * 10).opacity()
    assert (opacity[:10] == 1).all()


def test_a_head_that_turns_to_profile_gets_its_own_mouth_back_little_by_little() -> None:
    assert track([0] * 9, yaw_deg=20).opacity().min() == 1
    assert 0 < track([0] * 9, yaw_deg=-43).opacity().max() < 1
    assert track([0] * 9, yaw_deg=50).opacity().max() == 0


def test_a_faded_patch_lies_between_source_and_new() -> None:
    picture = RgbPicture(np.full((8, 8, 3), 100, np.uint8))
    patch = Patch(2, 2, np.full((3, 3, 3), 200, np.uint8), np.eye(3, dtype=bool))
    shown = picture.with_patch(patch.faded(picture, 0.25)).rgb()
    assert shown[2, 2].tolist() == [125] * 3
    assert shown[2, 3].tolist() == [100] * 3
    assert patch.faded(picture, 1.0) is patch
    assert not patch.faded(picture, 0.0).changed.any()
