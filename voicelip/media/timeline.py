"""Timestamps: from a stream's packets to a constant frame rate."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

_COMMON_RATES = [
    *(Fraction(rate) for rate in (5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120)),
    *(Fraction(rate * 1000, 1001) for rate in (15, 24, 30, 48, 60, 120)),
]
_SLOWEST = 5  # below this a clip is a slide show, on which lips could not move
_DEMUX_FAILURES = 20  # in a row, after which the rest of a file is lost
_FASTEST = 120  # deliveries per second; what claims more has an odd clock, not more pictures


@dataclass(frozen=True)
class Timeline:
    """The presentation times of a stream's frames, and where decoding may start."""

    time_base: Fraction  # seconds per tick
    times: np.ndarray  # (N,) int64 ticks, ascending
    keys: list[int]  # ticks of the frames that decode on their own, ascending
    seek_points: list[int]  # for each key, the timestamp to seek to
    last_duration: int  # ticks that the last frame stays
    packet_count: int  # with those that an edit list hides
    unstamped: bool  # the packets carry no times: the declared rate was used, and seeking is impossible

    @property
    def start(self) -> int:
        """Ticks of the first frame, which is the clip's time zero."""
        return int(self.times[0])

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return float((int(self.times[-1]) - self.start + self.last_duration) * self.time_base)

    def frame_count(self, fps: Fraction) -> int:
        """How many frames of a constant rate the stream lasts."""
        ticks = int(self.times[-1]) - self.start + self.last_duration
        return max(1, round(ticks * self.time_base * fps))

    def key_at_or_before(self, tick: int) -> int:
        """Index into `keys` of the last one not after `tick`, or -1."""
        return bisect_right(self.keys, tick) - 1


def read_timeline(container: Any, stream: Any) -> Timeline | None:
    """Read all packets, without decoding any; None if there are none. Leaves the container at its end."""
    rate = declared_rate(stream)
    ticks_per_frame = max(1, round(1 / (rate * stream.time_base)))
    seek_by_dts = "mov" in container.format.name
    times: list[int] = []
    keyed: list[tuple[int, int]] = []
    unstamped = False
    duration = 0
    count = 0
    for packet in packets_until_broken(container, stream):
        count += 1
        if packet.is_discard:
            continue
        tick = packet.pts if packet.pts is not None else packet.dts
        if tick is None:
            tick, unstamped = len(times) * ticks_per_frame, True
        times.append(tick)
        duration = packet.duration or 0
        if packet.is_keyframe:
            keyed.append((tick, packet.dts if seek_by_dts and packet.dts is not None else tick))
    if not times:
        return None
    keyed.sort()
    ordered = np.unique(np.asarray(times, dtype=np.int64))
    return Timeline(
        time_base=stream.time_base,
        times=ordered,
        keys=[tick for tick, _ in keyed],
        seek_points=[point for _, point in keyed],
        last_duration=_last_duration(ordered, duration, ticks_per_frame),
        packet_count=count,
        unstamped=unstamped,
    )


def packets_until_broken(container: Any, stream: Any) -> Any:
    """The stream's packets that hold data, past damage if the demuxer finds its way again."""
    from av.error import FFmpegError

    failures = 0
    while failures < _DEMUX_FAILURES:
        try:
            for packet in container.demux(stream):
                failures = 0
                if packet.size:
                    yield packet
            return
        except FFmpegError:
            failures += 1


def _last_duration(times: np.ndarray, declared: int, fallback: int) -> int:
    if len(times) < 2:
        return declared or fallback
    usual = int(np.median(np.diff(times)))
    # The last packet's own duration is often 0, or reaches to the end of a longer sound track.
    return declared if 0 < declared <= 2 * usual else usual


def declared_rate(stream: Any) -> Fraction:
    """The rate that the container claims, or 25."""
    for rate in (stream.guessed_rate, stream.average_rate):
        if rate and 0 < rate <= _FASTEST:
            return Fraction(rate)
    return Fraction(25)


def constant_rate(timeline: Timeline, stream: Any) -> Fraction:
    """The constant rate that suits a stream best: its own if it has one, else its usual one.

    For variable rates that is the rate of the median gap, so that a 30 fps phone clip that dropped
    frames in the dark is still 30 fps.
    """
    if timeline.unstamped or len(timeline.times) < 3:
        return declared_rate(stream)
    gaps = np.diff(timeline.times)
    mean = float(gaps.mean() * timeline.time_base)
    median = float(np.median(gaps) * timeline.time_base)
    tick = float(timeline.time_base)
    is_constant = float(np.abs(gaps * tick - mean).max()) <= max(2 * tick, 0.1 * mean)
    measured = 1 / (mean if is_constant else median)
    if measured < _SLOWEST:
        return Fraction(25)
    # Over n gaps the measured mean is uncertain by two ticks in n: a short clip cannot tell 30 from 29.97.
    tolerance = 0.0003 + 2 * tick / (len(gaps) * mean) if is_constant else 0.02
    nearest = sorted(_COMMON_RATES, key=lambda rate: abs(float(rate) - measured))
    for rate in (declared_rate(stream), *nearest):
        if abs(float(rate) / measured - 1) <= tolerance:
            return rate
    return min(Fraction(measured).limit_denominator(1001), Fraction(_FASTEST))
