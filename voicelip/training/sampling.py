"""Which clips are trained on how often."""

from collections import Counter

import numpy as np

from voicelip.errors import OptionError
from voicelip.training.clips import PreparedClips


def speaker_weights(speakers: list[str], evenness: float = 0.5) -> np.ndarray:
    """Probability of each clip; with `evenness` 0 all clips count alike, with 1 all speakers do."""
    counts = Counter(speakers)
    weights = np.array([counts[speaker] ** -evenness for speaker in speakers])
    return weights / weights.sum()


def clip_weights(data: PreparedClips, shares: tuple[float, ...] = (), evenness: float = 0.5) -> np.ndarray:
    """Probability of each clip of joined folders, of which each has its share of the samples.

    Without shares the folders count as one.
    """
    speakers = [clip.speaker for clip in data.clips]
    if not shares:
        return speaker_weights(speakers, evenness)
    folders = data.folders()
    if len(shares) != len(folders) or min(shares) < 0 or sum(shares) <= 0:
        raise OptionError(f"shares: {list(shares)} are not one for each of {len(folders)} prepared folders")
    parts = [
        share / sum(shares) * speaker_weights(speakers[folder.start : folder.stop], evenness)
        for share, folder in zip(shares, folders, strict=True)
    ]
    return np.concatenate(parts)
