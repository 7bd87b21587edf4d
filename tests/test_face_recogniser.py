"""The face recogniser: one person in other footage is known again, another person is not."""

import cv2
import numpy as np
import pytest
from face_samples import grid_clip, presenter_frames

from voicelip import hub
from voicelip.face.recogniser import SIDE_PX, SIZE, chip, distance, recognise
from voicelip.face.tracker import FaceTracker
from voicelip.trust.likeness import LIMITS


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    return FaceTracker.from_task(hub.fetch("face-landmarker"))


def described(tracker: FaceTracker, image: np.ndarray) -> np.ndarray:
    (candidate,) = tracker.candidates(image)[:1]
    return recognise(image, candidate.mesh.points)


def test_a_face_is_known_again_in_other_frames_sizes_and_light(tracker: FaceTracker) -> None:
    frames = presenter_frames(40)
    known = described(tracker, frames[0])
    smaller = cv2.resize(frames[39], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    darker = (255 * (frames[20] / 255.0) ** 1.5).astype(np.uint8)
    for other in (frames[39], smaller, darker, cv2.GaussianBlur(frames[10], (0, 0), 1.5)):
        assert distance(known, described(tracker, other)) < LIMITS["face"]
    assert known.shape == (SIZE,)


def test_a_turned_picture_gives_the_same_chip(tracker: FaceTracker) -> None:
    image = presenter_frames(1)[0]
    points = tracker.candidates(image)[0].mesh.points[:, :2]
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 1.0)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    upright, back = chip(image, points), chip(turned, points @ matrix[:, :2].T + matrix[:, 2])
    assert upright.shape == (SIDE_PX, SIDE_PX, 3)
    assert np.abs(upright[40:110, 40:110].astype(int) - back[40:110, 40:110]).mean() < 4


def test_people_of_the_corpus_are_told_apart(tracker: FaceTracker) -> None:
    first, again = grid_clip("val/s1/bbbmzn")[10], grid_clip("val/s1/bgin1s")[40]
    other = grid_clip("val/s22/lbbc2a")[10]
    known = described(tracker, first)
    assert distance(known, described(tracker, again)) < LIMITS["face"]
    assert distance(known, described(tracker, other)) > LIMITS["face"]
    assert distance(known, described(tracker, presenter_frames(1)[0])) > LIMITS["face"]
