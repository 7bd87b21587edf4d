"""XTTS through the real coqui-tts, with tiny random weights: load, listen, speak, stream."""

from collections.abc import Iterator
from pathlib import Path

import coqui_models
import numpy as np
import pytest

from voicelip.errors import BadReferenceError, ModelFileError, TermsError
from voicelip.media import Audio, write_audio
from voicelip.speech import EngineOptions, latents, load_engine, recognise
from voicelip.speech.engine import Voice
from voicelip.speech.xtts import LIMITS, XttsEngine, resolve_language


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    coqui_models.require_coqui()
    with pytest.MonkeyPatch.context() as patch:
        coqui_models.shrink_vocoder(patch)
        patch.setattr(recognise, "present", lambda: False)
        patch.setenv("VOICELIP_ACCEPT", "xtts-v2")
        yield patch


@pytest.fixture(scope="module")
def model(patched: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xtts")
    patched.setenv("VOICELIP_HOME", str(folder / "home"))
    return coqui_models.make_xtts(folder / "model")


@pytest.fixture(scope="module")
def engine(model: Path) -> XttsEngine:
    found = load_engine("xtts", EngineOptions(model, "cpu"))
    assert isinstance(found, XttsEngine)
    return found


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    path = tmp_path_factory.mktemp("voice") / "me.wav"
    noise = np.random.default_rng(0).standard_normal(16_000 * 3).astype(np.float32)
    write_audio(path, Audio(noise * 0.1, 16_000))
    return Voice("me", (), path, recordings=(path,))


def test_a_text_is_spoken_in_order_with_times(engine: XttsEngine, person: Voice) -> None:
    speech = engine.synthesize("Yes. No!", person, "en")
    assert [segment.text for segment in speech.segments] == ["Yes.", "No!"]
    assert [word.text for word in speech.words] == ["Yes.", "No!"]
    assert speech.words[0].end_s < speech.words[1].start_s <= speech.audio.duration_s
    assert np.isfinite(speech.audio.samples).all()
    assert any("estimated" in warning for warning in speech.warnings)


def test_the_speaker_is_listened_to_once(
    engine: XttsEngine, person: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = latents.conditioning(*engine._model(lambda *args: None), person)

    def never(*args: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(latents, "_computed", never)
    again = latents.conditioning(*engine._model(lambda *args: None), person)
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    assert [tuple(each.shape) for each in once] == [(1, 32, 64), (1, 512, 1)]


def test_babble_is_tried_again_and_reported(
    engine: XttsEngine, person: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []
    rate = engine.sample_rate

    def babble(*args: object, **settings: object) -> dict[str, np.ndarray]:
        import torch

        seeds.append(torch.initial_seed())
        return {"wav": np.random.default_rng(0).standard_normal(rate * 9).astype(np.float32) * 0.1}

    model, _, _ = engine._model(lambda *args: None)
    monkeypatch.setattr(model, "inference", babble)
    speech = engine.synthesize("Good morning.", person, "en")
    assert len(set(seeds)) == 3
    assert any("Good morning" in warning and "9.0 s" in warning for warning in speech.warnings)


def test_a_stream_comes_in_pieces_that_follow_one_another(engine: XttsEngine, person: Voice) -> None:
    pieces = list(engine.stream("Sí.", person, "es"))
    assert len(pieces) >= 2
    assert all(np.abs(piece.audio.samples).max(initial=0) <= 10 ** (-1 / 20) for piece in pieces)
    (word,) = [word for piece in pieces for word in piece.words]
    spoken_s = sum(piece.audio.duration_s for piece in pieces[:-1])
    assert (word.text, word.start_s) == ("Sí.", 0.0)
    assert word.end_s == pytest.approx(spoken_s)


def test_without_acceptance_nothing_is_loaded(
    model: Path, person: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOICELIP_ACCEPT")
    with pytest.raises(TermsError, match="models accept xtts-v2"):
        XttsEngine(EngineOptions(model, "cpu")).synthesize("Yes.", person, "en")


def test_a_profile_without_recordings_says_what_to_do(engine: XttsEngine, tmp_path: Path) -> None:
    with pytest.raises(BadReferenceError, match="--keep-audio"):
        engine.synthesize("Yes.", Voice("alice", (), tmp_path / "profile.json"), "en")


def test_other_models_are_refused(patched: pytest.MonkeyPatch, person: Voice, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model": "vits"}')
    (tmp_path / "model.pth").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"coqui:"):
        XttsEngine(EngineOptions(tmp_path, "cpu")).synthesize("Yes.", person, "en")


def test_languages_are_named_as_users_do() -> None:
    assert len(LIMITS) == 17
    assert [resolve_language(name) for name in ("en-GB", "zh", "pt_BR", "ja")] == ["en", "zh-cn", "pt", "ja"]
