"""BlazeFace, short range: finds faces in an image.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019. Weights:
MediaPipe's `face_detector.tflite` (Apache-2.0), run by OpenCV's dnn module, so that no further runtime is
needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

_INPUT_PX = 128
_MIN_SCORE = 0.5
_MAX_OVERLAP = 0.3


@dataclass(frozen=True)
class Detection:
    """One face: `box` (x, y, w, h) in px, `score` in 0–1, `eyes` (2, 2) px, image-left and image-right."""

    box: tuple[float, float, float, float]
    score: float
    eyes: np.ndarray

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]

    @property
    def centre(self) -> tuple[float, float]:
        return self.box[0] + self.box[2] / 2, self.box[1] + self.box[3] / 2


def _anchor_centres() -> np.ndarray:
    """(896, 2) anchor centres in 0–1: a 16x16 grid with two each, then an 8x8 grid with six each."""
    centres = []
    for cells, per_cell in ((16, 2), (8, 6)):
        y, x = np.mgrid[0:cells, 0:cells]
        grid = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        centres.append(np.repeat(grid, per_cell, axis=0))
    return np.concatenate(centres).astype(np.float32)


class BlazeFace:
    """The detector; not thread-safe."""

    def __init__(self, tflite: bytes) -> None:
        self._net = cv2.dnn.readNetFromTFLite(np.frombuffer(tflite, np.uint8))
        self._anchors = _anchor_centres()

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Faces in `image` (H, W, 3) uint8 RGB, largest first, by the first of the `levels` to find any."""
        return next((faces for faces in self.levels(image) if faces), [])

    def levels(self, image: np.ndarray) -> Iterator[list[Detection]]:
        """Faces found by looking at ever smaller parts of `image`, largest first; searched when asked for.

        The network sees 128 px and finds faces that fill a tenth to about all of them. So after the whole
        frame come the frame within a margin, for a face larger than the frame, and overlapping tiles of a
        half and a quarter of its side.
        """
        height, width = image.shape[:2]
        side = max(height, width)
        yield self._detect_tiles(image, [(0, 0, side)])
        yield self._detect_tiles(image, [(-side // 2, -side // 2, 2 * side)])
        for part in (2, 4):
            tile = side // part
            corners = [(x, y) for y in _starts(height, tile) for x in _starts(width, tile)]
            yield self._detect_tiles(image, [(x, y, tile) for x, y in corners])

    def _detect_tiles(self, image: np.ndarray, tiles: list[tuple[int, int, int]]) -> list[Detection]:
        found = [face for left, top, side in tiles for face in self._detect_square(image, left, top, side)]
        return sorted(_non_maximum_suppression(found), key=lambda face: -face.area)

    def _detect_square(self, image: np.ndarray, left: int, top: int, side: int) -> list[Detection]:
        tile = image[max(0, top) : top + side, max(0, left) : left + side]
        scale = _INPUT_PX / side
        size = (max(1, round(tile.shape[1] * scale)), max(1, round(tile.shape[0] * scale)))
        x, y = round(max(0, -left) * scale), round(max(0, -top) * scale)
        padded = np.zeros((_INPUT_PX, _INPUT_PX, 3), np.uint8)
        padded[y : y + size[1], x : x + size[0]] = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
        blob = padded.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1.0
        self._net.setInput(np.ascontiguousarray(blob))
        scores, values = self._net.forward(("classificators", "regressors"))
        scores = 1.0 / (1.0 + np.exp(-np.clip(scores.reshape(-1), -50, 50)))
        keep = scores > _MIN_SCORE
        values = values.reshape(-1, 16)[keep] / _INPUT_PX
        anchors = self._anchors[keep]
        offset = np.array([left, top], np.float32)
        faces = []
        for score, value, anchor in zip(scores[keep], values, anchors, strict=True):
            centre = (value[:2] + anchor) * side + offset
            extent = value[2:4] * side
            eyes = (value[4:8].reshape(2, 2) + anchor) * side + offset
            x, y = centre - extent / 2
            box = (float(x), float(y), float(extent[0]), float(extent[1]))
            faces.append(Detection(box, float(score), eyes))
        return faces


def _starts(length: int, side: int) -> list[int]:
    """Left edges of windows of `side` px that cover `length` px with half overlap."""
    if length <= side:
        return [0]
    steps = int(np.ceil((length - side) / (side / 2)))
    return [round(i * (length - side) / steps) for i in range(steps + 1)]


def overlap(a: Detection, b: Detection) -> float:
    """Intersection over union of two boxes."""
    ax, ay, aw, ah = a.box
    bx, by, bw, bh = b.box
    inter = max(0.0, min(ax + aw, bx + bw) - max(ax, bx)) * max(0.0, min(ay + ah, by + bh) - max(ay, by))
    return inter / (a.area + b.area - inter)


def _non_maximum_suppression(faces: list[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda f: -f.score):
        if all(overlap(face, other) < _MAX_OVERLAP for other in kept):
            kept.append(face)
    return kept
