"""The final status of frames: gaps bridged, flicker removed, turned heads and covered mouths told apart."""

import numpy as np
import pytest

from voicelip.face import FaceStatus, FaceTrack
from voicelip.face.covered import LOOK_SIZE
from voicelip.face.settle import Evidence, settle

TRACKED, NO_FACE, TURNED = FaceStatus.TRACKED, FaceStatus.NO_FACE, FaceStatus.TURNED_AWAY


def settled(
    status: list[int], yaw: list[float] | None = None, speed: float = 2.0, **changes: list[int]
) -> FaceTrack:
    """A face of 60 px moving by `speed` px a frame, settled."""
    length = len(status)
    shape = np.random.default_rng(0).uniform(0, 60, (478, 2))
    shape[33], shape[263] = (0, 20), (60, 20)
    points = (shape + np.arange(length)[:, None, None] * [speed, 0]).astype(np.float32)
    yaw_deg = np.array(yaw or [0.0] * length, np.float32)
    lost = np.array(status) == NO_FACE
    points[lost], yaw_deg[lost] = np.nan, np.nan
    looks = np.zeros((length, LOOK_SIZE), np.float16)
    looks[lost] = np.nan
    presence = np.where(lost, np.nan, 1.0)
    shot = np.array(changes.get("shot", [0] * length), np.int32)
    blank = np.array(changes.get("blank", [0] * length), bool)
    track = FaceTrack(points, np.array(status, np.int8), yaw_deg, shot)
    return settle(track, Evidence(looks, presence, np.stack([yaw_deg, yaw_deg], axis=1), blank))


@pytest.mark.parametrize("gap", [1, 2])
def test_a_short_gap_is_bridged_along_a_straight_line(gap: int) -> None:
    track = settled([0] * 5 + [1] * gap + [0] * 5)
    assert track.tracked.all()
    assert np.allclose(np.diff(track.points[:, 0, 0]), 2.0, atol=1e-4)
    assert np.isfinite(track.yaw_deg).all()


def test_a_longer_gap_stays() -> None:
    assert settled([0] * 5 + [1] * 3 + [0] * 5).status.tolist() == [0] * 5 + [1] * 3 + [0] * 5


def test_a_gap_is_not_bridged_across_a_leap_a_cut_or_a_black_frame() -> None:
    status = [0] * 5 + [1] + [0] * 5
    assert not settled(status, speed=40.0).tracked[5]
    assert not settled(status, blank=status).tracked[5]
    assert not settled(status, shot=[0] * 6 + [1] * 5).tracked[5]


def test_a_glimpse_in_a_lost_stretch_is_lost_too() -> None:
    track = settled([1] * 5 + [0] * 2 + [1] * 5)
    assert not track.tracked.any()
    assert np.isnan(track.points).all()


def test_a_very_short_shot_is_kept() -> None:
    assert settled([0] * 5 + [0] * 2 + [0] * 5, shot=[0] * 5 + [1] * 2 + [2] * 5).tracked.all()


def test_a_head_around_the_limit_does_not_flicker() -> None:
    yaw = [30.0] * 5 + [49.0, 51.0] * 6 + [30.0] * 5
    status = settled([0] * len(yaw), yaw).status
    assert (np.diff(status) != 0).sum() == 2
    assert status[7:16].tolist() == [TURNED] * 9


def test_turning_to_either_side_counts() -> None:
    for yaw in (70.0, -70.0):
        assert (
            settled([0] * 15, [0.0] * 5 + [yaw] * 5 + [0.0] * 5).status.tolist()
            == [0] * 5 + [2] * 5 + [0] * 5
        )
