"""People for the tests of a dub's picture: the presenter, and somebody else made of her."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from media_samples import make_video

import voicelip
from voicelip.dub.cast import Role
from voicelip.dub.picture import DubPicture
from voicelip.dub.turns import Turn
from voicelip.media import Clip, read_audio

ASSETS = Path(voicelip.__file__).parent / "assets"
PX = 256
FPS = 25
RATE = 16_000
TALK_FRAMES = 60


@cache
def presenter() -> tuple[np.ndarray, ...]:
    """(PX, PX, 3) pictures of the presenter, who is silent."""
    frames = Clip(ASSETS / "presenter.mp4").frames(0, TALK_FRAMES)
    return tuple(cv2.resize(frame.image, (PX, PX), interpolation=cv2.INTER_AREA) for frame in frames)


@cache
def speech() -> np.ndarray:
    """What she says, as long as `talking` lasts."""
    return read_audio(ASSETS / "presenter.wav", RATE).samples[: TALK_FRAMES * RATE // FPS]


def other(image: np.ndarray) -> np.ndarray:
    """Somebody else: a short face, broad above."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = (x - width / 2) / width, (y - 0.45 * height) / height
    y_from = 0.45 * height + height * (down / 0.8 + 0.03 * np.sin(2 * np.pi * np.clip(1.6 * down, -0.5, 0.5)))
    x_from = width / 2 + width * across * (1 + 0.3 * down)
    return cv2.remap(
        image, x_from.astype(np.float32), y_from.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


@cache
def talking(folder: Path) -> tuple[np.ndarray, ...]:
    """The presenter saying `speech`."""
    clip = Clip(make_video(folder / "silent.mp4", presenter()))
    seconds = TALK_FRAMES / FPS
    dub = DubPicture(clip, [Role("", "stock:presenter")], [Turn("", 0.0, seconds)], {"": speech()})
    return tuple(picture.rgb() for picture in dub.frames())


def beside(left: list[np.ndarray], right: list[np.ndarray]) -> list[np.ndarray]:
    """Two people in one picture."""
    return [np.hstack(pair) for pair in zip(left, right, strict=True)]


def stem(seconds: float, start_s: float, stop_s: float) -> np.ndarray:
    """Speech from `start_s` to `stop_s`, silence around it, 16 kHz."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    first, last = round(start_s * RATE), round(stop_s * RATE)
    samples[first:last] = np.resize(speech()[RATE // 4 :], last - first)
    return samples
