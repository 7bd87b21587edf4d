"""What the engine spoke for a job, kept by what was asked for: asked again, it is not spoken again."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.dub.job import Take, write_json
from voicelip.errors import VoicelipError
from voicelip.hashing import content_hash
from voicelip.media import Audio, read_audio, write_audio
from voicelip.media.tempo import at_tempo
from voicelip.speech import Segment, Speech, waveform

VERSION = 1  # of what is done to the engine's sound; a new one has all takes spoken anew
HEARD_DB = 40.0  # below the loudest: what is quieter is not yet, or no longer, speech
BEFORE_S, AFTER_S = 0.01, 0.06  # kept around the speech, faded
_PAD_S = 0.05  # before a stretch, which eats the first 20 ms


@dataclass(frozen=True)
class Wish:
    """All that decides what a take sounds like. `voice_sha256` is of the recording or profile, if any."""

    text: str
    voice: str
    voice_sha256: str
    lang: str
    speed: float
    engine: str
    finish: bool
    model_dir: str = ""  # the engine's model, where it does not bring one

    @functools.cached_property
    def key(self) -> str:
        """The hash that the take is known by."""
        plain = json.dumps({"version": VERSION, **asdict(self)}, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Spoken:
    """Speech from its first sound to its last with the margins around, and where the first is in it."""

    samples: np.ndarray  # (N,) float32
    rate: int
    first: int  # sample

    @property
    def spoken_s(self) -> float:
        """From the first sound to the last."""
        return (len(self.samples) - self.first - round(AFTER_S * self.rate)) / self.rate


class Takes:
    """The takes in a folder; `speak` makes the speech of a wish."""

    def __init__(self, folder: Path, speak: Callable[[Wish], Speech]) -> None:
        self._folder, self._speak = folder, speak
        self.made = 0  # by this run
        self.warnings: dict[str, tuple[str, ...]] = {}  # of takes by their key

    def take(self, wish: Wish) -> Take:
        """The take of a wish, from the folder if it is there and whole."""
        known = self._known(wish.key)
        if known is None:
            known = self._make(wish)
        self.warnings[wish.key] = tuple(known["warnings"])
        return Take(wish.key, known["sha256"], wish.speed, known["spoken_s"])

    def spoken(self, take: Take) -> Spoken:
        """The speech of a take."""
        return _trimmed(read_audio(self._sound(take.key)))

    def words(self, take: Take) -> tuple[Segment, ...]:
        """Its words, in seconds from the first sound."""
        known = json.loads(self._facts(take.key).read_text("utf-8"))
        return tuple(Segment(**word) for word in known["words"])

    def _sound(self, key: str) -> Path:
        return self._folder / f"{key}.wav"

    def _facts(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _known(self, key: str) -> dict[str, Any] | None:
        """What is written of a take; None if it is missing or its sound was damaged."""
        try:
            known = json.loads(self._facts(key).read_text("utf-8"))
            is_whole = known["sha256"] == content_hash(self._sound(key))
        except (OSError, RecursionError, ValueError, KeyError, TypeError):
            return None
        return known if is_whole else None

    def _make(self, wish: Wish) -> dict[str, Any]:
        speech = self._speak(wish)
        write_audio(self._sound(wish.key), speech.audio, overwrite=True)
        # The file is what counts: it is rounded to 16 bits, and a resumed run has nothing else.
        audio = read_audio(self._sound(wish.key))
        spoken = _trimmed(audio)
        start, _ = _span(audio)
        known = {
            "asked": asdict(wish),
            "sha256": content_hash(self._sound(wish.key)),
            "spoken_s": round(spoken.spoken_s, 6),
            "words": [_word(word, start / audio.sample_rate) for word in speech.words],
            "warnings": list(speech.warnings),
        }
        write_json(self._facts(wish.key), known)
        self.made += 1
        return known


def stretched(spoken: Spoken, factor: float) -> Spoken:
    """The same speech `factor` times as fast at its own pitch."""
    if factor == 1:
        return spoken
    padded = np.pad(spoken.samples, round(_PAD_S * spoken.rate))
    return _trimmed(at_tempo(Audio(padded, spoken.rate), factor))


def voice_hash(path: Sequence[Path]) -> str:
    """One hash of the files that a voice is made of; empty for a stock voice."""
    if not path:
        return ""
    return hashlib.sha256("".join(content_hash(each) for each in sorted(path)).encode()).hexdigest()


def _span(audio: Audio) -> tuple[int, int]:
    return waveform.speech_span(audio.samples, audio.sample_rate, HEARD_DB)


def _trimmed(audio: Audio) -> Spoken:
    rate = audio.sample_rate
    start, end = _span(audio)
    if end == start:
        raise VoicelipError("the engine spoke nothing but silence; give another text or voice")
    before, after = round(BEFORE_S * rate), round(AFTER_S * rate)
    padded = np.pad(audio.samples, (before, after))
    samples = padded[start : end + before + after].copy()
    samples[:before] *= np.linspace(0, 1, before, dtype=np.float32)
    samples[-after:] *= np.linspace(1, 0, after, dtype=np.float32) ** 2
    return Spoken(samples, rate, before)


def _word(word: Segment, first_s: float) -> dict[str, Any]:
    return {
        "text": word.text,
        "start_s": round(max(0.0, word.start_s - first_s), 4),
        "end_s": round(max(0.0, word.end_s - first_s), 4),
    }
