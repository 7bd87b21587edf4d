"""A recording becomes a mixture of stock voices; what cannot be a reference is refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from voice_samples import voice as babble

from voicelip.errors import InputNotFoundError, UnknownNameError, UnreadableMediaError
from voicelip.media import Audio, write_audio
from voicelip.speech import resolve_voice
from voicelip.speech.clone import nearest_mixture, pace_of, pitched
from voicelip.speech.voices import stock_voices


def test_missing_and_corrupt_references_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"nobody\.wav"):
        resolve_voice(str(tmp_path / "nobody.wav"))
    (tmp_path / "broken.wav").write_bytes(b"this is no recording" * 50)
    with pytest.raises(UnreadableMediaError, match=r"broken\.wav"):
        resolve_voice(tmp_path / "broken.wav")


def test_a_recording_becomes_a_voice_with_its_reference(tmp_path: Path) -> None:
    path = tmp_path / "me.wav"
    write_audio(path, babble(8))
    voice = resolve_voice(str(path))
    assert (voice.name, voice.reference, voice.is_stock) == ("me", path, False)
    assert (voice.recordings, voice.warnings) == ((path,), ())
    assert voice.embedding is not None
    assert np.linalg.norm(voice.embedding) == pytest.approx(1, abs=1e-3)
    assert sum(weight for _, weight in voice.mixture) == pytest.approx(1, abs=1e-3)
    assert voice.target is not None


def test_a_poor_reference_is_used_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "me.wav"
    write_audio(path, Audio(np.clip(4 * babble(3).samples, -1, 1), 16_000))
    short, loud = resolve_voice(path).warnings
    assert "me.wav is short" in short
    assert "overdriven" in loud


def test_the_mixture_is_nearer_than_any_single_voice() -> None:
    stock = stock_voices()
    target = stock.embeddings[0] + stock.embeddings[9]
    target /= np.linalg.norm(target)
    mixture = nearest_mixture(target)
    mixed = sum(weight * stock.embeddings[stock.names.index(name)] for name, weight in mixture)
    assert mixed @ target / np.linalg.norm(mixed) > (stock.embeddings @ target).max()


def test_a_stock_voice_s_own_embedding_gives_that_voice() -> None:
    stock = stock_voices()
    name, weight = nearest_mixture(stock.embeddings[20])[0]
    assert name == stock.names[20]
    assert weight > 0.9


def test_stock_voices_are_found_by_name() -> None:
    voice = resolve_voice("stock:af_heart")
    assert (voice.name, voice.mixture, voice.is_stock) == ("af_heart", (("af_heart", 1.0),), True)


def test_an_unknown_stock_voice_suggests_near_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean af_heart"):
        resolve_voice("stock:af_hart")
    with pytest.raises(UnknownNameError, match="zm_yunyang"):
        resolve_voice("stock:xyz")


def test_the_clone_speaks_at_the_person_s_pitch_and_pace() -> None:
    from voicelip.speech.engine import Voice, load_engine
    from voicelip.speech.pitch import pitch_of

    mixture = (("af_heart", 1.0),)  # speaks at 180 Hz
    voice = Voice("low", mixture, overrides=pitched(mixture, 125.0), pace=pace_of(6.0))
    low = load_engine("kokoro").synthesize("We walked along the river.", voice, "en-us")
    heard = pitch_of(low.audio)
    assert heard is not None
    assert heard.median_hz == pytest.approx(125, rel=0.15)  # sentences differ
    assert pace_of(3.0) < pace_of(4.9) == 1.0 < pace_of(5.2) < pace_of(9.0) == pace_of(20.0)
    assert pace_of(None) == 1.0
