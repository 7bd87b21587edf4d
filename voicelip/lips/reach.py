"""How far a person moves the mouth.

What differs between speakers is amplitude (0.5 to 2.5 times), and what is predicted from sound varies less
than what is spoken, as every least-squares prediction does. Both are measured in the person's own clip: its
landmarks tell the amplitude, its sound how much of it prediction gives back.
"""

import numpy as np

from voicelip.lips.motion import MotionBasis, lip_gap, speaker_amplitude

TALKING_GAP_PX = 2.5  # spread of the lip gap, crop px, from which a clip tells how far its speaker moves
_AMPLITUDE_RANGE = (0.6, 1.6)
_USUAL_AMPLITUDE = 0.85  # below the training speakers' median, who read commands with care
_GAIN_RANGE = (0.8, 1.6)
_SAME_SPEECH_R = 0.5  # a lower correlation says that the sound is not this mouth's
_LEAST_FRAMES = 40


def amplitude(offsets: np.ndarray, basis: MotionBasis) -> float:
    """How far this person moves the mouth, relative to the median speaker, from offsets (T, 55, 2) about the
    closed mouth; a usual reach for a clip without speech.
    """
    if np.quantile(lip_gap(offsets), 0.9) < TALKING_GAP_PX:
        return _USUAL_AMPLITUDE
    return float(np.clip(speaker_amplitude(offsets) / basis.amplitude, *_AMPLITUDE_RANGE))


def prediction_gain(predicted_gap: np.ndarray, real_gap: np.ndarray) -> float:
    """Factor that gives lip gaps (T,) predicted from a clip's sound the spread of the clip's real ones.

    1 where the two do not move together: then the sound is music, or somebody else's.
    """
    if len(real_gap) < _LEAST_FRAMES or min(predicted_gap.std(), real_gap.std()) < 1e-3:
        return 1.0
    if np.corrcoef(predicted_gap, real_gap)[0, 1] < _SAME_SPEECH_R:
        return 1.0
    return float(np.clip(real_gap.std() / predicted_gap.std(), *_GAIN_RANGE))
