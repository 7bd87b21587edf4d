"""Engines that speak letters, a part at a time: takes checked and repeated, joined, and timed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicelip.media import Audio
from voicelip.progress import Progress
from voicelip.speech import alignment, loudness, plausible, recognise, waveform
from voicelip.speech.engine import Segment, Speech
from voicelip.speech.parts import Part

TRIES = 3
LEAD_S = 0.10
TAIL_S = 0.20
ESTIMATED = (
    "word times are estimated; install faster-whisper and `voicelip models pull whisper-base` for exact ones"
)

Generate = Callable[[Part, int], np.ndarray]  # a part and a seed → (N,) float32


@dataclass(frozen=True)
class Take:
    """A part as it was spoken, the words in it, and what is still wrong with it."""

    samples: np.ndarray
    words: tuple[Segment, ...]
    fault: str = ""


def speak_parts(
    parts: Sequence[Part], generate: Generate, rate: int, lang: str, speed: float, progress: Progress
) -> Speech:
    """Speak all parts; what sounds wrong is spoken again with another seed, then reported."""
    hears = recognise.present()
    total = sum(len(part.text) for part in parts)
    takes, done = [], 0
    progress("speak", 0, total, "letters")
    for part in parts:
        takes.append(_best_take(part, generate, rate, lang, speed, hears))
        done += len(part.text)
        progress("speak", done, total, "letters")
    warnings = _faults(parts, takes) + (() if hears else (ESTIMATED,))
    return _joined(parts, takes, rate, speed, warnings)


def _best_take(part: Part, generate: Generate, rate: int, lang: str, speed: float, hears: bool) -> Take:
    for seed in range(TRIES):
        take = _take(part, generate(part, seed), rate, lang, speed, hears)
        if not take.fault:
            break
    return take


def _take(part: Part, wave: np.ndarray, rate: int, lang: str, speed: float, hears: bool) -> Take:
    samples, _ = waveform.trimmed(np.asarray(wave, np.float32).ravel(), rate)
    spoken_s = len(samples) / rate
    heard = (
        recognise.heard_words(Audio(samples, rate), lang.split("-")[0]) if hears and len(samples) else None
    )
    if heard is None:
        words = alignment.by_letters(part.words, 0.0, spoken_s)
    else:
        words = alignment.by_hearing(part.words, heard, 0.0, spoken_s)
    return Take(samples, words, plausible.fault(part.text, lang, spoken_s, heard, speed))


def _faults(parts: Sequence[Part], takes: Sequence[Take]) -> tuple[str, ...]:
    return tuple(
        f"“{part.text[:40]}” {take.fault} in each of {TRIES} tries; listen to it"
        for part, take in zip(parts, takes, strict=True)
        if take.fault
    )


def _joined(
    parts: Sequence[Part], takes: Sequence[Take], rate: int, speed: float, warnings: tuple[str, ...]
) -> Speech:
    pieces, words = [waveform.silence(LEAD_S, rate)], []
    heard: dict[int, Segment] = {}
    at = len(pieces[0])
    for i, (part, take) in enumerate(zip(parts, takes, strict=True)):
        start_s, end_s = at / rate, (at + len(take.samples)) / rate
        first_s = heard[part.sentence].start_s if part.sentence in heard else start_s
        heard[part.sentence] = Segment(part.sentence_text, first_s, end_s)
        words += [Segment(word.text, start_s + word.start_s, start_s + word.end_s) for word in take.words]
        pause = waveform.silence(TAIL_S if i + 1 == len(parts) else part.pause_s / speed, rate)
        pieces += [take.samples, pause]
        at += len(take.samples) + len(pause)
    samples = loudness.levelled(np.concatenate(pieces), rate)
    return Speech(Audio(samples, rate), tuple(heard.values()), warnings, tuple(words))


def stream_parts(
    parts: Sequence[Part], chunks: Callable[[Part], Iterator[Any]], rate: int, lang: str, speed: float,
    warnings: tuple[str, ...],
) -> Iterator[Speech]:  # fmt: skip
    """Each part's sound as it comes, in chunks of (N,) samples; one that runs on is cut off and reported.

    The first chunk with sound sets the gain. The last piece of a part carries its words, estimated.
    """
    gain, at_s = 0.0, 0.0
    for i, part in enumerate(parts):
        start_s, limit_s, cut = at_s, plausible.longest_s(part.text, lang, speed), False
        for chunk in chunks(part):
            samples = np.asarray(chunk, np.float32).ravel()
            gain = gain or (loudness.gain(samples, rate) if len(samples) else 0.0)
            at_s += len(samples) / rate
            yield Speech(Audio(loudness.apply(samples, rate, gain), rate), (), warnings)
            warnings = ()
            if cut := at_s - start_s > limit_s:
                break
        pause = waveform.silence(TAIL_S if i + 1 == len(parts) else part.pause_s / speed, rate)
        faults = (f"“{part.text[:40]}” ran on and was cut off",) if cut else ()
        words = alignment.by_letters(part.words, start_s, at_s)
        yield Speech(Audio(pause, rate), (Segment(" ".join(part.words), start_s, at_s),), faults, words)
        at_s += len(pause) / rate
