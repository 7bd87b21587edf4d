"""Frames drawn in batches, faded where the footage's own mouth shows through."""

from collections.abc import Sequence

import numpy as np

from voicelip.face import MouthCrops
from voicelip.lips.generator import LipSession, Shot
from voicelip.media import Patch

BATCH = 4  # frames drawn at once: more gains nothing on two cores and costs memory


def drawn(
    session: LipSession, shots: Sequence[Shot], crops: MouthCrops, opacities: Sequence[float]
) -> dict[int, Patch]:
    """New mouths by output index, for those of `shots` whose face is usable, each at its opacity (0–1)."""
    usable = [n for n, shot in enumerate(shots) if np.isfinite(crops.to_frame[shot.source_index]).all()]
    patches = session.render([shots[n] for n in usable]) if usable else []
    return {
        shots[n].output_index: patch.faded(shots[n].picture, opacities[n])
        for n, patch in zip(usable, patches, strict=True)
    }
