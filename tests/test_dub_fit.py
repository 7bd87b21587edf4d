"""Speech meets its time by one rule after the other, and nothing is cut or spoken over."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from voicelip.dub.cues import Cue
from voicelip.dub.fit import Limits, Room, Schedule, fitted, slowed_picture
from voicelip.dub.job import Fit
from voicelip.dub.timemap import Stretch, TimeMap
from voicelip.media import Audio
from voicelip.media.tempo import at_tempo

LIMITS = Limits()


def cue(number: int, start_s: float, end_s: float, speaker: str = "", text: str = "x" * 40) -> Cue:
    return Cue(number, start_s, end_s, text, speaker)


def engine(natural_s: float) -> Callable[[float], float]:
    """One whose speech lasts so long at its natural pace, and that meets every speed."""
    return lambda speed: natural_s / speed


def meets(natural_s: float, slot_s: float = 2.0, free_s: float | None = None) -> Fit:
    room = Room(10.0, 10.0 + slot_s, 10.0 + (slot_s if free_s is None else free_s))
    return fitted(cue(1, 10.0, 12.0), room, engine(natural_s), LIMITS)


def test_speech_that_fits_keeps_its_pace() -> None:
    fit = meets(1.9)
    assert (fit.rule, fit.speed, fit.stretch, fit.start_s, fit.end_s) == ("natural", 1.0, 1.0, 10.0, 11.9)


def test_speech_a_little_too_long_is_spoken_just_as_fast_as_needed() -> None:
    fit = meets(2.2)
    assert (fit.rule, fit.speed, fit.stretch) == ("faster", 1.1, 1.0)
    assert fit.end_s <= 12.0


def test_an_engine_that_misses_its_speed_is_asked_again() -> None:
    room = Room(0.0, 2.0, 9.0)
    lazy = lambda speed: 2.2 / (1 + 0.7 * (speed - 1))  # noqa: E731
    fit = fitted(cue(1, 0.0, 2.0), room, lazy, LIMITS)
    assert fit.rule == "faster"
    assert 1.1 < fit.speed < 1.2


def test_what_speed_cannot_do_the_silence_after_does() -> None:
    fit = meets(2.6, free_s=3.0)
    assert (fit.rule, fit.speed, fit.stretch) == ("silence", 1.2, 1.0)
    assert fit.over_s == pytest.approx(2.6 / 1.2 - 2, abs=1e-5)


def test_without_silence_the_sound_is_stretched() -> None:
    fit = meets(2.6)
    assert (fit.rule, fit.speed) == ("stretched", 1.2)
    assert fit.stretch == pytest.approx(2.6 / 1.2 / 2, abs=1e-5)
    assert fit.end_s == pytest.approx(12.0, abs=1e-5)


def test_what_nothing_can_do_is_spoken_at_the_limits_and_reported() -> None:
    fit = meets(3.7)
    assert (fit.rule, fit.speed, fit.stretch) == ("too_long", 1.2, 1.1)
    assert fit.too_long_s == pytest.approx(3.7 / 1.2 / 1.1 - 2, abs=1e-5)
    assert fit.advice == "too long by 0.9 s, shorten to about 28 characters"


def scheduled(cues: list[Cue], natural_s: list[float], clip_s: float = 100.0) -> list[Fit]:
    schedule, fits = Schedule(cues, TimeMap(), Fraction(clip_s), LIMITS), []
    for index, (each, lasts_s) in enumerate(zip(cues, natural_s, strict=True)):
        fits.append(fitted(each, schedule.room(index), engine(lasts_s), LIMITS))
        schedule.spoken(index, fits[-1])
    return fits


def test_the_silence_ends_where_the_next_cue_begins() -> None:
    fit, _ = scheduled([cue(1, 0, 2), cue(2, 3, 5)], [3.5, 1])
    assert fit.rule == "silence"
    assert fit.end_s <= 3 - LIMITS.gap_s


def test_the_silence_before_another_speaker_counts_and_what_overlaps_in_the_subtitles_does_not() -> None:
    before_ben, _ = scheduled([cue(1, 0, 2, "Ana"), cue(2, 3, 5, "Ben")], [3.5, 1])
    assert before_ben.end_s <= 3
    beside_ben, _, _ = scheduled(
        [cue(1, 0, 2, "Ana"), cue(2, 1, 1.5, "Ben"), cue(3, 8, 9, "Ana")], [4.0, 0.4, 1]
    )
    assert beside_ben.rule == "silence"
    assert 3 < beside_ben.end_s < 4


def test_a_speaker_never_speaks_over_themselves_the_next_cue_is_late_and_catches_up() -> None:
    fits = scheduled([cue(n, 2 * n, 2 * n + 1.9) for n in range(4)], [4.0, 1.2, 1.2, 1.2])
    assert fits[0].rule == "too_long"
    for before, after in pairwise(fits):
        assert after.start_s >= before.end_s + LIMITS.gap_s - 1e-6
    assert fits[1].late_s == pytest.approx(fits[0].end_s + LIMITS.gap_s - 2, abs=1e-5)
    assert fits[1].late_s > fits[2].late_s > fits[3].late_s == 0.0


def test_no_cues_of_one_speaker_ever_overlap_whatever_their_lengths() -> None:
    random = np.random.default_rng(3)
    starts = np.cumsum(random.uniform(0.4, 4, 300)).round(3)
    cues = [
        cue(n, float(start), float(start + random.uniform(0.3, 0.39)), "AB"[n % 2])
        for n, start in enumerate(starts)
    ]
    fits = scheduled(cues, list(random.uniform(0.2, 6, 300)), clip_s=float(starts[-1]) + 10)
    for name in "AB":
        own = [fit for each, fit in zip(cues, fits, strict=True) if each.speaker == name]
        assert all(after.start_s > before.end_s for before, after in pairwise(own))
    assert all(fit.speed <= 1.2 and fit.stretch <= 1.1 for fit in fits)
    assert {fit.rule for fit in fits} == {"natural", "faster", "silence", "stretched", "too_long"}


# The time map


def test_the_picture_is_slowed_where_speech_is_too_long_up_to_a_limit() -> None:
    cues = [cue(1, 1, 3), cue(2, 4, 5), cue(3, 6, 8)]
    times = slowed_picture(cues, [2.2, 3.0, 1.0], LIMITS)
    assert times.output(3.0) - times.output(1.0) == Fraction(22, 10)
    assert times.output(5.0) - times.output(4.0) == Fraction(125, 100)
    assert times.output(8.0) - times.output(6.0) == 2
    assert times.output(6.0) == 6 + Fraction(2, 10) + Fraction(25, 100)


def test_where_two_speakers_overlap_the_picture_goes_as_slowly_as_the_slower_needs() -> None:
    times = slowed_picture([cue(1, 0, 2, "A"), cue(2, 1, 3, "B")], [2.2, 2.4], LIMITS)
    assert times.output(1.0) == Fraction(11, 10)
    assert times.output(2.0) == Fraction(11, 10) + Fraction(12, 10)


def test_a_time_map_goes_both_ways_without_loss() -> None:
    times = TimeMap.slowed([Stretch(Fraction(1), Fraction(2), Fraction(5, 4))])
    for moment in (Fraction(1, 2), Fraction(3, 2), Fraction(7, 3), Fraction(100)):
        assert times.source(times.output(moment)) == moment
    assert not times.is_identity


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
def test_an_hour_of_frames_keeps_its_place(fps: Fraction) -> None:
    times = TimeMap()
    assert [times.source_index(index, fps) for index in (0, 1, 89_999, 90_000)] == [0, 1, 89_999, 90_000]
    slow = TimeMap.slowed([Stretch(Fraction(n), n + Fraction(1, 2), Fraction(113, 100)) for n in range(3600)])
    last = slow.output(Fraction(3600))
    assert last == 3600 + 1800 * Fraction(13, 100)
    assert slow.source_index(int(last * fps), fps) in (
        int(3600 * fps) - 1,
        int(3600 * fps),
        int(3600 * fps) + 1,
    )


# The stretch


def test_a_stretch_keeps_the_pitch_and_takes_its_time() -> None:
    rate = 24_000
    seconds = np.arange(3 * rate) / rate
    tone = (0.5 * np.sin(2 * np.pi * 200 * seconds)).astype(np.float32)
    tone[: rate // 2] = tone[-rate // 2 :] = 0
    faster = at_tempo(Audio(tone, rate), 1.1).samples
    heard = np.flatnonzero(np.abs(faster) > 0.05)
    assert (heard[-1] - heard[0]) / rate == pytest.approx(2 / 1.1, abs=0.03)
    part = faster[heard[0] : heard[-1]]
    pitch = np.abs(np.fft.rfft(part)).argmax() * rate / len(part)
    assert pitch == pytest.approx(200, abs=1)
