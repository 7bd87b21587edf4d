"""How well lips follow a sound, measured on finished videos by face landmarks.

Every function takes landmarks (T, 478, 2) in frame px as a `FaceTrack` holds them, or frames; definitions as
in docs/metrics.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from voicelip.face.points import LIPS, inter_ocular_px, mouth_opening

MAX_LAG_FRAMES = 2


@dataclass(frozen=True)
class Sync:
    """Pearson `r` of two opening curves at the `lag` (frames, positive: the result is late) where it is
    highest.
    """

    r: float
    lag: int


def synchrony(result: np.ndarray, truth: np.ndarray) -> Sync:
    """Compare mouth openings of a result with those of the real video of the same sound; landmarks (T, 478,
    2).
    """
    moved, real = mouth_opening(result), mouth_opening(truth)
    return max(
        (
            Sync(_pearson(*_shifted(moved, real, lag)), lag)
            for lag in range(-MAX_LAG_FRAMES, MAX_LAG_FRAMES + 1)
        ),
        key=lambda sync: sync.r,
    )


def landmark_distance(result: np.ndarray, truth: np.ndarray) -> float:
    """LMD: mean distance of 40 lip landmarks after removing position, scale and rotation, in % of inter-
    ocular distance.
    """
    frames = min(len(result), len(truth))
    moved, real = result[:frames, LIPS].astype(np.float64), truth[:frames, LIPS].astype(np.float64)
    distance = np.linalg.norm(_aligned(moved, real) - real, axis=-1).mean(axis=1)
    return float(np.nanmean(100 * distance / inter_ocular_px(truth[:frames])))


def static_landmark_distance(truth: np.ndarray) -> float:
    """LMD of a mouth that stays as closed as the real one ever is: what a result must beat."""
    gap = mouth_opening(truth)
    closed = truth[gap <= np.nanquantile(gap, 0.1)].mean(axis=0)
    return landmark_distance(np.repeat(closed[None], len(truth), axis=0), truth)


def lip_leak(in_silence: np.ndarray, source: np.ndarray) -> float:
    """Mean opening under digital silence above the source clip's own 10th percentile."""
    return float(np.nanmean(mouth_opening(in_silence)) - np.nanquantile(mouth_opening(source), 0.1))


def sharpness(frames: Iterable[np.ndarray], points: np.ndarray) -> float:
    """Mean variance of the Laplacian in the mouth box over frames with a face; frames (H, W, 3) uint8 RGB."""
    values = []
    for frame, face in zip(frames, points, strict=False):
        lips = face[list(LIPS)]
        if not np.isfinite(lips).all():
            continue
        margin = 0.15 * np.ptp(lips[:, 0])
        left, top = np.maximum(np.floor(lips.min(axis=0) - margin), 0).astype(int)
        right, bottom = np.ceil(lips.max(axis=0) + margin).astype(int)
        box = frame[top:bottom, left:right]
        if box.size:
            values.append(cv2.Laplacian(cv2.cvtColor(box, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
    return float(np.mean(values)) if values else float("nan")


def _shifted(result: np.ndarray, truth: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    result, truth = (result[lag:], truth) if lag >= 0 else (result, truth[-lag:])
    frames = min(len(result), len(truth))
    return result[:frames], truth[:frames]


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 3 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _aligned(moved: np.ndarray, real: np.ndarray) -> np.ndarray:
    """`moved` (T, N, 2) under the similarity that brings each frame closest to `real` (Umeyama, 1991)."""
    a, b = moved - moved.mean(axis=1, keepdims=True), real - real.mean(axis=1, keepdims=True)
    norm = (a**2).sum(axis=(1, 2))
    cos = (a * b).sum(axis=(1, 2)) / norm
    sin = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(axis=1) / norm
    turned = np.stack(
        [
            cos[:, None] * a[..., 0] - sin[:, None] * a[..., 1],
            sin[:, None] * a[..., 0] + cos[:, None] * a[..., 1],
        ],
        axis=-1,
    )
    return turned + real.mean(axis=1, keepdims=True)
