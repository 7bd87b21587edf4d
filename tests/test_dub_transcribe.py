"""Transcribing: what is said becomes subtitles that can be read, each at the time of its words."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysubs2
import pytest
from voice_samples import voice

import voicelip
from voicelip.dub.diarise import grouped, speakers_of
from voicelip.dub.transcribe import GAP_S, LONGEST_CUE_S, cues_of, sentences_of, transcribe
from voicelip.errors import OptionError, OutputError, TextError
from voicelip.media import Audio, write_audio
from voicelip.speech import recognise
from voicelip.speech.engine import Segment
from voicelip.speech.srt import LINE

RATE = 16_000
PRESENTER = Path(voicelip.__file__).parent / "assets" / "presenter.wav"


def said(text: str, start_s: float = 0.0, word_s: float = 0.3) -> list[Segment]:
    """Words one after another, each as long as the next."""
    words = text.split()
    return [Segment(word, start_s + i * word_s, start_s + (i + 1) * word_s) for i, word in enumerate(words)]


def sound(*spoken: tuple[float, float], duration_s: float = 10.0) -> Audio:
    """A tone between these moments, a faint hiss elsewhere."""
    samples = 0.001 * np.random.default_rng(0).standard_normal(round(duration_s * RATE))
    for start, end in spoken:
        first, last = round(start * RATE), round(end * RATE)
        samples[first:last] += 0.3 * np.sin(np.arange(last - first) * 0.1)
    return Audio(samples.astype(np.float32), RATE)


def test_sentences_end_at_full_stops_and_at_pauses() -> None:
    words = [*said("One two."), *said("Three four five", 0.6), *said("six seven", 4.0)]
    found = sentences_of(words, sound((0.0, 1.5), (4.0, 4.6)))
    assert [" ".join(word.text for word in sentence) for sentence in found] == [
        "One two.",
        "Three four five",
        "six seven",
    ]


def test_a_subtitle_begins_with_the_sound_not_with_the_silence_before_it() -> None:
    words = [Segment("Late", 1.0, 3.0), Segment("word.", 3.0, 3.5)]
    found = sentences_of(words, sound((2.4, 3.5)))
    assert found[0][0].start_s == pytest.approx(2.4, abs=0.06)


def test_words_heard_in_silence_are_left_out() -> None:
    words = [*said("Really said."), *said("Thank you.", 5.0)]
    assert len(sentences_of(words, sound((0.0, 0.6)))) == 1


def test_long_sentences_become_subtitles_of_two_lines_and_seven_seconds_at_most() -> None:
    text = (
        "When the train pulled out of the station, the old man who had been reading looked up from his "
        "newspaper, and, to the surprise of everybody around, he began to sing."
    )
    cues = cues_of([said(text, word_s=0.5)], ["Ann"])
    assert " ".join(cue.text.replace("\n", " ") for cue in cues) == text
    assert {cue.speaker for cue in cues} == {"Ann"}
    for cue in cues:
        assert cue.slot_s <= LONGEST_CUE_S
        assert all(len(line) <= LINE for line in cue.text.split("\n"))
        assert cue.text.count("\n") <= 1
    _nothing_overlaps([(cue.start_s, cue.end_s) for cue in cues])


def test_a_short_word_stands_long_enough_to_be_read_unless_the_next_comes() -> None:
    alone, pressed = said("Yes."), [said("Yes."), said("No doubt.", 0.6)]
    assert cues_of([alone], [""])[0].slot_s == pytest.approx(1.0)
    assert cues_of(pressed, ["", ""])[0].end_s == pytest.approx(0.6 - GAP_S)


def _nothing_overlaps(times: Sequence[tuple[float, float]]) -> None:
    assert all(times[i][1] <= times[i + 1][0] for i in range(len(times) - 1))


# Who speaks


def people(count: int, each: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(count * each, 256) unit vectors around `count` directions, in turn, and whose each is."""
    rng = np.random.default_rng(seed)
    middles = np.abs(rng.standard_normal((count, 256)))
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    whose = np.arange(count * each) % count
    found = middles[whose] + noise * rng.standard_normal((count * each, 256)) / 16
    return found / np.linalg.norm(found, axis=1, keepdims=True), whose


def agree(labels: Sequence[int], whose: Sequence[int]) -> bool:
    return len(set(zip(labels, whose, strict=True))) == len(set(whose)) == len(set(labels))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_number_of_people_is_found(count: int) -> None:
    embeddings, whose = people(count, 8, noise=0.5)
    assert agree(grouped(embeddings, np.full(len(whose), 2.0), "auto").tolist(), whose.tolist())


def test_people_alike_are_parted_when_it_is_known_that_they_are_two() -> None:
    embeddings, whose = people(2, 8, noise=0.3)
    closer = embeddings + 1.2 * embeddings.mean(axis=0)
    closer /= np.linalg.norm(closer, axis=1, keepdims=True)
    seconds = np.full(len(whose), 2.0)
    assert set(grouped(closer, seconds, "auto").tolist()) == {0}
    assert agree(grouped(closer, seconds, 2).tolist(), whose.tolist())


def test_no_more_people_are_found_than_asked_for() -> None:
    embeddings, whose = people(3, 8, noise=0.5)
    assert len(set(grouped(embeddings, np.full(len(whose), 2.0), 2).tolist())) == 2


def test_two_voices_in_turn_are_told_apart_and_a_moment_of_sound_joins_its_neighbour() -> None:
    low, high = voice(12, 95.0, 0.9, seed=1), voice(12, 230.0, 1.25, seed=2)
    pieces, phrases, whose = [], [], []
    for turn in range(8):
        person = turn % 2
        part = (low, high)[person].samples[turn // 2 * 3 * RATE :][: 3 * RATE]
        pieces.append(part)
        phrases.append(Segment("", turn * 3.0, turn * 3.0 + 2.9))
        whose.append(person)
    phrases.insert(1, Segment("", 2.9, 3.0))
    whose.insert(1, 0)
    labels = speakers_of(phrases, Audio(np.concatenate(pieces), RATE), "auto")
    assert labels == whose


# The whole


def test_long_sound_is_listened_to_in_parts_that_are_cut_in_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognise, "BLOCK_S", 6.0)
    monkeypatch.setattr(recognise, "_CUT_WITHIN_S", 3.0)
    parts = list(recognise.blocks(sound((0.0, 4.0), (4.7, 9.0), (9.8, 12.0), duration_s=12.0)))
    assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
    (_, first), (_, second), (_, last) = parts
    assert 4.0 < first / RATE < 4.7
    assert 9.0 < second / RATE < 9.8
    assert last == 12 * RATE


def test_in_parts_the_words_and_their_times_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("faster_whisper")
    whole = transcribe(PRESENTER, out=tmp_path / "whole.srt")
    monkeypatch.setattr(recognise, "BLOCK_S", 6.0)
    monkeypatch.setattr(recognise, "_CUT_WITHIN_S", 4.0)
    parts = transcribe(PRESENTER, out=tmp_path / "parts.srt")
    assert parts.lang == whole.lang == "en"
    assert [cue.text for cue in parts.cues][-1].split()[-1] == [cue.text for cue in whole.cues][-1].split()[
        -1
    ]
    assert parts.cues[-1].end_s == pytest.approx(whole.cues[-1].end_s, abs=0.3)


def test_what_cannot_be_written_is_refused_before_listening(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"choose \.srt"):
        transcribe(PRESENTER, out=tmp_path / "talk.mp3")
    with pytest.raises(OptionError, match="1 to 20"):
        transcribe(PRESENTER, out=tmp_path / "talk.srt", speakers=0)


def test_a_recording_becomes_subtitles_in_its_own_language(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    out = tmp_path / "talk.srt"
    stages: set[str] = set()
    found = transcribe(PRESENTER, out=out, speakers="auto", progress=lambda stage, *_: stages.add(stage))
    assert found.lang == "en"
    assert found.speakers == ()
    written = pysubs2.load(str(out))
    assert "glad to read your text" in " ".join(event.plaintext.replace("\n", " ") for event in written)
    _nothing_overlaps([(event.start, event.end) for event in written])
    assert written[-1].end <= 10_000
    assert {"transcribing", "telling speakers apart"} <= stages


def test_a_clip_in_which_nobody_speaks_is_told_so(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    path = tmp_path / "hiss.wav"
    write_audio(path, sound(duration_s=3.0))
    with pytest.raises(TextError, match="no speech"):
        transcribe(path, out=tmp_path / "talk.srt", lang="en")
