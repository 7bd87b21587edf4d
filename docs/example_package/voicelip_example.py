"""A speech engine, a face detector and a lip generator that voicelip finds by their names."""

import cv2
import numpy as np

from voicelip.face.blazeface import Detection
from voicelip.face.mesh import FaceMesh
from voicelip.face.tracker import FaceTracker
from voicelip.lips.generator import Patch
from voicelip.media import Audio
from voicelip.speech.engine import Segment, Speech


class Hum:  # --engine hum
    name, languages, sample_rate = "hum", ("en-us",), 16_000

    def synthesize(self, text, voice, lang, speed=1.0, progress=None):
        seconds = 0.06 * len(text) / speed
        tone = 0.1 * np.sin(np.arange(int(16_000 * seconds)) * 0.05).astype(np.float32)
        return Speech(Audio(tone, self.sample_rate), (Segment(text, 0.0, seconds),))


class _Middle:  # finds a face that always fills the middle of the picture
    def levels(self, image):
        (height, width), side = image.shape[:2], min(image.shape[:2]) // int(self.part)
        corner = np.array([(width - side) / 2, (height - side) / 2])
        yield [Detection((*corner, side, side), 1.0, corner + side * np.array([[0.3, 0.4], [0.7, 0.4]]))]


def middle(setup):  # --detector middle, or middle:3 for a face of a third of the picture
    finder = _Middle()
    finder.part = setup.argument or 2
    return FaceTracker(finder, FaceMesh())


class Blur:  # --lips blur, or blur:15: the mouth's crop out of focus
    def __init__(self, setup):
        self.sigma = float(setup.argument or 8)

    def session(self, job):
        self.crops = job.crops
        return self

    def render(self, shots):
        return [self._blurred(shot) for shot in shots]

    def _blurred(self, shot):
        part = self.crops.part(shot.picture, shot.source_index)
        blurred = cv2.GaussianBlur(part.image, (0, 0), self.sigma)
        return Patch(part.left, part.top, blurred, np.ones(blurred.shape[:2], bool))
