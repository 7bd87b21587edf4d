"""Mouth crops: exact both ways, still while the head moves, and without delay."""

import cv2
import numpy as np
import pytest

from voicelip.face import CROP_PX, FaceTrack, MouthCrops, stabilise
from voicelip.face.points import LIPS, STABLE, inter_ocular_px


def face(seed: int = 0) -> np.ndarray:
    """(478, 2): the outline of no one: stable points and lips in place, 100 px between the eyes."""
    points = np.random.default_rng(seed).uniform(-60, 60, (478, 2))
    points[list(STABLE)] = [(-50, 0), (-18, 2), (18, 2), (50, 0), (0, -5), (0, 5), (0, 15), (0, 25)]
    angles = np.linspace(0, 2 * np.pi, len(LIPS), endpoint=False)
    points[list(LIPS)] = np.stack([30 * np.cos(angles), 85 + 12 * np.sin(angles)], axis=1)
    return points


def moving(frames: int, noise_px: float = 0.0) -> FaceTrack:
    """That face, nodding, tilting and coming closer, smoothly."""
    time = np.arange(frames) / 25
    angle, scale = 0.3 * np.sin(2 * time), 1.0 + 0.2 * np.sin(1.3 * time)
    shift = np.stack([300 + 60 * np.sin(1.7 * time), 250 + 30 * np.cos(1.1 * time)], axis=1)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=-1).reshape(-1, 2, 2)
    points = np.einsum("t,tij,kj->tki", scale, turn, face()) + shift[:, None]
    points += np.random.default_rng(1).normal(0, noise_px, points.shape)
    return track_of(points)


def track_of(points: np.ndarray) -> FaceTrack:
    length = len(points)
    still = np.zeros(length)
    return FaceTrack(
        points.astype(np.float32), still.astype(np.int8), still.astype(np.float32), still.astype(np.int32)
    )


def test_what_is_rigid_stands_still_in_the_crop_while_the_head_moves() -> None:
    crops = stabilise(moving(100))
    wander = crops.points[:, STABLE] - crops.points[:, STABLE].mean(axis=0)
    assert np.abs(wander[3:-3]).max() < 0.35


def test_the_crop_shows_every_face_at_one_size_and_in_one_place() -> None:
    crops = stabilise(moving(100))
    assert inter_ocular_px(crops.points).mean() == pytest.approx(74, abs=0.5)
    assert np.allclose(crops.points[:, LIPS].mean(axis=(0, 1)), (47.5, 40), atol=0.5)


def test_jitter_of_the_landmarks_shakes_the_crop_less_than_themselves() -> None:
    quiet, noisy = stabilise(moving(100)).to_frame, stabilise(moving(100, noise_px=1.0)).to_frame
    middle = np.array([47.5, 47.5, 1.0])
    assert ((noisy - quiet) @ middle).std() < 0.75


def test_smoothing_does_not_lag_behind_a_steady_motion() -> None:
    steps = np.arange(60)[:, None, None] * [4.0, 0.0]
    to_frame = stabilise(track_of(face() + 300 + steps)).to_frame
    assert np.allclose(np.diff(to_frame[8:-8, 0, 2]), 4.0, atol=1e-6)
    eyes = to_frame[8:-8] @ [stabilise(track_of(face()[None] + 300)).points[0, 33, 0], 0, 1]
    assert np.allclose(eyes[:, 0] - eyes[0, 0], steps[8:-8, 0, 0] - steps[8, 0, 0], atol=1e-6)


@pytest.mark.parametrize("size_px", [96, 97, 192, 411])
def test_a_point_cut_and_put_back_lands_where_it_was(size_px: int) -> None:
    track = moving(30)
    crops = stabilise(track)
    in_crop = (crops.points[10] + 0.5) * size_px / CROP_PX - 0.5
    matrix = crops.scaled_to_frame(10, size_px)
    back = in_crop @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(back - track.points[10]).max() < 1e-3


@pytest.mark.parametrize("size_px", [96, 250])
def test_a_picture_cut_and_pasted_back_lands_within_a_tenth_of_a_pixel(size_px: int) -> None:
    track = moving(30)
    crops = stabilise(track)
    spot = track.points[10, LIPS].mean(axis=0)
    y, x = np.mgrid[0:500, 0:640]
    bell = 255 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * 6.0**2))
    image = bell.round().astype(np.uint8)[..., None].repeat(3, axis=2)
    cut = crops.cut(image, 10, size_px)
    back = cv2.warpAffine(cut, crops.scaled_to_frame(10, size_px), (640, 500), flags=cv2.INTER_LINEAR)
    weight = back[..., 0].astype(float)
    landed = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
    assert np.abs(landed - spot).max() < 0.1


def test_a_crop_beyond_the_edge_of_the_picture_repeats_the_edge() -> None:
    crops = stabilise(track_of(face()[None].repeat(3, axis=0) + np.array([10, 400])))
    image = np.full((480, 640, 3), 77, np.uint8)
    assert (crops.cut(image, 1) == 77).all()


def test_fine_stripes_of_a_large_face_do_not_alias() -> None:
    crops = stabilise(track_of(face()[None].repeat(3, axis=0) * 6 + 900))
    stripes = np.zeros((1800, 1800, 3), np.uint8)
    stripes[:, ::2] = 200
    assert crops.cut(stripes, 1).std() < 15
    assert crops.native_px(1) == pytest.approx(CROP_PX * 600 / 74, abs=2)


def test_frames_without_a_face_have_no_crop_and_each_stretch_its_own_place() -> None:
    track = moving(40)
    status = track.status.copy()
    status[15:20] = 1
    crops: MouthCrops = stabilise(FaceTrack(track.points, status, track.yaw_deg, track.shot))
    assert np.isnan(crops.to_frame[15:20]).all()
    assert np.isfinite(crops.to_frame[[14, 20]]).all()
