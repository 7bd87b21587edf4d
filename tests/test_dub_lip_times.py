"""When a mouth is made anew: in its speaker's turns, eased, and where it talks unheard."""

from fractions import Fraction

import numpy as np

from voicelip.dub.lip_times import EASE_FRAMES, heard, opacity, talking
from voicelip.dub.turns import Turn

FPS = Fraction(25)


def test_a_turn_covers_every_frame_that_it_touches() -> None:
    turns = [Turn("Anna", 0.5, 1.01), Turn("Tom", 0.0, 2.0)]
    assert np.flatnonzero(heard(turns, "Anna", 50, FPS)).tolist() == list(range(12, 26))
    assert heard(turns, "Tom", 40, FPS).all()
    assert not heard(turns, "Eve", 40, FPS).any()


def test_a_mouth_comes_before_its_sound_and_goes_by_degrees() -> None:
    wanted = np.zeros(100, bool)
    wanted[40:60] = True
    shown = opacity(wanted, FPS)
    assert (shown[36:64] == 1).all()
    assert shown[[36 - EASE_FRAMES - 1, 63 + EASE_FRAMES + 1]].tolist() == [0, 0]
    coming = shown[36 - EASE_FRAMES : 36]
    assert ((coming > 0) & (coming < 1)).all()
    assert (np.diff(coming) > 0).all()


def test_the_original_mouth_does_not_come_back_for_a_moment() -> None:
    wanted = np.ones(100, bool)
    wanted[40:60] = False  # of which 12 frames are left between what comes early and what stays late
    assert (opacity(wanted, FPS) == 1).all()
    wanted[30:70] = False
    assert (opacity(wanted, FPS) == 0).any()


def test_nothing_wanted_is_nothing_shown() -> None:
    assert not opacity(np.zeros(30, bool), FPS).any()


def test_a_mouth_talks_where_it_moves_and_something_is_heard() -> None:
    moving = 0.1 * np.abs(np.sin(np.arange(100) / 3))
    opening = np.where(np.arange(100) < 50, moving, 0.08).astype(np.float32)  # then open and still
    opening[20:23] = np.nan
    loud = np.arange(100) > 10
    talks = talking(opening, loud, FPS)
    assert talks[10:48].all()
    assert not talks[60:].any()
    assert not talking(opening, np.zeros(100, bool), FPS).any()
    assert talking(opening, None, FPS)[:48].all()
    assert not talking(np.full(30, np.nan), None, FPS).any()
