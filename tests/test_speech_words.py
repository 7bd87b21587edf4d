"""When each word is heard: in order, where there is sound, and as written."""

import time

import numpy as np
import pytest

from voicelip.speech import Speech, kokoro, load_engine, resolve_voice, speak_text
from voicelip.speech.alignment import by_hearing, by_letters, disagreement
from voicelip.speech.engine import Segment
from voicelip.speech.phonemes import pronounce
from voicelip.speech.reading import read
from voicelip.speech.script import Utterance, script
from voicelip.speech.words import Lettered, timed, within

TEXT = "Dr. Smith paid $3.50; then, at the top of the hill, he slept."


@pytest.fixture(scope="module")
def speech() -> Speech:
    return speak_text(TEXT, "stock:af_heart")


def test_words_are_those_of_the_text_in_order(speech: Speech) -> None:
    assert " ".join(word.text for word in speech.words) == TEXT
    times = [time for word in speech.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(word.end_s - word.start_s >= 0.04 for word in speech.words)
    assert speech.segments[0].start_s <= times[0]
    assert times[-1] <= speech.segments[-1].end_s


def test_a_number_takes_the_time_of_all_its_words(speech: Speech) -> None:
    amount = next(word for word in speech.words if word.text == "$3.50;")
    assert amount.end_s - amount.start_s > 0.9  # "three dollars and fifty cents"


def test_the_pause_lies_between_words_and_not_in_them(speech: Speech) -> None:
    """After the semicolon nobody speaks: the quietest 50 ms are outside of all words."""
    audio = speech.audio
    after = next(i for i, word in enumerate(speech.words) if word.text == "$3.50;")
    end_s, start_s = speech.words[after].end_s, speech.words[after + 1].start_s
    assert start_s - end_s > 0.05

    def level(a: float, b: float) -> float:
        part = audio.samples[round(a * audio.sample_rate) : round(b * audio.sample_rate)]
        return float(np.sqrt(np.mean(part**2)))

    assert level(end_s, start_s) < 0.3 * level(speech.words[after].start_s, end_s)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("for the top of the box", "en-us"),
        ("a l'heure qu'il est", "fr-fr"),
        ("वह घर में है", "hi"),
        ("de la casa a el mar", "es"),
    ],
)
def test_every_word_owns_phonemes_even_where_espeak_joins_them(text: str, lang: str) -> None:
    spoken = pronounce(read(text, lang), lang)
    assert all(end > start for start, end in spoken.spans)
    assert [a for span in spoken.spans for a in span] == sorted(a for span in spoken.spans for a in span)


def test_frames_become_times_from_which_what_was_cut_is_gone() -> None:
    frames = np.array([10, 2, 3, 1, 4, 5, 8])  # before, two letters, a space, two letters, after
    words = within([Lettered("ab", 0, 2), Lettered("—", 2, 2), Lettered("cd", 3, 5)], 0, 5)
    assert [word.text for word in words] == ["ab —", "cd"]
    first, second = timed(words, frames, 0.1, 0.9, 1.6)
    assert (first.start_s, first.end_s) == (pytest.approx(0.1), pytest.approx(0.6))
    assert (second.start_s, second.end_s) == (pytest.approx(0.6), pytest.approx(1.6))


def test_a_stream_says_the_same_words_at_their_times() -> None:
    engine, voice = load_engine("kokoro"), resolve_voice("stock:am_adam")
    text = "When the train came in, nobody was there. It was cold."
    pieces = list(engine.stream(text, voice, "en-us"))  # type: ignore[attr-defined]
    assert " ".join(word.text for piece in pieces for word in piece.words) == text
    assert pieces[0].audio.duration_s < 3
    assert len(pieces) == 3
    starts = np.cumsum([0.0, *(piece.audio.duration_s for piece in pieces)])
    for piece, start, end in zip(pieces, starts[:-1], starts[1:], strict=True):
        assert start <= piece.words[0].start_s < piece.words[-1].end_s <= end


def test_heard_words_lend_their_times_and_the_rest_share_what_is_left() -> None:
    heard = [Segment("it", 0.0, 0.2), Segment("cost", 0.2, 0.6), Segment("today", 1.6, 2.0)]
    timed_words = by_hearing(["It", "cost", "$5", "more", "today."], heard, 0.0, 2.0)
    assert timed_words[1] == Segment("cost", 0.2, 0.6)
    assert (timed_words[2].start_s, timed_words[4].start_s) == (0.6, 1.6)
    assert timed_words[3].end_s == pytest.approx(1.6)


def test_an_estimate_goes_by_letters() -> None:
    short, long = by_letters(["a,", "banana"], 1.0, 3.0)
    assert (short.start_s, long.end_s) == (1.0, pytest.approx(3.0))
    assert long.end_s - long.start_s > 3 * (short.end_s - short.start_s)


def test_disagreement_is_of_letters_not_of_spaces() -> None:
    assert disagreement("ice cream!", [Segment("icecream", 0, 1)]) == 0
    assert disagreement("ice cream", [Segment("thunder", 0, 1)]) > 0.5
    assert disagreement("ice cream", []) == 1


def test_the_first_pieces_of_a_stream_are_short_and_leave_no_scraps() -> None:
    text = (
        "We walked along the river and talked about the plans for the summer, which is still far away. Yes."
    )
    whole, _ = script(text, "en-us")
    pieces, _ = script(text, "en-us", first_tokens=(30, 45))
    assert " ".join(piece.written for piece in pieces) == text
    assert [len(piece.phonemes) <= limit for piece, limit in zip(pieces, (30, 45), strict=False)] == [
        True,
        True,
    ]
    assert all(len(piece.phonemes) >= 10 for piece in pieces[:-1])
    assert "".join(piece.phonemes for piece in pieces).replace(" ", "") == "".join(
        piece.phonemes for piece in whole
    ).replace(" ", "")
    barely_longer, _ = script("We walked along the rivers.", "en-us", first_tokens=(24,))
    assert all(len(piece.phonemes) >= 8 for piece in barely_longer)


def test_the_next_piece_of_a_stream_is_begun_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    speak = kokoro._speak

    def noting(session: object, utterance: Utterance, *rest: object) -> object:
        begun.append(utterance.written)
        return speak(session, utterance, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(kokoro, "_speak", noting)
    pieces = load_engine("kokoro").stream("One. Two. Three.", resolve_voice("stock:am_adam"), "en-us")  # type: ignore[attr-defined]
    next(pieces)
    deadline = time.monotonic() + 20
    while len(begun) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    pieces.close()
    assert begun[:2] == ["One.", "Two."]
