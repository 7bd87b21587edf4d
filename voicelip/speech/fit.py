"""Fit the embedded engine to a speaker: a style and decoder constants of their own, found by gradient
descent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from voicelip.media import Audio
from voicelip.progress import Progress, silent

Mode = Literal["quick", "full"]


@dataclass(frozen=True)
class FittedVoice:
    """What a fit found; all that the engine needs to speak as the person.

    `mixture` names the stock voice that the fit started from, `style` is (510, 256) float32, `overrides`
    maps initializers of the model to arrays that replace them, `pace` is a factor on the speed, and
    `scores` tells how good it is (name → number; `secs` is the similarity on a phrase kept aside).
    """

    mixture: tuple[tuple[str, float], ...]
    style: np.ndarray
    overrides: Mapping[str, np.ndarray]
    pace: float = 1.0
    scores: Mapping[str, float] = field(default_factory=dict)
    mode: Mode = "full"
    seed: int = 0


def fit_voice(
    references: Sequence[Audio],
    mode: Mode = "full",
    seed: int = 0,
    transcripts: Sequence[str] | None = None,
    progress: Progress = silent,
    resume_from: Path | None = None,
) -> FittedVoice:
    """Make the engine sound like the one speaker of `references`.

    `transcripts` are the words of each reference, where they are known. `resume_from` is a file that keeps
    the state of an unfinished fit; it is read if it exists and removed at the end.
    """
    raise NotImplementedError
