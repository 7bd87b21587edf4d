"""The new speech of a dub as others hear it: understood by a recogniser, and whose voice it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicelip.dub.job import CueState, Job
from voicelip.dub.speech_track import SpeechTrack
from voicelip.dub.takes import Takes, Wish
from voicelip.errors import JobError, VoicelipError
from voicelip.media import Audio
from voicelip.progress import Progress
from voicelip.speech import Speech
from voicelip.speech.recognise import heard_text
from voicelip.speech.word_errors import word_errors

RATE = 16_000
SHORTEST_S = 1.0  # of speech, below which an embedding tells little
_AROUND_S = 0.25  # of silence, without which a recogniser misses first and last sounds


@dataclass(frozen=True)
class SpeechScores:
    """Of one cue. `errors` of `words`; `likeness` is None for what is too short to tell."""

    heard: str
    errors: int
    words: int
    likeness: float | None = None

    @property
    def wer(self) -> float:
        return self.errors / max(1, self.words)


def speech_track(job: Job, cues: Sequence[CueState]) -> SpeechTrack:
    """The dubbed speech, as it was placed and stretched; before the mix, so without what lies under it."""
    spoken = [cue for cue in cues if cue.fit and cue.take]
    missing = [cue.number for cue in spoken if cue.take and not _sound(job, cue).is_file()]
    if missing:
        raise JobError(
            f"{job.takes}: the speech of cue {missing[0]} is missing; run the dub again, which makes it anew"
        )
    return SpeechTrack(spoken, Takes(job.takes, _silent), RATE)


def speech_scores(
    cues: Sequence[CueState], track: SpeechTrack, progress: Progress
) -> dict[int, SpeechScores]:
    """By cue number, of those that are spoken."""
    spoken = [cue for cue in cues if cue.fit and cue.take]
    heard, embeddings = {}, {}
    for number, cue in enumerate(spoken, 1):
        audio = _audio(track, cue)
        text = heard_text(audio, cue.lang.split("-")[0])
        heard[cue.number] = (text, *fair_errors(cue.text, text, cue.lang))
        if cue.fit and cue.fit.end_s - cue.fit.start_s >= SHORTEST_S:
            embeddings[cue.number] = _embedding(audio)
        progress("listening to the dub", number, len(spoken), "cues")
    targets = _targets(spoken, embeddings)
    return {
        cue.number: SpeechScores(*heard[cue.number], _likeness(cue, embeddings, targets)) for cue in spoken
    }


def fair_errors(wanted: str, heard: str, lang: str) -> tuple[int, int]:
    """Word errors and words, by the kinder of two comparisons: as written, and with numbers, dates and
    abbreviations read out on both sides, since a recogniser writes 20 where the subtitle says twenty.
    """
    pairs = [(wanted, heard), (_read_out(wanted, lang), _read_out(heard, lang))]
    return min((word_errors(*pair) for pair in pairs), key=lambda found: found[0] / max(1, found[1]))


def _read_out(text: str, lang: str) -> str:
    from voicelip.speech.phonemes import resolve_language
    from voicelip.speech.reading.reader import read

    try:
        return " ".join(word.spoken for word in read(text, resolve_language(lang)))
    except (VoicelipError, KeyError):  # a language of another engine, whose numbers nobody here reads
        return text


def _audio(track: SpeechTrack, cue: CueState) -> Audio:
    assert cue.fit is not None
    start, end = (round(moment * RATE) for moment in (cue.fit.start_s, cue.fit.end_s + 0.05))
    samples = track.read(max(0, start), max(1, end))
    return Audio(np.pad(samples, round(_AROUND_S * RATE)), RATE)


def _embedding(audio: Audio) -> np.ndarray:
    from voicelip.speech.encoder import embed

    return embed(audio)


def _targets(cues: Sequence[CueState], embeddings: Mapping[int, np.ndarray]) -> dict[str, np.ndarray]:
    """What each voice should sound like: its reference; for a stock voice the middle of its own cues."""
    from voicelip.speech import encoder

    targets = {}
    for voice in sorted({cue.voice for cue in cues}):
        reference = _reference(voice)
        own = [embeddings[cue.number] for cue in cues if cue.voice == voice and cue.number in embeddings]
        if reference is not None:
            targets[voice] = reference
        elif len(own) > 2:  # of fewer the middle would be each one's own
            targets[voice] = encoder.middle(np.stack(own))
    return targets


def _reference(voice: str) -> np.ndarray | None:
    from voicelip.speech.speaking import VoiceSpec

    spec = VoiceSpec.parse(voice)
    if spec.kind == "profile":
        from voicelip.speech.profile_store import load_profile

        return np.asarray(load_profile(spec.name).embedding)
    if spec.kind == "recording" and Path(spec.name).is_file():
        from voicelip.media import read_audio

        return _embedding(read_audio(spec.name, RATE))
    return None


def _likeness(
    cue: CueState, embeddings: Mapping[int, np.ndarray], targets: Mapping[str, np.ndarray]
) -> float | None:
    own, target = embeddings.get(cue.number), targets.get(cue.voice)
    return None if own is None or target is None else round(float(own @ target), 4)


def _sound(job: Job, cue: CueState) -> Path:
    assert cue.take is not None
    return job.takes / f"{cue.take.key}.wav"


def _silent(wish: Wish) -> Speech:
    raise JobError(f"the speech of {wish.text[:40]!r} is missing; run the dub again")
