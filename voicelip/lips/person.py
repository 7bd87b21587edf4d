"""What is known of one person's mouth beyond the clip at hand."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Person:
    """`amplitude` relative to the median speaker, and `closed` (55, 2), the person's closed mouth, both from
    more speech than a stretch of the clip may hold; None where the stretch itself has to tell that.
    """

    amplitude: float
    closed: np.ndarray | None

    def rest(self, seen: np.ndarray) -> np.ndarray:
        """The closed mouth where a clip shows `seen` (55, 2): a few seconds tell it only roughly, but where
        it lies, and how large it is, are the clip's own.
        """
        return seen if self.closed is None else placed(self.closed, seen)


def placed(shapes: np.ndarray, like: np.ndarray) -> np.ndarray:
    """`shapes` (…, N, 2), each under the similarity that brings it closest to the one of `like` (…, N, 2)
    (Umeyama, 1991).
    """
    middle = like.mean(axis=-2, keepdims=True)
    a, b = shapes - shapes.mean(axis=-2, keepdims=True), like - middle
    norm = (a**2).sum(axis=(-1, -2))[..., None]
    cos = (a * b).sum(axis=(-1, -2))[..., None] / norm
    sin = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(axis=-1)[..., None] / norm
    x, y = a[..., 0], a[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1) + middle
