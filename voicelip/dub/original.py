"""What the clip's own sound tells about its picture: when somebody speaks, and how their mouth moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from voicelip.errors import UnreadableMediaError
from voicelip.lips.hearing import BLOCK, at_rate, expected_opening
from voicelip.lips.mel import SAMPLE_RATE
from voicelip.media import Clip
from voicelip.media.sound_stream import SoundReader

_HOP = SAMPLE_RATE // 25
_BELOW_PEAKS_DB = 25.0  # speech is hardly softer than that against its own loudest parts
_SILENT_DB = -60.0


@dataclass(frozen=True)
class OriginalSound:
    """Both (T,) for the clip's frames: `opening` float32 of a mouth that makes the sound, crop px of the lip
    gap, and `loud` bool, where it is as loud as speech.
    """

    opening: np.ndarray
    loud: np.ndarray


def listen(clip: Clip) -> OriginalSound | None:
    """The sound that the clip came with, or None if it has none that can be read."""
    if not clip.info.has_audio:
        return None
    levels: list[np.ndarray] = []
    try:
        opening = expected_opening(_measured(SoundReader(clip.path, SAMPLE_RATE, 1), levels))
    except UnreadableMediaError:
        return None
    if not len(opening):
        return None
    frames, fps = clip.info.frame_count, clip.info.fps
    loud = _loud(np.concatenate(levels)).astype(np.float32)
    return OriginalSound(_at(opening, frames, fps), _at(loud, frames, fps) > 0.5)


def _measured(reader: SoundReader, levels: list[np.ndarray]) -> Iterator[np.ndarray]:
    """The sound in blocks; their levels in dB are added to `levels`, 25 a second."""
    for block in reader.blocks(BLOCK):
        samples = block[0]
        power = (samples[: len(samples) // _HOP * _HOP].reshape(-1, _HOP) ** 2).mean(axis=1)
        levels.append(10 * np.log10(power + 1e-10))
        yield samples


def _loud(levels: np.ndarray) -> np.ndarray:
    return levels > max(_SILENT_DB, float(np.quantile(levels, 0.95)) - _BELOW_PEAKS_DB)


def _at(values: np.ndarray, frames: int, fps: Fraction) -> np.ndarray:
    return at_rate(values[:, None], frames, fps)[:, 0].astype(np.float32)
