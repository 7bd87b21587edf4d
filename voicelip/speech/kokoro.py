"""The embedded engine: Kokoro-82M (int8) through onnxruntime, phonemes by espeak-ng."""

import functools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.errors import OptionError, TextError
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech import phonemes, waveform
from voicelip.speech.engine import Segment, Speech, Voice
from voicelip.speech.text import Sentence, clean, split_sentences
from voicelip.speech.voices import ROWS, stock_voices

SLOWEST, FASTEST = 0.5, 2.0

LEAD_S = 0.10
CLAUSE_PAUSE_S = 0.10
SENTENCE_PAUSE_S = 0.25
PARAGRAPH_PAUSE_S = 0.55
TAIL_S = 0.20


@dataclass(frozen=True)
class _Utterance:
    """What the model speaks in one go, and the pause after it."""

    sentence: int
    phonemes: str
    pause_s: float


class KokoroEngine:
    """Speaks with one thread per utterance, as many utterances at a time as there are cores, up to four."""

    name = "kokoro"
    languages = phonemes.LANGUAGES
    sample_rate = 24_000

    def synthesize(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Speech:
        """Speak `text`; segments are its sentences."""
        if not SLOWEST <= speed <= FASTEST:
            raise OptionError(f"speed {speed:g} is out of range; choose {SLOWEST:g} to {FASTEST:g}")
        lang = phonemes.resolve_language(lang)
        cleaned, foreign = clean(text)
        spoken = split_sentences(cleaned, lang)
        utterances = list(_utterances(spoken, lang))
        if not utterances:
            raise TextError("the text holds nothing that can be spoken; give at least one word")
        style = stock_voices().mixture(voice.mixture)
        session = _session(progress)
        waves = self._speak_all(session, utterances, style, speed, progress)
        return _assemble(waves, utterances, spoken, speed, voice.warnings + _warnings(foreign, lang))

    def _speak_all(
        self, session: Any, utterances: list[_Utterance], style: np.ndarray, speed: float, progress: Progress
    ) -> list[np.ndarray]:
        """Waveforms in the order of `utterances`; progress counts phonemes."""
        total = sum(len(utterance.phonemes) for utterance in utterances)
        progress("speak", 0, total, "phonemes")
        waves: list[np.ndarray] = []
        done = 0
        workers = min(4, len(utterances), os.cpu_count() or 1)
        with ThreadPoolExecutor(workers) as pool:
            jobs = [pool.submit(_speak, session, u.phonemes, style, speed) for u in utterances]
            try:
                for utterance, job in zip(utterances, jobs, strict=True):
                    waves.append(job.result())
                    done += len(utterance.phonemes)
                    progress("speak", done, total, "phonemes")
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        return waves


@functools.cache
def _load_session(path: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread per run: measured faster than two, and utterances run side by side instead.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Utterances differ in length, so remembered memory patterns never fit again.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _session(progress: Progress) -> Any:
    return _load_session(str(hub.fetch("kokoro", progress)))


def _utterances(spoken: list[Sentence], lang: str) -> Iterator[_Utterance]:
    for i, sentence in enumerate(spoken):
        pieces = phonemes.chunks(phonemes.phonemize(sentence.text, lang))
        after = PARAGRAPH_PAUSE_S if sentence.ends_paragraph else SENTENCE_PAUSE_S
        for j, piece in enumerate(pieces):
            if piece:
                yield _Utterance(i, piece, after if j + 1 == len(pieces) else CLAUSE_PAUSE_S)


def _speak(session: Any, letters: str, style: np.ndarray, speed: float) -> np.ndarray:
    """(N,) float32 at 24 kHz, without the near-silence that the model puts around it."""
    ids = phonemes.tokens(letters)
    inputs = {
        "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
        "style": style[min(len(ids), ROWS) - 1][None],
        "speed": np.array([speed], dtype=np.float32),
    }
    (wave,) = session.run(None, inputs)
    return waveform.trimmed(np.asarray(wave, dtype=np.float32).ravel(), KokoroEngine.sample_rate)


def _assemble(
    waves: list[np.ndarray], utterances: list[_Utterance], spoken: list[Sentence], speed: float,
    warnings: tuple[str, ...],
) -> Speech:  # fmt: skip
    """Join utterances with pauses, and note when each sentence is heard."""
    rate = KokoroEngine.sample_rate
    pieces = [waveform.silence(LEAD_S, rate)]
    heard: dict[int, tuple[float, float]] = {}
    at = len(pieces[0])
    for i, (wave, utterance) in enumerate(zip(waves, utterances, strict=True)):
        start = heard.get(utterance.sentence, (at / rate, 0.0))[0]
        heard[utterance.sentence] = (start, (at + len(wave)) / rate)
        is_last = i + 1 == len(waves)
        pause = waveform.silence(TAIL_S if is_last else utterance.pause_s / speed, rate)
        pieces += [wave, pause]
        at += len(wave) + len(pause)
    samples = waveform.levelled(np.concatenate(pieces), rate)
    segments = tuple(Segment(spoken[i].text, start, end) for i, (start, end) in heard.items())
    return Speech(Audio(samples, rate), segments, warnings)


def _warnings(foreign: str, lang: str) -> tuple[str, ...]:
    if not foreign:
        return ()
    return (f"letters that {lang} does not use were left out: {foreign[:20]}",)
