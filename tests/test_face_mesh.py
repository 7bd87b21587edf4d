"""The shipped landmark network is the published one in another form."""

import zipfile

import cv2
import face_samples as samples
import numpy as np
import pytest

from voicelip import hub
from voicelip.face.mesh import FaceMesh, Region


@pytest.mark.parametrize("number", [0, 12])
def test_landmarks_and_presence_are_those_of_the_published_file(number: int) -> None:
    image = samples.presenter_frames(13)[number]
    height, width = image.shape[:2]
    region = Region(width / 2, height / 2, 0.8 * height, 0.05)
    with zipfile.ZipFile(hub.fetch("face-landmarker")) as task:
        published = np.frombuffer(task.read("face_landmarks_detector.tflite"), np.uint8)
    network = cv2.dnn.readNetFromTFLite(published)
    matrix = region.to_input()
    patch = cv2.warpAffine(image, matrix, (256, 256), flags=cv2.INTER_LINEAR)
    network.setInput(cv2.dnn.blobFromImage(patch, 1 / 255.0))
    points, log_odds = network.forward(("Identity", "Identity_1"))
    back = cv2.invertAffineTransform(matrix)
    expected = points.reshape(478, 3)[:, :2] @ back[:, :2].T + back[:, 2]

    found = FaceMesh().landmarks(image, region)
    assert found.presence > 0.9
    assert found.presence == pytest.approx(1 / (1 + np.exp(-log_odds.item())), abs=1e-4)
    assert np.abs(found.points[:, :2] - expected).max() < 0.01  # px
