"""The time map: which moment of the clip is seen and heard at each moment of the dub.

Where the picture keeps its pace the two are the same; `--fit video` slows stretches of it, and all that
follows comes later. Times are exact fractions, so nothing drifts.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

_MS = 1000


@dataclass(frozen=True)
class Stretch:
    """A stretch of the clip, in seconds, and by how much longer it lasts in the dub."""

    start_s: Fraction
    end_s: Fraction
    factor: Fraction


@dataclass(frozen=True)
class TimeMap:
    """Piecewise linear: `knots` are (moment of the clip, moment of the dub), both rising, in seconds.

    Before the first knot and after the last, time runs as in the clip.
    """

    knots: tuple[tuple[Fraction, Fraction], ...] = ((Fraction(0), Fraction(0)),)

    @classmethod
    def slowed(cls, stretches: Sequence[Stretch]) -> "TimeMap":
        """The map in which these stretches, which may not overlap, last `factor` times as long."""
        knots = [(Fraction(0), Fraction(0))]
        for stretch in sorted(stretches, key=lambda each: each.start_s):
            clip, dub = knots[-1]
            dub += stretch.start_s - clip
            knots.append((stretch.start_s, dub))
            knots.append((stretch.end_s, dub + (stretch.end_s - stretch.start_s) * stretch.factor))
        return cls(tuple(dict.fromkeys(knots)))

    @property
    def is_identity(self) -> bool:
        """Whether the dub keeps the clip's time throughout."""
        return all(clip == dub for clip, dub in self.knots)

    def output(self, source_s: float | Fraction) -> Fraction:
        """When a moment of the clip comes in the dub; moments are rounded to whole milliseconds if they are
        floats.
        """
        return self._along(_exact(source_s), 0)

    def source(self, output_s: float | Fraction) -> Fraction:
        """Which moment of the clip is shown at a moment of the dub."""
        return self._along(_exact(output_s), 1)

    def source_index(self, index: int, fps: Fraction) -> int:
        """The clip's frame that is shown as frame `index` of the dub; may lie behind the clip's end."""
        moment = self._along(index / fps, 1) * fps
        return max(0, int(moment + Fraction(1, 2)))

    def _along(self, moment: Fraction, given: int) -> Fraction:
        wanted = 1 - given
        place = bisect_right(self.knots, moment, key=lambda knot: knot[given]) - 1
        here = self.knots[max(place, 0)]
        if place < 0 or place + 1 == len(self.knots):
            return here[wanted] + moment - here[given]
        there = self.knots[place + 1]
        share = (moment - here[given]) / (there[given] - here[given])
        return here[wanted] + share * (there[wanted] - here[wanted])


def _exact(moment: float | Fraction) -> Fraction:
    return moment if isinstance(moment, Fraction) else Fraction(round(moment * _MS), _MS)
