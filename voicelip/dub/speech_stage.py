"""Every cue spoken and fitted to its time, written to the job folder as it is done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from voicelip.dub.fit import Limits, Schedule, fitted, slowed_picture
from voicelip.dub.job import CueState, Fit, Job, Take
from voicelip.dub.options import DubOptions
from voicelip.dub.takes import Takes, Wish
from voicelip.dub.timemap import TimeMap
from voicelip.dub.voices import Voices
from voicelip.errors import TextError
from voicelip.progress import Progress


@dataclass(frozen=True)
class Spoken:
    """The cues with their takes and fits, in order of time, and the time map that they were fitted to."""

    cues: tuple[CueState, ...]
    times: TimeMap


class SpeechStage:
    """Speaks and fits the cues of one job."""

    def __init__(
        self, job: Job, takes: Takes, voices: Voices, options: DubOptions, progress: Progress
    ) -> None:
        self._job, self._takes, self._voices = job, takes, voices
        self._options, self._progress = options, progress

    def run(self, states: Sequence[CueState], duration_s: Fraction) -> Spoken:
        """Speak all cues and fit them to a clip of `duration_s`."""
        ordered = sorted(states, key=lambda state: (state.start_s, state.number))
        times = self._times(ordered)
        schedule = Schedule([state.cue for state in ordered], times, duration_s, self._options.limits)
        done: list[CueState] = []
        for index, state in enumerate(ordered):
            made = self._fitted(state, schedule, index)
            if made != state:
                self._job.write_cue(made)
            done.append(made)
            self._progress("speech", index + 1, len(ordered), "cues")
        return Spoken(tuple(done), times)

    def _times(self, ordered: Sequence[CueState]) -> TimeMap:
        if self._options.fit == "speech":
            return TimeMap()
        natural = []
        for index, state in enumerate(ordered):
            natural.append(self._take(state, 1.0).spoken_s)
            self._progress("first takes", index + 1, len(ordered), "cues")
        return slowed_picture([state.cue for state in ordered], natural, self._options.limits)

    def _fitted(self, state: CueState, schedule: Schedule, index: int) -> CueState:
        made: dict[float, Take] = {}

        def spoken_s(speed: float) -> float:
            made[speed] = made.get(speed) or self._take(state, speed)
            return made[speed].spoken_s

        fit = fitted(state.cue, schedule.room(index), spoken_s, self._options.limits)
        schedule.spoken(index, fit)
        takes = tuple(sorted(made.values(), key=lambda take: take.speed == fit.speed))
        scores = state.scores if (takes, fit) == (state.takes, state.fit) else {}
        return replace(state, takes=takes, fit=fit, scores=scores)

    def _take(self, state: CueState, speed: float) -> Take:
        options = self._options
        wish = Wish(
            state.text,
            state.voice,
            self._voices.sha256(state.voice),
            state.lang,
            speed,
            options.engine,
            options.finish,
            str(options.model_dir or ""),
        )
        try:
            return self._takes.take(wish)
        except TextError as failure:
            raise TextError(f"cue {state.number} (line {state.line}): {failure}") from None


def fit_warnings(cues: Sequence[CueState], limits: Limits) -> list[str]:
    """What a human should look at, cue by cue."""
    told = []
    for cue in cues:
        fit = cue.fit
        if fit is None:
            continue
        if fit.advice:
            told.append(f"cue {cue.number} (line {cue.line}): {fit.advice}")
        if fit.late_s > limits.gap_s:
            told.append(
                f"cue {cue.number} (line {cue.line}): begins {fit.late_s:.1f} s late, after a long one"
            )
    return told + _collisions(cues)


def _collisions(cues: Sequence[CueState]) -> list[str]:
    """Speech that runs into another speaker's, where the subtitles do not overlap."""
    told = []
    for index, cue in enumerate(cues):
        for later in cues[index + 1 :]:
            if cue.fit is None or later.fit is None or later.fit.start_s >= cue.fit.end_s:
                break
            if later.speaker != cue.speaker and later.start_s >= cue.end_s:
                over = cue.fit.end_s - later.fit.start_s
                told.append(
                    f"cue {cue.number} (line {cue.line}): speaks {over:.1f} s into what {later.speaker} says"
                )
    return told


def longest_end(fits: Sequence[Fit | None]) -> float:
    """When the last speech ends."""
    return max((fit.end_s for fit in fits if fit), default=0.0)
