"""A spoken statement counts if its words are those of the record, and its speaker that of the reference."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
from consent_samples import agreed
from voice_samples import somebody_else, voice

from voicelip.cli.voice import SENTENCES
from voicelip.consent.making import make
from voicelip.consent.statement import text
from voicelip.errors import ConsentError, OptionError
from voicelip.media import write_audio
from voicelip.speech import recognise
from voicelip.trust import consent_store


@pytest.fixture(autouse=True)
def recogniser(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What will be heard, instead of what a recogniser hears in voices made by rule."""
    heard = [text(agreed().scope)]
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: object() if name == "faster_whisper" else real(name, *a)
    )
    monkeypatch.setattr(recognise, "heard_text", lambda audio, lang: heard[0])
    return heard


@pytest.fixture
def alice(tmp_path: Path) -> Path:
    write_audio(tmp_path / "alice.wav", voice(6))
    return tmp_path / "alice.wav"


@pytest.fixture
def read(tmp_path: Path) -> Path:
    """Alice reading."""
    write_audio(tmp_path / "read.wav", voice(7, seed=5))
    return tmp_path / "read.wav"


def test_the_right_words_by_the_right_speaker(alice: Path, read: Path, recogniser: list[str]) -> None:
    recogniser[0] = recogniser[0].upper().replace("TODAY", "TWO DAYS")
    made = make(agreed(voices=(alice,), statement=read))
    assert made.statement is not None
    assert 0 < made.statement.wer < 0.1
    assert made.statement.distance < 0.2
    assert made.statement.text == text(made.scope)
    assert made.scope.purposes[0] in made.statement.text
    assert consent_store.find(made.id).statement == made.statement


def test_other_words(alice: Path, read: Path, recogniser: list[str]) -> None:
    recogniser[0] = "I agree to nothing of the kind, and I would rather that nobody asked me again."
    with pytest.raises(ConsentError, match="--show-statement") as caught:
        make(agreed(voices=(alice,), statement=read))
    assert caught.value.reason == "statement words"


def test_words_for_another_purpose(alice: Path, read: Path, recogniser: list[str]) -> None:
    purposes = ("advertising cars and insurance on television and the web in all of the northern countries",)
    with pytest.raises(ConsentError) as caught:
        make(agreed(voices=(alice,), statement=read, purposes=purposes))
    assert caught.value.reason == "statement words"


def test_another_speaker(alice: Path, tmp_path: Path) -> None:
    write_audio(tmp_path / "bob.wav", somebody_else())
    with pytest.raises(ConsentError, match="somebody else reads") as caught:
        make(agreed(voices=(alice,), statement=tmp_path / "bob.wav"))
    assert caught.value.reason == "statement speaker"


def test_a_voice_to_compare_with_is_needed(read: Path, tmp_path: Path) -> None:
    from media_samples import make_video

    from voicelip.media import Clip
    from voicelip.pipeline import PRESENTER_FACE

    face = make_video(tmp_path / "face.mp4", [frame.image for frame in Clip(PRESENTER_FACE).frames(0, 3)])
    with pytest.raises(OptionError, match="--voice"):
        make(agreed(faces=(face,), statement=read))


def test_a_machine_without_a_recogniser(alice: Path, read: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None)
    with pytest.raises(ConsentError, match=r"pip install 'voicelip\[evaluate\]'"):
        make(agreed(voices=(alice,), statement=read))


@pytest.mark.slow
@pytest.mark.parametrize(("voice_name", "lang"), [("af_heart", "en"), ("ef_dora", "es"), ("ff_siwis", "fr")])
def test_a_real_recogniser_hears_a_statement_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, voice_name: str, lang: str
) -> None:
    import voicelip

    monkeypatch.undo()
    pytest.importorskip("faster_whisper")
    stock = f"stock:{voice_name}"
    voicelip.speak(SENTENCES[lang], voice=stock, lang=lang, out=tmp_path / "reference.wav")
    wanted = agreed(voices=(tmp_path / "reference.wav",), purposes=("training videos",))
    voicelip.speak(text(wanted.scope, lang), voice=stock, lang=lang, out=tmp_path / "read.wav")
    wanted = replace(wanted, statement=tmp_path / "read.wav", statement_lang=lang)
    made = make(wanted)
    assert made.statement is not None
    assert made.statement.wer < 0.2
    with pytest.raises(ConsentError, match="is not the statement"):
        make(replace(wanted, statement=tmp_path / "reference.wav"))
