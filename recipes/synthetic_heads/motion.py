"""How a listening person moves: small band-limited sway, blinks, saccades, breath; loops without a jump."""

from __future__ import annotations

import numpy as np

from .head import Frame

BLINKS_S = (1.15, 4.35, 6.95)
BLINK_CLOSE_S, BLINK_SHUT_S, BLINK_OPEN_S = 0.07, 0.04, 0.12


def listening(seconds: float, fps: float, seed: int = 3) -> list[Frame]:
    """Frames of a presenter who waits to speak; the last one leads back to the first."""
    count = round(seconds * fps)
    time = np.arange(count) / fps
    rng = np.random.default_rng(seed)
    yaw, pitch, roll = (sway(count, rng, top) for top in (3, 3, 2))
    x, y = sway(count, rng, 2), sway(count, rng, 2)
    brows = np.clip(sway(count, rng, 4), 0, None)
    lids = _blinks(time)
    gaze = _saccades(time, rng)
    breath = 0.5 - 0.5 * np.cos(2 * np.pi * 2 * time / seconds)
    return [
        Frame(
            expression=_expression(lids[i], gaze[i], brows[i]),
            yaw=float(0.045 * yaw[i]), pitch=float(0.026 * pitch[i]), roll=float(0.018 * roll[i]),
            shift=(float(0.16 * x[i]), float(0.06 * y[i] + 0.04 * breath[i]), 0.0),
            breath=float(0.13 * breath[i]),
        )
        for i in range(count)
    ]  # fmt: skip


def sway(count: int, rng: np.random.Generator, top: int) -> np.ndarray:
    """Periodic noise of unit peak with `top` harmonics of the clip's length."""
    turn = 2 * np.pi * np.arange(count) / count
    wave = sum(rng.normal() / k * np.cos(k * turn + rng.uniform(0, 6.3)) for k in range(1, top + 1))
    wave = wave - np.mean(wave)
    return wave / np.abs(wave).max()


def _blinks(time: np.ndarray) -> np.ndarray:
    """Lid closure 0..1."""
    closed = np.zeros_like(time)
    for start in BLINKS_S:
        steps = np.cumsum([start, BLINK_CLOSE_S, BLINK_SHUT_S, BLINK_OPEN_S])
        ramp = np.interp(time, steps, [0, 1, 1, 0])
        closed = np.maximum(closed, ramp * ramp * (3 - 2 * ramp))
    return closed


def _saccades(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gaze (T, 2) right and up in -1..1: held, then moved within two frames; home at both ends."""
    jumps = np.concatenate([[0.0], np.cumsum(rng.uniform(0.7, 1.6, 16))])
    jumps = jumps[jumps < max(time[-1] - 0.8, 0.01)]
    aims = rng.normal(0, 1, (len(jumps), 2)) * [0.09, 0.05]
    aims[0] = 0
    jumps, aims = np.append(jumps, time[-1] - 0.5), np.vstack([aims, [0, 0]])
    gaze = np.zeros((len(time), 2))
    for k, start in enumerate(jumps):
        before = aims[k - 1] if k else aims[0]
        step = np.clip((time - start) / 0.06, 0, 1)[:, None]
        gaze = np.where(time[:, None] >= start, before + (aims[k] - before) * step, gaze)
    return gaze


def _expression(lids: float, gaze: np.ndarray, brows: float) -> dict[str, float]:
    right, up = float(gaze[0]), float(gaze[1])
    weights = {"browInnerUp_L": 0.10 * brows, "browInnerUp_R": 0.10 * brows,
               "browOuterUp_L": 0.12 * brows, "browOuterUp_R": 0.12 * brows}  # fmt: skip
    for side, inwards in (("L", -right), ("R", right)):
        weights[f"eyeLookIn_{side}"] = max(inwards, 0.0)
        weights[f"eyeLookOut_{side}"] = max(-inwards, 0.0)
        weights[f"eyeLookUp_{side}"] = max(up, 0.0)
        weights[f"eyeLookDown_{side}"] = max(-up, 0.0)
        weights[f"eyeBlink_{side}"] = lids
    return weights
