"""What cameras and codecs do to a picture: scale, focus, colour cast, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Footage:
    """One camera and codec; the defaults change nothing."""

    scale: float = 1.0  # px of the footage per px of the picture
    blur_px: float = 0.0  # of focus, in px of the footage
    sharpening: float = 0.0  # strength of the camera's unsharp mask
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)  # white balance
    gamma: float = 1.0
    black: float = 0.0  # 0..1 that black is lifted to
    saturation: float = 1.0
    noise: float = 0.0  # standard deviation in 8-bit steps
    jpeg_quality: int = 100

    def size(self, picture_px: int) -> int:
        """Side in px of the footage of a picture."""
        return max(32, round(picture_px * self.scale))

    def record(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Picture (S, S, 3) uint8 RGB to footage, in its own size."""
        side = self.size(len(image))
        method = cv2.INTER_AREA if side < len(image) else cv2.INTER_CUBIC
        frame: np.ndarray = cv2.resize(image, (side, side), interpolation=method).astype(np.float32) / 255
        if self.blur_px:
            frame = cv2.GaussianBlur(frame, (0, 0), self.blur_px)
        frame = np.clip(frame * np.array(self.gains, np.float32), 0, 1) ** self.gamma
        grey = frame @ np.array([0.299, 0.587, 0.114], np.float32)
        frame = grey[..., None] + (frame - grey[..., None]) * self.saturation
        frame = self.black + (1 - self.black) * frame
        if self.sharpening:
            frame += self.sharpening * (frame - cv2.GaussianBlur(frame, (0, 0), 1.2))
        frame = frame * 255 + self._grain(frame.shape, rng)
        return self._coded(np.clip(frame, 0, 255).astype(np.uint8))

    def _grain(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Fine noise common to all channels, coarser noise of each."""
        fine = rng.standard_normal(shape[:2], np.float32)[..., None]
        coarse = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 1.5) * 2.5
        return self.noise * (0.8 * fine + 0.5 * coarse)

    def _coded(self, frame: np.ndarray) -> np.ndarray:
        if self.jpeg_quality >= 100:
            return frame
        halved = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        options = [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, halved]
        _, coded = cv2.imencode(".jpg", frame[..., ::-1], options)
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        if decoded is None:
            raise RuntimeError("OpenCV cannot read the JPEG that it wrote")
        return decoded[..., ::-1]


def random_footage(rng: np.random.Generator, eyes_px: float) -> Footage:
    """From phone video to a distant webcam; `eyes_px`: outer eye corners apart in the picture."""
    strong_cast = rng.random() < 0.05
    warmth, tint = rng.normal(0, 0.04), rng.normal(0, 0.02)
    gains = (
        (1 + warmth, 1 + tint, 1 - warmth) if not strong_cast else (1.1, 0.97, float(rng.uniform(0.5, 0.75)))
    )
    wanted_px = np.exp(rng.uniform(np.log(45), np.log(150)))
    return Footage(
        scale=float(wanted_px / eyes_px),
        blur_px=float(rng.choice([0.0, rng.uniform(0.4, 1.0) * min(wanted_px / 80, 1.3)], p=[0.4, 0.6])),
        sharpening=float(rng.choice([0.0, rng.uniform(0.2, 1.0)])),
        gains=(float(gains[0]), float(gains[1]), float(gains[2])),
        gamma=float(np.exp(rng.normal(0, 0.12))),
        black=float(rng.choice([0.0, rng.uniform(0, 0.08)])),
        saturation=float(rng.uniform(0.68, 1.08)),
        noise=float(rng.choice([rng.uniform(0, 1.0), rng.uniform(1, 4.5)], p=[0.6, 0.4])),
        jpeg_quality=int(rng.integers(35, 97)),
    )
