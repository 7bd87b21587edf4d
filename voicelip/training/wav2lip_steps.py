"""What the stages of Wav2Lip share: which clips they draw, and how their steps are counted."""

from typing import Any

import numpy as np

from voicelip.errors import OptionError
from voicelip.training.clips import PreparedClips
from voicelip.training.sampling import clip_weights
from voicelip.training.stage import Stateless
from voicelip.training.wav2lip_faces import usable

EXAM_SEED = 1


class Steps(Stateless):
    """Counts on from the checkpoint that a run started with, as the published files do."""

    def __init__(self, steps_an_epoch: int) -> None:
        self.steps_before = 0
        self._steps_an_epoch = max(1, steps_an_epoch)

    def counts(self, step: int) -> tuple[int, int]:
        """`global_step`, `global_epoch`."""
        total = self.steps_before + step
        return total, total // self._steps_an_epoch

    def state(self) -> dict[str, Any]:
        return {"steps_before": self.steps_before}

    def resume(self, state: dict[str, Any]) -> None:
        self.steps_before = state["steps_before"]


def weights_of(data: PreparedClips, shares: tuple[float, ...] = ()) -> np.ndarray:
    """Probability of each clip: all usable ones alike, unless folders have shares."""
    weights = clip_weights(data, shares, evenness=0) * usable(data)
    if not weights.sum():
        raise OptionError("no clip is long enough: six frames and a fifth of a second of sound are needed")
    return weights / weights.sum()
