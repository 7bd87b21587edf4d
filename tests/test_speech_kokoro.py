"""Spoken text: as long as it should be, in order, without clicks, the same every time."""

import subprocess
import sys

import numpy as np
import pytest

from voicelip.errors import (
    OptionError,
    TextError,
    UnknownNameError,
    UnsupportedLanguageError,
)
from voicelip.speech import Speech, engine_names, load_engine, phonemes, speak_text
from voicelip.speech.phonemes import LANGUAGES
from voicelip.speech.script import SENTENCE_PAUSE_S

GREETINGS = {
    "en-us": "Good morning.", "en-gb": "Good morning.", "es": "Buenos días.", "fr-fr": "Bonjour à tous.",
    "hi": "नमस्ते दोस्तों।", "it": "Buongiorno a tutti.", "pt-br": "Bom dia a todos.",
}  # fmt: skip


@pytest.fixture(scope="module")
def two_sentences() -> Speech:
    return speak_text("This is the first one. And here is the second!", "stock:af_heart")


def test_sentences_are_heard_one_after_the_other(two_sentences: Speech) -> None:
    first, second = two_sentences.segments
    assert (first.text, second.text) == ("This is the first one.", "And here is the second!")
    assert 0 < first.start_s < first.end_s < second.start_s < second.end_s < two_sentences.audio.duration_s
    assert second.start_s - first.end_s == pytest.approx(SENTENCE_PAUSE_S, abs=0.01)


def test_speech_sounds_where_the_segments_say(two_sentences: Speech) -> None:
    audio = two_sentences.audio
    rate = audio.sample_rate
    first, second = two_sentences.segments
    spoken = [audio.samples[round(s.start_s * rate) : round(s.end_s * rate)] for s in (first, second)]
    between = audio.samples[round(first.end_s * rate) : round(second.start_s * rate)]
    assert all(np.abs(part).max() > 0.2 for part in spoken)
    assert np.abs(between).max(initial=0) < 1e-3


def test_level_is_sane_and_nothing_clicks(two_sentences: Speech) -> None:
    samples = two_sentences.audio.samples
    assert samples.dtype == np.float32
    assert 0.3 < np.abs(samples).max() <= 10 ** (-1 / 20)
    assert abs(samples.mean()) < 0.01
    silent = samples == 0
    beside_silence = np.abs(np.diff(samples))[silent[1:] | silent[:-1]]
    assert beside_silence.max() < 1e-3


def test_the_same_text_gives_the_same_samples(two_sentences: Speech) -> None:
    again = speak_text("This is the first one. And here is the second!", "stock:af_heart")
    np.testing.assert_array_equal(again.audio.samples, two_sentences.audio.samples)


def test_faster_speech_is_shorter(two_sentences: Speech) -> None:
    fast = speak_text("This is the first one. And here is the second!", "stock:af_heart", speed=1.5)
    assert fast.audio.duration_s < 0.8 * two_sentences.audio.duration_s


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_voice_speaks_every_language_even_a_foreign_one(lang: str) -> None:
    speech = speak_text(GREETINGS[lang], "stock:ef_dora", lang)
    assert 0.6 < speech.audio.duration_s < 3.5
    assert speech.warnings == ()


def test_a_sentence_in_pieces_is_one_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = "He came in, sat down, and fell asleep."
    whole = speak_text(sentence, "stock:af_heart")
    original = phonemes.chunk_spans
    monkeypatch.setattr(
        phonemes, "chunk_spans", lambda letters, limit=20, start=0: original(letters, limit, start)
    )
    pieces = speak_text(sentence, "stock:af_heart")
    assert [segment.text for segment in pieces.segments] == [sentence]
    assert pieces.audio.duration_s == pytest.approx(whole.audio.duration_s, rel=0.4)


@pytest.mark.slow
def test_a_sentence_beyond_the_model_s_limit_is_spoken_whole() -> None:
    words = "and then the small train went slowly over the wide bridge, " * 9
    speech = speak_text("First " + words + "until it stopped.", "stock:af_heart", speed=2.0)
    assert len(speech.segments) == 1
    assert 13 < speech.audio.duration_s < 26


def test_progress_counts_up_to_the_whole(two_sentences: Speech) -> None:
    calls: list[tuple[str, float, float | None]] = []
    speak_text(
        "One. Two.",
        "stock:am_adam",
        progress=lambda stage, done, total, unit="": calls.append((stage, done, total)),
    )
    spoken = [(done, total) for stage, done, total in calls if stage == "speak"]
    assert spoken[0][0] == 0
    assert spoken[-1][0] == spoken[-1][1]
    assert spoken == sorted(spoken)


def test_letters_of_other_scripts_are_left_out_with_a_warning() -> None:
    speech = speak_text("Hello 日本 there.", "stock:af_heart")
    assert "日本" in speech.warnings[0]


@pytest.mark.parametrize("text", ["", " \n ", "?!…", "😀", "東京"])
def test_text_without_speech_is_an_error(text: str) -> None:
    with pytest.raises(TextError):
        speak_text(text, "stock:af_heart")


def test_bad_options_are_errors() -> None:
    with pytest.raises(UnsupportedLanguageError, match="en-gb"):
        speak_text("Hello.", "stock:af_heart", "xx")
    with pytest.raises(OptionError, match="speed"):
        speak_text("Hello.", "stock:af_heart", speed=9)
    with pytest.raises(UnknownNameError, match="kokoro"):
        speak_text("Hello.", "stock:af_heart", engine="nothing")


def test_the_engine_is_found_by_name() -> None:
    assert "kokoro" in engine_names()
    assert load_engine("kokoro") is load_engine("kokoro")
    assert load_engine("kokoro").languages == LANGUAGES


def test_importing_the_room_loads_no_heavy_package() -> None:
    heavy = ("torch", "onnxruntime", "librosa", "phonemizer", "scipy.signal")
    code = f"import sys, voicelip.speech; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
