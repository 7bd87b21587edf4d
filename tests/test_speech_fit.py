"""A fit brings the engine nearer to a speaker; an interrupted one goes on to the same end."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voicelip.media import Audio, write_audio
from voicelip.progress import silent
from voicelip.speech import enrol, finish, fit, fit_descent, speak_text
from voicelip.speech.encoder import embed
from voicelip.speech.engine import Voice
from voicelip.speech.fit_target import Target
from voicelip.speech.mapper import style_like
from voicelip.speech.reference import read_references
from voicelip.speech.voices import stock_voices


@pytest.fixture(scope="module")
def reference() -> Audio:
    """A voice that no stock voice is: a mixture."""
    mixed = Voice("mixed", (("am_fenrir", 0.9), ("bf_emma", 0.6), ("em_alex", -0.5)))
    return speak_text("We walked along the shore until it was dark, and then went home.", mixed).audio


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "STEPS", {"quick": 4})
    monkeypatch.setattr(fit, "PHRASES", {"quick": 1})
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # threads wait for each other on a busy machine
    monkeypatch.setattr(fit_descent, "Plan", functools.partial(fit_descent.Plan, check_every=2))


def voice_of(fitted: fit.FittedVoice) -> Voice:
    return Voice("fitted", fitted.mixture, style=fitted.style, overrides=fitted.overrides)


@pytest.mark.usefixtures("short")
def test_a_fit_that_is_interrupted_ends_as_an_unbroken_one(reference: Audio, tmp_path: Path) -> None:
    unbroken = fit.fit_voice([reference], "quick")
    keep = tmp_path / "fit.pt"

    def stop_at_three(stage: str, done: float, total: float | None, unit: str = "") -> None:
        if stage == "fit" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit.fit_voice([reference], "quick", progress=stop_at_three, resume_from=keep)
    assert keep.exists()
    resumed = fit.fit_voice([reference], "quick", resume_from=keep)
    assert not keep.exists()
    assert resumed.scores == unbroken.scores
    for name, array in unbroken.overrides.items():
        np.testing.assert_allclose(resumed.overrides[name], array, atol=1e-6)


def test_a_fit_starts_between_the_mixture_and_the_mapper_s_style() -> None:
    stock = stock_voices()
    windows = stock.embeddings[:2]
    target = Target(windows, windows[0], np.zeros(192), np.zeros(80), np.ones(80), median_hz=200.0)
    mixture = (("af_heart", 1.0),)
    start = fit._start(mixture, target)
    ends = stock.mixture(mixture), style_like(windows, 200.0)
    np.testing.assert_allclose(start, (ends[0] + ends[1]) / 2, atol=1e-5)
    unknown = fit._start(mixture, replace(target, median_hz=None))
    np.testing.assert_array_equal(unknown, ends[0])


def test_a_fitted_voice_is_not_filtered_again(reference: Audio) -> None:
    target = finish.Target(finish.long_term_spectrum(reference))
    plain, one_shot, fitted = (
        speak_text("Good morning.", Voice("x", (("af_heart", 1.0),), target=each)).audio.samples
        for each in (None, target, replace(target, is_fitted=True))
    )
    assert np.array_equal(fitted, plain)
    assert not np.array_equal(one_shot, plain)


@pytest.mark.slow
def test_a_fitted_voice_speaks_more_like_the_speaker(
    reference: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "STEPS", {"quick": 25})
    fitted = fit.fit_voice([reference], "quick")
    text = "Nobody had expected such a warm summer."
    wanted = embed(reference)
    before = embed(speak_text(text, Voice("start", fitted.mixture)).audio) @ wanted
    after = embed(speak_text(text, voice_of(fitted)).audio) @ wanted
    assert after > before + 0.03


@pytest.mark.usefixtures("short")
def test_what_an_older_version_left_of_a_fit_does_not_stop_a_new_one(
    reference: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrol, "voices_folder", lambda: tmp_path / "voices")
    write_audio(tmp_path / "me.wav", reference)
    references = read_references([tmp_path / "me.wav"])
    profile = enrol.describe("me", references, "en-us", False)

    def stop(stage: str, done: float, total: float | None, unit: str = "") -> None:
        if stage == "fit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enrol.fitted(profile, references, "quick", 0, stop)
    (state,) = (tmp_path / "fits").iterdir()
    state.write_bytes(b"of another time")
    assert enrol.fitted(profile, references, "quick", 0, silent).fit is not None
    assert not state.exists()
