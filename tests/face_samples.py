"""Pictures and clips for the face tests: GRID frames where present, and things held before a mouth."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import voicelip
from voicelip.face.points import JAW, LEFT_EYE_OUTER, LIPS, RIGHT_EYE_OUTER
from voicelip.media import Clip

GRID = Path(__file__).resolve().parents[2] / "shared" / "data" / "grid"

Cover = Callable[[np.ndarray, np.ndarray], np.ndarray]


def grid_clip(name: str) -> list[np.ndarray]:
    """The frames of `SET/SPEAKER/CLIP` of the corpus; skips the test where it is absent."""
    path = GRID / f"{name}.mp4"
    if not path.exists():
        pytest.skip(f"the GRID corpus is not at {GRID}")
    return [frame.image for frame in Clip(path).frames()]


def presenter_frames(count: int) -> list[np.ndarray]:
    """The first frames of the presenter that comes with the package."""
    path = Path(voicelip.__file__).parent / "assets" / "presenter.mp4"
    if not path.exists():
        pytest.skip("the package has no presenter yet")
    return [frame.image for frame in Clip(path).frames(0, count)]


def hand(image: np.ndarray, points: np.ndarray, low: float = 0.0, shift: float = 0.0) -> np.ndarray:
    """A palm with four fingers in the person's own skin colour over the mouth."""
    place = _Place(image, points, low, shift)
    cheek = points[[50, 280, 205, 425], :2].round().astype(int)
    height, width = image.shape[:2]
    skin = np.median([image[min(y, height - 1), min(x, width - 1)] for x, y in cheek], axis=0)
    drawing, mask = np.zeros_like(image), np.zeros(image.shape[:2], np.uint8)
    place.ellipse(drawing, mask, (0.0, 0.35), (0.5, 0.42), skin * 0.92)
    for finger in range(4):
        y = -0.2 + 0.17 * finger
        place.line(drawing, mask, (0.3, y + 0.1), (-0.5, y), 0.15, skin * (0.98 if finger % 2 else 0.9))
        place.line(drawing, mask, (0.3, y + 0.185), (-0.5, y + 0.085), 0.015, skin * 0.6)
    return place.laid(image, drawing, mask)


def microphone(image: np.ndarray, points: np.ndarray, low: float = 0.0, shift: float = 0.0) -> np.ndarray:
    """A dark ball on a handle before the mouth."""
    place = _Place(image, points, low, shift)
    drawing, mask = np.zeros_like(image), np.zeros(image.shape[:2], np.uint8)
    place.line(drawing, mask, (0.0, 0.1), (0.12, 1.4), 0.16, np.array([25, 25, 30]))
    place.ellipse(drawing, mask, (0.0, 0.05), (0.27, 0.3), np.array([45, 45, 48]))
    place.ellipse(drawing, mask, (-0.08, -0.02), (0.08, 0.1), np.array([85, 85, 90]))
    return place.laid(image, drawing, mask)


def paper(image: np.ndarray, points: np.ndarray, low: float = 0.0, shift: float = 0.0) -> np.ndarray:
    """A white sheet with lines of writing held before the lower face."""
    place = _Place(image, points, low, shift)
    drawing, mask = np.zeros_like(image), np.zeros(image.shape[:2], np.uint8)
    place.line(drawing, mask, (-1.2, 0.55), (1.2, 0.6), 1.5, np.array([225, 222, 214]), square=True)
    for row in range(6):
        y = 0.0 + 0.18 * row
        place.line(drawing, mask, (-0.9, y), (0.9, y + 0.02), 0.03, np.array([70, 70, 75]))
    return place.laid(image, drawing, mask)


class _Place:
    """Coordinates around the mouth: unit is the inter-ocular distance, y down the face."""

    def __init__(self, image: np.ndarray, points: np.ndarray, low: float, shift: float) -> None:
        eyes = points[RIGHT_EYE_OUTER, :2] - points[LEFT_EYE_OUTER, :2]
        self.unit = float(np.linalg.norm(eyes))
        self.x, self.y = eyes / self.unit, np.array([-eyes[1], eyes[0]]) / self.unit
        self.middle = points[list(LIPS), :2].mean(axis=0) + self.unit * (low * self.y + shift * self.x)

    def px(self, x: float, y: float) -> tuple[int, int]:
        place = self.middle + self.unit * (x * self.x + y * self.y)
        return round(float(place[0])), round(float(place[1]))

    def ellipse(
        self,
        drawing: np.ndarray,
        mask: np.ndarray,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: np.ndarray,
    ) -> None:
        axes = (max(1, int(radii[0] * self.unit)), max(1, int(radii[1] * self.unit)))
        angle = float(np.degrees(np.arctan2(self.x[1], self.x[0])))
        cv2.ellipse(drawing, self.px(*centre), axes, angle, 0, 360, colour.tolist(), -1)
        cv2.ellipse(mask, self.px(*centre), axes, angle, 0, 360, 255, -1)

    def line(
        self,
        drawing: np.ndarray,
        mask: np.ndarray,
        start: tuple[float, float],
        end: tuple[float, float],
        width: float,
        colour: np.ndarray,
        square: bool = False,
    ) -> None:
        thickness = max(1, int(width * self.unit))
        if square:
            along = np.array(
                [[start[0], -width / 2], [end[0], -width / 2], [end[0], width / 2], [start[0], width / 2]]
            )
            corners = np.array([self.px(x, y + start[1]) for x, y in along])
            cv2.fillPoly(drawing, [corners], colour.tolist())
            cv2.fillPoly(mask, [corners], 255)
            return
        cv2.line(drawing, self.px(*start), self.px(*end), colour.tolist(), thickness)
        cv2.line(mask, self.px(*start), self.px(*end), 255, thickness)

    def laid(self, image: np.ndarray, drawing: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """`drawing` over `image` with soft edges, light falling off to one side, and grain."""
        height, width = mask.shape
        shade = np.linspace(1.06, 0.9, width)[None, :, None] * np.linspace(1.04, 0.94, height)[:, None, None]
        grain = np.random.default_rng(0).normal(0, 2.5, image.shape)
        sigma = max(0.6, self.unit / 80)
        body = cv2.GaussianBlur(drawing, (0, 0), sigma) * shade + grain
        alpha = cv2.GaussianBlur(mask, (0, 0), sigma)[..., None] / 255.0
        full = cv2.GaussianBlur(mask, (0, 0), sigma)[..., None].clip(1) / 255.0
        return np.clip(image * (1 - alpha) + np.minimum(body / full, 255) * alpha, 0, 255).astype(np.uint8)


def mouth(gap: float, seed: int = 0) -> np.ndarray:
    """A made face (478, 2) in crop px whose inner lips are `gap` px apart; the jaw goes along."""
    points = np.random.default_rng(seed).uniform(10, 86, (478, 2))
    points[[*LIPS, *JAW], 1] += gap / 2
    points[13], points[14] = (48, 40 - gap / 2), (48, 40 + gap / 2)
    return points
