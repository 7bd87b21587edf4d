"""The embedded engine: Kokoro-82M (int8) through onnxruntime, phonemes by espeak-ng."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicelip.errors import OptionError, TextError
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech import loudness, phonemes, waveform
from voicelip.speech.background import begun
from voicelip.speech.engine import Segment, Speech, Voice
from voicelip.speech.kokoro_session import session_ahead, style_of
from voicelip.speech.script import Utterance, script
from voicelip.speech.voices import ROWS
from voicelip.speech.words import shifted, timed

SLOWEST, FASTEST = 0.5, 2.0
# The first pieces of a stream: 1 to 2 s of speech, and the second is made before the first was heard.
FIRST_TOKENS = (30, 45)

LEAD_S = 0.10
TAIL_S = 0.20

FRAME_S = 0.025
# A phoneme is heard before the frames that the model counts for it: onsets 45 ms, ends 80 ms (50 pauses).
EARLY_S = 0.07


@dataclass(frozen=True)
class _Take:
    """What the model spoke in one go, (N,) float32, and when its words are heard in it."""

    samples: np.ndarray
    words: tuple[Segment, ...]


@dataclass(frozen=True)
class _Piece:
    """A take at its place in the whole, with the silence around it."""

    samples: np.ndarray
    utterance: Utterance
    start_s: float
    end_s: float
    words: tuple[Segment, ...]


class KokoroEngine:
    """Speaks with one thread per utterance, as many utterances at a time as there are cores, up to four."""

    name = "kokoro"
    languages = phonemes.LANGUAGES
    sample_rate = 24_000

    def synthesize(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Speech:
        """Speak `text`; segments are its sentences."""
        lang = _checked(lang, speed)
        session = session_ahead(voice, progress)
        utterances, warnings = _prepared(text, lang)
        takes = self._takes(session, utterances, voice, lang, speed, progress, ahead=len(utterances))
        pieces = list(_placed(takes, utterances, speed))
        samples = loudness.levelled(np.concatenate([piece.samples for piece in pieces]), self.sample_rate)
        words = tuple(word for piece in pieces for word in piece.words)
        return Speech(Audio(samples, self.sample_rate), _sentences(pieces), voice.warnings + warnings, words)

    def stream(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Iterator[Speech]:
        """Speak `text` piece by piece, the first a short one, so that it is heard soon.

        Times count from the start of the first piece. The first piece sets the gain for all.
        """
        lang = _checked(lang, speed)
        session = session_ahead(voice, progress)
        utterances, warnings = _prepared(text, lang, FIRST_TOKENS)
        ahead = _workers(utterances) + 1
        takes = self._takes(session, utterances, voice, lang, speed, progress, ahead, first_alone=True)
        gain, warnings = 0.0, voice.warnings + warnings
        for piece in _placed(takes, utterances, speed):
            gain = gain or loudness.gain(piece.samples, self.sample_rate)
            audio = Audio(loudness.apply(piece.samples, self.sample_rate, gain), self.sample_rate)
            yield Speech(audio, (Segment(piece.utterance.written, piece.start_s, piece.end_s),), warnings,
                         piece.words)  # fmt: skip
            warnings = ()

    def _takes(
        self,
        session_of_voice: Callable[[], Any],
        utterances: Sequence[Utterance],
        voice: Voice,
        lang: str,
        speed: float,
        progress: Progress,
        ahead: int,
        first_alone: bool = False,
    ) -> Iterator[_Take]:
        """What is spoken, in order; at most `ahead` takes are made before they are asked for.

        With `first_alone` the others wait for the first, so that it is there sooner.
        """
        begun(loudness.load)  # half a second of imports, beside the session and the first take
        style, session = style_of(voice, lang), session_of_voice()
        speed *= voice.pace
        total = sum(len(utterance.phonemes) for utterance in utterances)
        progress("speak", 0, total, "phonemes")
        pool = ThreadPoolExecutor(_workers(utterances))
        jobs: deque[Future[_Take]] = deque()
        waiting, done = iter(utterances), 0

        def start(wanted: int) -> None:
            while len(jobs) < wanted and (coming := next(waiting, None)) is not None:
                jobs.append(pool.submit(_speak, session, coming, style, speed))

        try:
            start(1 if first_alone else ahead)
            for utterance in utterances:
                take = jobs.popleft().result()
                done += len(utterance.phonemes)
                progress("speak", done, total, "phonemes")
                start(ahead)  # the next are on their way while this one is heard
                yield take
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _workers(utterances: Sequence[Utterance]) -> int:
    return min(4, len(utterances), os.cpu_count() or 1)


def _checked(lang: str, speed: float) -> str:
    """The language's own name; what cannot be spoken so is refused before anything is loaded."""
    if not SLOWEST <= speed <= FASTEST:
        raise OptionError(f"speed {speed:g} is out of range; choose {SLOWEST:g} to {FASTEST:g}")
    return phonemes.resolve_language(lang)


def _prepared(
    text: str, lang: str, first_tokens: Sequence[int] = ()
) -> tuple[Sequence[Utterance], tuple[str, ...]]:
    """What is to be spoken, and what the user should know of it."""
    utterances, foreign = script(text, lang, first_tokens)
    if not utterances:
        raise TextError("the text holds nothing that can be spoken; give at least one word")
    return utterances, _warnings(foreign, lang)


def _speak(session: Any, utterance: Utterance, style: np.ndarray, speed: float) -> _Take:
    """An utterance at 24 kHz, without the near-silence that the model puts around it."""
    ids = phonemes.tokens(utterance.phonemes)
    inputs = {
        "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
        "style": style[min(len(ids), ROWS) - 1][None],
        "speed": np.array([speed], dtype=np.float32),
    }
    wave, frames = session.run(None, inputs)
    rate = KokoroEngine.sample_rate
    samples, cut = waveform.trimmed(np.asarray(wave, dtype=np.float32).ravel(), rate)
    cut_s = cut / rate + EARLY_S
    return _Take(samples, timed(utterance.words, frames.ravel(), FRAME_S, cut_s, len(samples) / rate))


def _placed(takes: Iterator[_Take], utterances: Sequence[Utterance], speed: float) -> Iterator[_Piece]:
    """Takes one after the other, with the pauses that the script asks for."""
    rate = KokoroEngine.sample_rate
    lead, at = waveform.silence(LEAD_S + utterances[0].before_s, rate), 0
    for i, (take, utterance) in enumerate(zip(takes, utterances, strict=True)):
        start_s = (at + len(lead)) / rate
        pause_s = utterance.asked_s + (TAIL_S if i + 1 == len(utterances) else utterance.pause_s / speed)
        samples = np.concatenate([lead, take.samples, waveform.silence(pause_s, rate)])
        end_s = start_s + len(take.samples) / rate
        yield _Piece(samples, utterance, start_s, end_s, shifted(take.words, start_s))
        at, lead = at + len(samples), waveform.silence(0, rate)


def _sentences(pieces: Sequence[_Piece]) -> tuple[Segment, ...]:
    """When each sentence is heard, from its first piece to its last."""
    heard: dict[int, Segment] = {}
    for piece in pieces:
        sentence = piece.utterance.sentence
        start_s = heard[sentence].start_s if sentence in heard else piece.start_s
        heard[sentence] = Segment(piece.utterance.sentence_text, start_s, piece.end_s)
    return tuple(heard.values())


def _warnings(foreign: str, lang: str) -> tuple[str, ...]:
    if not foreign:
        return ()
    return (f"letters that {lang} does not use were left out: {foreign[:20]}",)
