"""Finds frames in which something is held before the mouth.

The landmark network hardly tells: its presence score stays above 0.99 and it draws the lips where they would
be. So each frame's lower face is compared with what it looks like in the rest of the shot, and the score with
its own usual value. Talking changes the mouth much, but leaves its surroundings and the lasting edges
(nostrils, lip line, chin); a hand, a microphone or a sheet of paper takes them away.
"""

import cv2
import numpy as np

from voicelip import filters
from voicelip.face.portrait import PORTRAIT_PX, places

_COLOUR_PX, _EDGE_PX = 4, 8  # sides of the portrait's cells

_x, _y = places(_COLOUR_PX)
_MOUTH_COLOUR = (np.abs(_x) < 0.42) & (_y > 0.55) & (_y < 1.30)
_CHEEK_COLOUR = (np.abs(_x) < 0.45) & (_y > 0.20) & (_y < 0.50)  # below the eyes: what the light is judged by
_x, _y = places(_EDGE_PX)
_MOUTH_EDGES = (np.abs(_x) < 0.45) & (_y > 0.50) & (_y < 1.30)

_COLOURS, _EDGES = int(_MOUTH_COLOUR.sum()), int(_MOUTH_EDGES.sum())
LOOK_SIZE = 3 + _COLOURS * 3 + _EDGES * 4

_CHEEK_LEVEL = 110.0  # cheeks are brought to this brightness before anything is compared
_COVERED = 1.4  # strangeness of a frame; talking stays below
# What is usual is learnt from frames that are not suspect, in rounds of (percentile of an edge's strength
# over the shot that counts as lasting, share of the lasting edges whose loss is suspect), from a guess to a
# strict rule.
_ROUNDS = ((50.0, 0.30), (20.0, 0.20), (10.0, 0.20))
_SUSPECT_DROP = 3.5  # of the presence score, in log-odds
_FREE_DEG, _PER_DEGREE = 8.0, 0.03  # a head turned from its usual pose looks different for that reason
_FEWEST_FRAMES = 25
_FILTER_FRAMES = 7
_MARGIN_FRAMES = 2  # a hand on its way covers a little before it is noticed


def look(face: np.ndarray) -> np.ndarray:
    """(LOOK_SIZE,) float16: what `covered_frames` needs of one portrait (96, 96, 3) uint8."""
    cells = PORTRAIT_PX // _COLOUR_PX
    colours = cv2.resize(face, (cells, cells), interpolation=cv2.INTER_AREA).astype(np.float32)
    parts = (colours[_CHEEK_COLOUR].mean(axis=0), colours[_MOUTH_COLOUR], _edges(face)[_MOUTH_EDGES])
    return np.concatenate([part.ravel() for part in parts]).astype(np.float16)


def covered_frames(looks: np.ndarray, presence: np.ndarray, angles_deg: np.ndarray) -> np.ndarray:
    """(T,) bool for the frames of one shot.

    `looks` (T, LOOK_SIZE), `presence` (T,) of the landmark network in 0–1, `angles_deg` (T, A) of the head.
    In a shot too short to know the mouth nothing is judged; in one that shows it covered most of the time,
    that is usual.
    """
    if len(looks) < _FEWEST_FRAMES:
        return np.zeros(len(looks), bool)
    colours, edges = _evened(looks.astype(np.float32))
    log_odds = _log_odds(presence)
    usual = _usual_frames(edges, log_odds)
    strange = _off_colour(colours, usual) + _off_edges(edges, usual)
    strange += 3.0 * _lost_edges(edges, usual, _ROUNDS[-1][0])
    strange += 0.1 * (np.median(log_odds[usual]) - log_odds)
    turned = np.linalg.norm(angles_deg - np.median(angles_deg, axis=0), axis=1)
    strange -= _PER_DEGREE * np.maximum(turned - _FREE_DEG, 0.0)
    return filters.maximum(filters.median(strange, _FILTER_FRAMES) > _COVERED, 2 * _MARGIN_FRAMES + 1)


def _usual_frames(edges: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """(T,) bool: the frames in which nothing hints at something before the mouth."""
    usual = np.ones(len(edges), bool)
    for percentile, suspect_loss in _ROUNDS:
        lost = filters.median(_lost_edges(edges, usual, percentile), 5)
        drop = filters.median(np.median(log_odds[usual]) - log_odds, 5)
        trusted = (lost < suspect_loss) & (drop < _SUSPECT_DROP)
        if trusted.sum() >= _FEWEST_FRAMES // 2:
            usual = trusted
    return usual


def _log_odds(presence: np.ndarray) -> np.ndarray:
    bounded = np.clip(presence.astype(np.float64), 1e-12, 1 - 1e-15)
    return np.log(bounded) - np.log1p(-bounded)


def _off_colour(colours: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Share of the cells whose colour the cell does not take otherwise."""
    middle, spread = _middle_and_spread(colours[usual])
    allowed = np.maximum(4.0 * spread, 15.0).max(axis=-1)
    return (np.abs(colours - middle).max(axis=-1) > allowed).mean(axis=1)


def _off_edges(edges: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Mean deviation of the edges from the usual ones, in units of what is common there, up to 3."""
    middle, spread = _middle_and_spread(edges[usual])
    allowed = np.maximum(3.0 * spread, np.median(middle) + 2.0)
    return np.minimum(np.abs(edges - middle) / allowed, 3.0).mean(axis=(1, 2))


def _lost_edges(edges: np.ndarray, usual: np.ndarray, percentile: float) -> np.ndarray:
    """Share of the edges there at (nearly) all times that is gone."""
    lasting = np.percentile(edges[usual], percentile, axis=0)
    return 1.0 - np.minimum(edges, lasting).sum(axis=(1, 2)) / max(float(lasting.sum()), 1e-6)


def _middle_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle = np.median(values, axis=0)
    return middle, 1.48 * np.median(np.abs(values - middle), axis=0)


def _evened(looks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mouth colours (T, C, 3) and edges (T, E, 4) as if the light on the cheeks were always the same."""
    cheek = np.maximum(looks[:, :3], 1.0)
    typical = np.median(cheek, axis=0)
    to_typical = np.clip(typical / cheek, 1 / 16, 16.0)
    level = _CHEEK_LEVEL / float(typical.mean())
    colours = looks[:, 3 : 3 + 3 * _COLOURS].reshape(-1, _COLOURS, 3) * to_typical[:, None] * level
    edges = looks[:, 3 + 3 * _COLOURS :].reshape(-1, _EDGES, 4)
    return colours, edges * (to_typical.mean(axis=1) * level)[:, None, None]


def _edges(face: np.ndarray) -> np.ndarray:
    """(12, 12, 4): mean brightening and darkening to the right and downwards, at half size."""
    half = PORTRAIT_PX // 2
    small = cv2.resize(face, (half, half), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    x, y = np.zeros_like(grey), np.zeros_like(grey)
    x[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    y[1:-1] = grey[2:] - grey[:-2]
    signed = np.stack([np.maximum(x, 0), np.maximum(-x, 0), np.maximum(y, 0), np.maximum(-y, 0)], axis=-1)
    cells, cell = PORTRAIT_PX // _EDGE_PX, _EDGE_PX // 2
    return signed.reshape(cells, cell, cells, cell, 4).mean(axis=(1, 3))
