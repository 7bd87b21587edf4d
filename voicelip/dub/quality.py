"""The quality of a dub, measured: how its speech is understood, whose voice it is, how its mouths move.

A report is made from the job folder and the finished file, at any time: before the run it tells what the
subtitles ask for, after it what came of them. What was measured of a cue is kept in the cue's file, so that
only what was dubbed anew is measured again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.dub.job import CueState, Job, JobState, write_json
from voicelip.dub.quality_lips import Lips, lip_scores
from voicelip.dub.quality_speech import RATE, SpeechScores, speech_scores, speech_track
from voicelip.dub.report import Report, report_of
from voicelip.dub.speech_track import SpeechTrack
from voicelip.dub.thresholds import Thresholds
from voicelip.hashing import content_hash
from voicelip.media import Clip
from voicelip.media.sound_stream import SoundReader
from voicelip.progress import Progress, silent

FILE, CURVES = "quality.json", "curves.json"
CURVE_HZ = 25


def assess(
    job: str | Path,
    thresholds: Thresholds | None = None,
    progress: Progress = silent,
    measure: bool = True,
) -> Report:
    """The report of the job folder `job`, also written there as quality.json and curves.json.

    Without `measure` nothing is listened to or looked at: what an earlier report measured stays.
    """
    folder, thresholds = Job(job), thresholds or Thresholds()
    state, cues = folder.read(), folder.cues()
    video = _video(folder, state)
    measured = _measured(folder, state, cues, video, progress) if measure and video else {}
    cues = folder.cues()
    measured = measured or _known(folder, state)
    report = report_of(folder, state, cues, video, thresholds, measured)
    write_json(folder.folder / FILE, {**report.to_dict(), "measured": measured})
    return report


def _video(job: Job, state: JobState) -> Path | None:
    """The finished dub, if there is one and the job made it."""
    path = job.folder / state.out
    return path if state.result and path.is_file() else None


def _measured(
    job: Job, state: JobState, cues: Sequence[CueState], video: Path, progress: Progress
) -> dict[str, Any]:
    """What is measured of the whole file; of the cues it goes into their own files."""
    known = _known(job, state)
    is_same = known.get("sha256") == content_hash(video)
    if is_same and all("wer" in cue.scores for cue in cues if cue.fit):
        return known
    track = speech_track(job, cues)
    new = [cue for cue in cues if "wer" not in cue.scores]
    speech = speech_scores(cues, track, progress) if new else {}
    clip = Clip(video)
    lips = lip_scores(clip, cues, track, progress)
    for cue in cues:
        job.write_cue(replace(cue, scores={**cue.scores, **_scores(cue, speech, lips)}))
    write_json(job.folder / CURVES, _curves(clip, track, lips))
    return {
        "sha256": content_hash(video),
        "pause_opening": dict(lips.pause_opening),
        "watermark": clip.info.has_audio and _has_watermark(video, cues),
        "credentials": _credentials(video),
    }


def _known(job: Job, state: JobState) -> dict[str, Any]:
    """What an earlier report measured of the file, if it was this job's present output."""
    try:
        known = json.loads((job.folder / FILE).read_text("utf-8"))["measured"]
    except (OSError, RecursionError, ValueError, KeyError, TypeError):
        return {}
    return known if known.get("sha256") == state.result.get("sha256") else {}


def _scores(cue: CueState, speech: Mapping[int, SpeechScores], lips: Lips) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if cue.number in speech:
        own = speech[cue.number]
        found = {"heard": own.heard, "errors": own.errors, "words": own.words, "wer": round(own.wer, 4)}
        found["likeness"] = own.likeness
    if cue.number in lips.cues:
        mouth = lips.cues[cue.number]
        found |= {"lips_r": mouth.r, "lag_frames": mouth.lag, "unseen": mouth.unseen}
    return found


def _has_watermark(video: Path, cues: Sequence[CueState]) -> bool:
    """Whether the mark is heard where the dub speaks; elsewhere there is only what it came with."""
    from voicelip.trust.watermark import find_in

    return find_in(_spoken_parts(video, cues), RATE).is_found


def _spoken_parts(video: Path, cues: Sequence[CueState]) -> Iterator[np.ndarray]:
    spans = sorted((round(c.fit.start_s * RATE), round(c.fit.end_s * RATE)) for c in cues if c.fit)
    reader, first = SoundReader(video, RATE, 1), 0
    for block in reader.blocks(20 * RATE):
        samples = block[0]
        last = first + len(samples)
        inside = [(max(a, first), min(b, last)) for a, b in spans if a < last and b > first]
        yield from (samples[a - first : b - first] for a, b in inside)
        first = last


def _credentials(video: Path) -> str:
    from voicelip.trust.verify import verify

    return verify(video).credentials


def _curves(clip: Clip, track: SpeechTrack, lips: Lips) -> dict[str, Any]:
    """What the page draws, so many values a second; None where nothing is known."""
    seconds = float(clip.info.frame_count / clip.info.fps)
    return {
        "hz": CURVE_HZ,
        "seconds": round(seconds, 3),
        "speech": _envelope(track, seconds),
        "expected": _plain(lips.expected, float(lips.fps), seconds),
        "opening": {name: _plain(curve, float(lips.fps), seconds) for name, curve in lips.opening.items()},
    }


def _envelope(track: SpeechTrack, seconds: float) -> list[float]:
    """The largest sample in each 25th of a second."""
    size, found = track.rate // CURVE_HZ, []
    for first in range(0, max(1, int(seconds * CURVE_HZ)), 1000):
        count = min(1000, max(1, int(seconds * CURVE_HZ)) - first)
        block = track.read(first * size, (first + count) * size)
        found += np.abs(block).reshape(count, size).max(axis=1).round(3).tolist()
    return found


def _plain(curve: np.ndarray, fps: float, seconds: float) -> list[float | None]:
    places = np.minimum(np.arange(int(seconds * CURVE_HZ)) / CURVE_HZ * fps, len(curve) - 1).astype(int)
    return [round(float(value), 3) if np.isfinite(value) else None for value in curve[places]]
