"""Speech meets its time: natural pace, the engine's speed, the silence after, a stretch, a report, in turn.

A cue begins when its subtitle does, and is never cut and never spoken over by the same speaker. One that is
too long even at the limits of pace is spoken at them, and the same speaker's next cue begins later.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from voicelip.dub.cues import Cue
from voicelip.dub.job import Fit
from voicelip.dub.timemap import Stretch, TimeMap

_STEP = 100  # speeds and factors are whole hundredths, so that the same take serves again
_TRIES = 3  # of speeds below the fastest: engines meet a speed only roughly

SpokenS = Callable[[float], float]  # a speed of the engine → seconds from the first sound to the last


@dataclass(frozen=True)
class Limits:
    """How far each remedy may go."""

    fastest: float = 1.2  # the engine's speed
    stretch: float = 1.1  # the sound's, on top
    slowest: float = 1.25  # the picture's, with `--fit video`: by how much longer it may last
    gap_s: float = 0.08  # between two cues of one speaker: two frames


@dataclass(frozen=True)
class Room:
    """The time a cue has, in seconds of the dub: its slot, and up to where silence follows."""

    start_s: float
    slot_end_s: float
    free_until_s: float
    late_s: float = 0.0

    @property
    def slot_s(self) -> float:
        """May be nothing where a cue before took it all."""
        return max(0.0, self.slot_end_s - self.start_s)

    @property
    def all_s(self) -> float:
        """The slot and the silence after."""
        return max(0.0, self.free_until_s - self.start_s)


def fitted(cue: Cue, room: Room, spoken: SpokenS, limits: Limits) -> Fit:
    """How `cue` is to be spoken; `spoken` is asked for as few speeds as will do."""
    speed, lasts_s = _by_speed(room, spoken, limits)
    stretch, rule = 1.0, "natural" if speed == 1 else "faster"
    if lasts_s > room.slot_s:
        rule = "silence"
    if lasts_s > room.all_s:
        stretch, rule = lasts_s / room.all_s if room.all_s else math.inf, "stretched"
    too_long_s, advice = 0.0, ""
    if stretch > limits.stretch:
        stretch, rule = limits.stretch, "too_long"
        too_long_s = lasts_s / stretch - room.all_s
        letters = math.floor(len(cue.text) * room.all_s / (lasts_s / stretch))
        advice = f"too long by {math.ceil(10 * too_long_s) / 10:.1f} s, shorten to about {letters} characters"
    end_s = room.start_s + lasts_s / stretch
    return Fit(
        rule=rule,
        speed=speed,
        stretch=round(stretch, 6),
        start_s=round(room.start_s, 6),
        end_s=round(end_s, 6),
        slot_s=round(room.slot_s, 6),
        over_s=round(max(0.0, end_s - room.slot_end_s), 6),
        late_s=round(room.late_s, 6),
        too_long_s=round(too_long_s, 6),
        advice=advice,
    )


def _by_speed(room: Room, spoken: SpokenS, limits: Limits) -> tuple[float, float]:
    """The slowest speed at which the slot holds the speech, else the fastest; and how long it lasts then."""
    lasts_s = spoken(1.0)
    if lasts_s <= room.slot_s:
        return 1.0, lasts_s
    needed = lasts_s / room.slot_s if room.slot_s else math.inf
    for _ in range(_TRIES):
        if needed > limits.fastest - 1 / _STEP:
            break
        speed = _upwards(needed) / _STEP
        lasts_s = spoken(speed)
        if lasts_s <= room.slot_s:
            return speed, lasts_s
        needed = speed * lasts_s / room.slot_s + 0.5 / _STEP
    return limits.fastest, spoken(limits.fastest)


class Schedule:
    """The rooms of cues, in order of time; a cue that ran over moves the next one of its speaker."""

    def __init__(self, cues: Sequence[Cue], times: TimeMap, end_s: Fraction, limits: Limits) -> None:
        """`end_s` is the clip's end, in its own time."""
        self._cues, self._times, self._limits = cues, times, limits
        self._end_s = float(times.output(end_s))
        self._spoken_until: dict[str, float] = {}

    def room(self, index: int) -> Room:
        """The time that cue `index` has."""
        cue, gap_s = self._cues[index], self._limits.gap_s
        wanted_s = self._time(cue.start_s)
        start_s = max(wanted_s, self._spoken_until.get(cue.speaker, -gap_s) + gap_s)
        own_next_s = self._next_start(index, cue.speaker) - gap_s
        slot_end_s = min(self._time(cue.end_s), own_next_s)
        free_s = min(self._next_start(index, None) - gap_s, own_next_s, self._end_s)
        return Room(start_s, slot_end_s, max(slot_end_s, free_s), start_s - wanted_s)

    def spoken(self, index: int, fit: Fit) -> None:
        """Take note of how long cue `index` lasts."""
        self._spoken_until[self._cues[index].speaker] = fit.end_s

    def _time(self, clip_s: float) -> float:
        return float(self._times.output(clip_s))

    def _next_start(self, index: int, speaker: str | None) -> float:
        """When the speaker's next cue, or anybody's that does not overlap this one, begins; else never."""
        cue = self._cues[index]
        for later in self._cues[index + 1 :]:
            if later.speaker == speaker or (speaker is None and later.start_s >= cue.end_s):
                return self._time(later.start_s)
        return math.inf


def slowed_picture(cues: Sequence[Cue], natural_s: Sequence[float], limits: Limits) -> TimeMap:
    """The map that slows the picture where speech at its natural pace needs more than its slot, up to the
    limit.
    """
    wanted = [
        (_ms(cue.start_s), _ms(cue.end_s), _factor(lasts_s / cue.slot_s, limits))
        for cue, lasts_s in zip(cues, natural_s, strict=True)
        if lasts_s > cue.slot_s
    ]
    edges = sorted({edge for start, end, _ in wanted for edge in (start, end)})
    stretches = []
    for start, end in pairwise(edges):
        factors = [factor for first, last, factor in wanted if first <= start and end <= last]
        if factors:
            stretches.append(Stretch(start, end, max(factors)))
    return TimeMap.slowed(stretches)


def _ms(seconds: float) -> Fraction:
    return Fraction(round(seconds * 1000), 1000)


def _factor(needed: float, limits: Limits) -> Fraction:
    return min(Fraction(_upwards(needed), _STEP), Fraction(round(limits.slowest * _STEP), _STEP))


def _upwards(factor: float) -> int:
    """In hundredths, the next whole one; what is one but for rounding stays."""
    return math.ceil(factor * _STEP - 1e-6)
