"""What a recogniser hears in speech, and when: for engines that do not know when they say what."""

import functools
import importlib.util
from typing import Any

from voicelip import hub
from voicelip.media import Audio
from voicelip.speech.engine import Segment

ARTIFACT = "whisper-base"
# Without a hint the recogniser may write Hindi in Arabic or Latin letters.
_PROMPTS = {"hi": "यह हिन्दी में लिखा है।"}


def present() -> bool:
    """Whether faster-whisper and its model are here; nothing is downloaded for it."""
    if importlib.util.find_spec("faster_whisper") is None:
        return False
    return any(status.artifact.name == ARTIFACT and status.state == "present" for status in hub.status())


def heard_words(audio: Audio, lang: str) -> list[Segment]:
    """The words that are heard; `lang` is the two-letter code."""
    pieces, _ = _model().transcribe(
        audio.resampled(16_000).samples,
        language=lang,
        word_timestamps=True,
        condition_on_previous_text=False,
        initial_prompt=_PROMPTS.get(lang),
    )
    return [
        Segment(word.word.strip(), float(word.start), float(word.end))
        for piece in pieces
        for word in piece.words
    ]


@functools.cache
def _model() -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(hub.fetch(ARTIFACT)), device="cpu", compute_type="int8")
