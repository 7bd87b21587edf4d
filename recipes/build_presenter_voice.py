"""Make voicelip/assets/presenter.wav: the reference recording of the bundled presenter, in a stock voice.

python recipes/build_presenter_voice.py
"""

from pathlib import Path

import numpy as np

from voicelip.media import Audio, write_audio
from voicelip.speech import speak_text

VOICE = "stock:af_heart"
TEXT = (
    "Hello, and welcome. I am nobody in particular, but I would be glad to read your text to you today. "
    "Choose a picture, write a few words, and listen."
)
TARGET = Path(__file__).resolve().parent.parent / "voicelip" / "assets" / "presenter.wav"


def main() -> None:
    speech = speak_text(TEXT, VOICE, "en")
    TARGET.parent.mkdir(exist_ok=True)
    write_audio(TARGET, Audio(np.clip(speech.audio.samples, -1, 1), speech.audio.sample_rate), overwrite=True)
    print(f"{TARGET.name}: {speech.audio.duration_s:.1f} s, {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
