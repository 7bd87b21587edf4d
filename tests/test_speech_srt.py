"""Subtitles: sentence by sentence, two lines of 42 characters, at the times of their words."""

from pathlib import Path

import numpy as np
import pysubs2
import pytest

from voicelip import pipeline
from voicelip.errors import OutputError
from voicelip.media import Audio
from voicelip.speech import Segment, Speech
from voicelip.speech.alignment import by_letters
from voicelip.speech.srt import LINE, subtitles, write_srt

LONG = (
    "When the train pulled out of the station, the old man who had been reading looked up from his "
    "newspaper, and, to the surprise of everybody around, he began to sing."
)


def spoken(*sentences: str) -> Speech:
    """Speech of 10 s a sentence."""
    segments = tuple(Segment(text, i * 10.0, i * 10 + 9.0) for i, text in enumerate(sentences))
    words = tuple(word for s in segments for word in by_letters(s.text.split(), s.start_s, s.end_s))
    return Speech(Audio(np.zeros(10, np.float32), 10), segments, (), words)


def test_short_sentences_are_one_subtitle_each() -> None:
    found = subtitles(spoken("Hello there.", "This is the second one, and it takes two lines of text."))
    assert found[0] == Segment("Hello there.", 0.0, 9.0)
    first, second = found[1].text.split("\n")
    assert abs(len(first) - len(second)) < 12


def test_long_sentences_are_cut_and_nothing_is_lost() -> None:
    found = subtitles(spoken(LONG))
    assert " ".join(part.text.replace("\n", " ") for part in found) == LONG
    assert all(len(line) <= LINE for part in found for line in part.text.split("\n"))
    assert all(part.text.count("\n") <= 1 for part in found)
    assert found[0].text.endswith(",")
    assert (found[0].start_s, found[-1].end_s) == (0.0, 9.0)
    assert [part.start_s for part in found[1:]] == [part.end_s for part in found[:-1]]


def test_files_are_read_back_by_others(tmp_path: Path) -> None:
    speech = spoken("Hello there.", LONG)
    for ending in (".srt", ".vtt", ".ass"):
        write_srt(tmp_path / f"a{ending}", speech)
        found = pysubs2.load(str(tmp_path / f"a{ending}"))
        assert (found[0].plaintext, found[0].start, found[0].end) == ("Hello there.", 0, 9000)
        assert len(found) == len(subtitles(speech))


def test_what_cannot_be_written_is_refused_before_anything_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "there.srt").write_text("mine")
    for name, said in (("there.srt", "exists"), ("a.doc", r"\.srt"), ("nowhere/a.srt", "folder")):
        with pytest.raises(OutputError, match=said):
            pipeline.speak("Hi.", voice="stock:af_heart", out=tmp_path / "a.wav", srt=tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.srt"]


def test_spoken_text_comes_with_its_subtitles(tmp_path: Path) -> None:
    result = pipeline.speak(
        "It costs $5. Really!", voice="stock:af_heart", out=tmp_path / "a.wav", srt=tmp_path / "a.srt"
    )
    found = pysubs2.load(str(tmp_path / "a.srt"))
    assert [line.plaintext for line in found] == ["It costs $5.", "Really!"]
    assert [word.text for word in result.words] == ["It", "costs", "$5.", "Really!"]
    assert found[1].end <= result.duration_s * 1000
    assert result.to_dict()["words"][0]["text"] == "It"
