"""Small operations on speech waveforms: levels, trimming."""

import numpy as np

FRAME_S = 0.01


def frame_levels(samples: np.ndarray, rate: int, frame_s: float = FRAME_S) -> np.ndarray:
    """(F,) root mean square of consecutive frames; a shorter last one counts as a frame."""
    size = max(1, round(rate * frame_s))
    padded = np.pad(samples, (0, -len(samples) % size))
    return np.sqrt(np.mean(padded.reshape(-1, size).astype(np.float64) ** 2, axis=1))


def dbfs(samples: np.ndarray) -> float:
    """Root mean square level in dB of full scale; −inf for digital silence."""
    level = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
    return 20 * np.log10(level) if level > 0 else -np.inf


def speech_span(samples: np.ndarray, rate: int, below_loudest_db: float) -> tuple[int, int]:
    """First and past-the-last sample of frames at most so many dB below the loudest; (0, 0) if silent."""
    levels = frame_levels(samples, rate)
    loudest = levels.max(initial=0.0)
    if loudest <= 0:
        return 0, 0
    loud = np.flatnonzero(levels > loudest * 10 ** (-below_loudest_db / 20))
    size = max(1, round(rate * FRAME_S))
    return int(loud[0]) * size, min(len(samples), (int(loud[-1]) + 1) * size)


def trimmed(
    samples: np.ndarray, rate: int, below_loudest_db: float = 48.0, margin_s: float = 0.04
) -> tuple[np.ndarray, int]:
    """Speech without the near-silence around it, faded in and out over the margin so that nothing clicks, and
    how many samples were cut off before it.
    """
    start, end = speech_span(samples, rate, below_loudest_db)
    margin = round(margin_s * rate)
    first = max(0, start - margin)
    kept = samples[first : end + margin].astype(np.float32)
    ramp = np.sin(np.linspace(0, np.pi / 2, min(margin, len(kept) // 2), dtype=np.float32)) ** 2
    if len(ramp):
        kept[: len(ramp)] *= ramp
        kept[-len(ramp) :] *= ramp[::-1]
    return kept, first


def silence(seconds: float, rate: int) -> np.ndarray:
    """That many seconds of zeros."""
    return np.zeros(round(seconds * rate), np.float32)
