"""What a voice is known again by: the stricter of the two speaker encoders, CAM++, over a recording."""

from pathlib import Path

from voicelip.errors import BadReferenceError
from voicelip.media import read_audio
from voicelip.trust.likeness import Likeness

_LONGEST_S = 120.0  # more of one voice says no more about it
_LEAST_S = 1.5


def likeness_of_voice(path: Path) -> Likeness:
    """Of the speaker in a recording or a clip's sound. Loads torch."""
    from voicelip.speech import campplus, encoder

    audio = read_audio(path, encoder.RATE, stop_s=_LONGEST_S)
    heard = encoder.without_pauses(audio.samples, encoder.RATE)
    if len(heard) < _LEAST_S * encoder.RATE or not heard.any():
        raise BadReferenceError(
            f"{path}: {len(heard) / encoder.RATE:.1f} s of speech are too little to know the voice again by; "
            "give 5 s or more of the person speaking"
        )
    return Likeness.of("voice", campplus.embed(audio))
