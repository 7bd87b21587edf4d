"""The first draft of a clip's own subtitles: what is said, when, and by which of its people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.dub.cues import Cue
from voicelip.dub.diarise import Speakers, speakers_of
from voicelip.errors import OptionError, TextError
from voicelip.media import Audio
from voicelip.media.sound_stream import sound_on_disk
from voicelip.progress import Progress, silent
from voicelip.speech import waveform
from voicelip.speech.engine import Segment
from voicelip.speech.recognise import heard_phrases
from voicelip.speech.srt import check_subtitles, parts, write_parts

RATE = 16_000
LONGEST_CUE_S = 7.0
SHORTEST_CUE_S = 1.0  # if the pause after it allows
PAUSE_S = 0.7  # a longer one ends a sentence
GAP_S = 0.08  # between two subtitles: two frames
MOST_SPEAKERS = 20
_SENTENCE_ENDS = (".", "?", "!", "…", "।", '."', '?"', '!"', ".»", "?»", "!»")
_BELOW_CLIP_DB = 32.0  # what is fainter than the clip's loud parts by so much was imagined
_BEFORE_S = 0.04  # a subtitle stands before its first sound
_PART_S = 60  # looked at together
_AROUND_S = 0.5  # beside a sentence, to tell the noise it stands in


@dataclass(frozen=True)
class Transcript:
    """A clip's own subtitles. `speakers` is empty where nobody asked who speaks, or one person does."""

    path: Path
    lang: str
    cues: tuple[Cue, ...]
    speakers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        cues = [
            {"start_s": cue.start_s, "end_s": cue.end_s, "text": cue.text, "speaker": cue.speaker}
            for cue in self.cues
        ]
        return {"path": str(self.path), "lang": self.lang, "speakers": list(self.speakers), "cues": cues}


def transcribe(
    clip: str | Path,
    *,
    out: str | Path,
    lang: str | None = None,
    speakers: Speakers | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Transcript:
    """Write the subtitles of what is said in `clip` to `out` (.srt, .vtt, .ass).

    `lang` is found out where it is None. With `speakers`, a number or "auto", each subtitle begins with the
    name of who says it, `Speaker 1:` and so on, if there are several. Raises a VoicelipError subclass for
    anything the user can mend.
    """
    out = Path(out)
    if isinstance(speakers, int) and not 1 <= speakers <= MOST_SPEAKERS:
        raise OptionError(f"{speakers} speakers are out of range; choose 1 to {MOST_SPEAKERS}, or auto")
    check_subtitles(out, overwrite)
    hint = lang.split("-")[0].lower() if lang else None
    with sound_on_disk(clip, RATE) as audio:
        words, spoken = heard_phrases(audio, hint, skip_pauses=True, progress=progress)
        sentences = sentences_of(words, audio)
        if not sentences:
            raise TextError(f"{clip}: no speech is heard in it; name a clip in which somebody speaks")
        cues = cues_of(sentences, names := _names(sentences, audio, speakers, progress))
    write_parts(out, [Segment(_labelled(cue), cue.start_s, cue.end_s) for cue in cues], overwrite)
    return Transcript(out, lang or spoken, _numbered(cues), tuple(sorted({*names} - {""})))


def sentences_of(words: Sequence[Segment], audio: Audio) -> list[list[Segment]]:
    """Words of one sentence each, or of what was said between two pauses, at the times of their sound."""
    loud = _loud_level(audio.samples)
    runs = [[word for word in run if word.text] for run in _runs(words)]
    timed = [_timed(run, audio, loud) for run in runs if run]
    return [run for run in timed if run]


def cues_of(sentences: Sequence[Sequence[Segment]], names: Sequence[str]) -> list[Cue]:
    """Subtitles of at most two lines and 7 s; `text` holds its line breaks."""
    found: list[Cue] = []
    for sentence, name in zip(sentences, names, strict=True):
        text = " ".join(word.text for word in sentence)
        whole = Segment(text, sentence[0].start_s, sentence[-1].end_s)
        found += [
            Cue(0, part.start_s, part.end_s, part.text, name)
            for part in parts(whole, sentence, LONGEST_CUE_S)
        ]
    return _readable(found)


def _names(
    sentences: Sequence[Sequence[Segment]], audio: Audio, speakers: Speakers | None, progress: Progress
) -> list[str]:
    if speakers is None:
        return [""] * len(sentences)
    phrases = [Segment("", sentence[0].start_s, sentence[-1].end_s) for sentence in sentences]
    labels = speakers_of(phrases, audio, speakers, progress)
    if len(set(labels)) == 1:
        return [""] * len(sentences)
    return [f"Speaker {label + 1}" for label in labels]


def _runs(words: Sequence[Segment]) -> Iterator[list[Segment]]:
    run: list[Segment] = []
    for word, following in pairwise([*words, None]):
        if word is None:
            continue
        run.append(word)
        pauses = following is None or following.start_s - word.end_s > PAUSE_S
        if pauses or word.text.endswith(_SENTENCE_ENDS):
            yield run
            run = []


def _timed(run: list[Segment], audio: Audio, loud: float) -> list[Segment]:
    """The words without the silence that the recogniser counts to the first; nothing if silence is all there
    is.
    """
    levels = _levels(audio, run[0].start_s, run[-1].end_s)
    if not levels.size or np.percentile(levels, 95) < loud * 10 ** (-_BELOW_CLIP_DB / 20):
        return []
    noise = np.percentile(_levels(audio, run[0].start_s - _AROUND_S, run[-1].end_s + _AROUND_S), 10)
    # Halfway from noise to speech, as one hears it: in decibels.
    is_heard = levels > np.sqrt(max(noise, 1e-6) * np.percentile(levels, 95))
    lasting = np.flatnonzero(is_heard[:-1] & is_heard[1:])
    first_s = run[0].start_s + (float(lasting[0]) * waveform.FRAME_S if lasting.size else 0.0) - _BEFORE_S
    start_s = min(max(first_s, run[0].start_s), run[0].end_s)
    return [replace(run[0], start_s=start_s), *run[1:]]


def _levels(audio: Audio, start_s: float, end_s: float) -> np.ndarray:
    """Of each hundredth of a second."""
    start, end = (max(0, round(moment * audio.sample_rate)) for moment in (start_s, end_s))
    return waveform.frame_levels(audio.samples[start:end], audio.sample_rate)


def _loud_level(samples: np.ndarray) -> float:
    size = _PART_S * RATE
    levels = [
        waveform.frame_levels(samples[start : start + size], RATE) for start in range(0, len(samples), size)
    ]
    return float(np.percentile(np.concatenate(levels), 95)) if levels else 0.0


def _readable(cues: Sequence[Cue]) -> list[Cue]:
    """None shorter than can be read if there is room, none over the next."""
    found = []
    for cue, following in pairwise([*cues, None]):
        if cue is None:
            continue
        end_s = max(cue.end_s, cue.start_s + SHORTEST_CUE_S)
        if following is not None:
            end_s = max(min(end_s, following.start_s - GAP_S), cue.start_s + 0.2)
        found.append(replace(cue, end_s=end_s))
    return found


def _numbered(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    return tuple(
        replace(
            cue,
            number=number,
            start_s=round(cue.start_s, 3),
            end_s=round(cue.end_s, 3),
            text=cue.text.replace("\n", " "),
        )
        for number, cue in enumerate(cues, 1)
    )


def _labelled(cue: Cue) -> str:
    return f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
