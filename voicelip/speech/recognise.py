"""What a recogniser hears in speech, and when: for engines that do not know when they say what, and for clips
whose words nobody has written down.
"""

import functools
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.errors import VoicelipError
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech.engine import Segment
from voicelip.speech.waveform import frame_levels

ARTIFACT = "whisper-base"
BLOCK_S = 600.0
_CUT_WITHIN_S = 60.0  # of a block's end
_PAUSE_S = 0.3
_RATE = 16_000
# Without a hint the recogniser may write Hindi in Arabic or Latin letters.
_PROMPTS = {"hi": "यह हिन्दी में लिखा है।"}


def present() -> bool:
    """Whether faster-whisper and its model are here; nothing is downloaded for it."""
    if importlib.util.find_spec("faster_whisper") is None:
        return False
    return any(status.artifact.name == ARTIFACT and status.state == "present" for status in hub.status())


def heard_words(audio: Audio, lang: str) -> list[Segment]:
    """The words that are heard; `lang` is the two-letter code."""
    return heard_phrases(audio, lang)[0]


def heard_phrases(
    audio: Audio, lang: str | None, skip_pauses: bool = False, progress: Progress = silent
) -> tuple[list[Segment], str]:
    """The words that are heard, and their language, which is found out where `lang` is None.

    With `skip_pauses` only what a voice detector takes for speech is listened to: long recordings hold music
    and silence, in which the recogniser would hear words that nobody says.
    """
    audio, model = audio.resampled(_RATE), recogniser(progress)
    words: list[Segment] = []
    spoken = lang
    for start, stop in blocks(audio):
        pieces, about = model.transcribe(
            np.array(audio.samples[start:stop]),
            language=lang,
            word_timestamps=True,
            condition_on_previous_text=False,
            initial_prompt=_PROMPTS.get(lang or ""),
            vad_filter=skip_pauses,
        )
        start_s = start / _RATE
        for piece in pieces:
            words += [
                Segment(word.word.strip(), start_s + float(word.start), start_s + float(word.end))
                for word in piece.words
            ]
            progress("transcribing", min(start_s + piece.end, audio.duration_s), audio.duration_s, "s")
        spoken = spoken or str(about.language)
        lang = lang or (spoken if words else None)  # a block without speech does not settle the language
    progress("transcribing", audio.duration_s, audio.duration_s, "s")
    return words, lang or spoken or ""


def blocks(audio: Audio) -> Iterator[tuple[int, int]]:
    """First and past-the-last sample of parts, cut where it is quietest, that are listened to one at a time:
    so memory does not grow with the length.
    """
    rate, start = audio.sample_rate, 0
    while len(audio.samples) - start > BLOCK_S * rate:
        first = start + round((BLOCK_S - _CUT_WITHIN_S) * rate)
        levels = frame_levels(audio.samples[first : start + round(BLOCK_S * rate)], rate, _PAUSE_S)
        stop = first + round((int(levels.argmin()) + 0.5) * _PAUSE_S * rate)
        yield start, stop
        start = stop
    yield start, len(audio.samples)


def heard_text(audio: Audio, lang: str) -> str:
    """All that is heard, as it is written; `lang` is the two-letter code."""
    pieces, _ = recogniser().transcribe(
        audio.resampled(16_000).samples,
        language=lang,
        beam_size=5,
        condition_on_previous_text=False,
        initial_prompt=_PROMPTS.get(lang),
    )
    return " ".join(piece.text.strip() for piece in pieces)


def recogniser(progress: Progress = silent) -> Any:
    """faster-whisper's base model, loaded once."""
    if importlib.util.find_spec("faster_whisper") is None:
        raise VoicelipError("recognising speech needs faster-whisper; run `pip install voicelip[evaluate]`")
    return _model(str(hub.fetch(ARTIFACT, progress)))


@functools.cache
def _model(folder: str) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(folder, device="cpu", compute_type="int8")
