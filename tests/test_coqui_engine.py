"""A YourTTS-shaped model with tiny random weights, by its folder, through the real coqui-tts."""

from pathlib import Path

import coqui_models
import numpy as np
import pytest

from voicelip.errors import (
    InputNotFoundError,
    ModelFileError,
    OptionError,
    UnknownNameError,
    UnsupportedLanguageError,
)
from voicelip.media import Audio, write_audio
from voicelip.speech import Engine, load_engine, recognise, resolve_voice
from voicelip.speech.engine import Voice


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    coqui_models.require_coqui()
    folder = coqui_models.make_your_tts(tmp_path_factory.mktemp("yourtts") / "model")
    return load_engine(f"coqui:{folder}")


@pytest.fixture(autouse=True)
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognise, "present", lambda: False)


def test_it_listens_to_a_recording_and_keeps_nothing_of_it(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "me.wav"
    noise = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    write_audio(path, Audio(noise * 0.1, 16_000))
    before = sorted(engine._folder.iterdir())  # type: ignore[attr-defined]
    speech = engine.synthesize("Yes. No!", Voice("me", (), path, recordings=(path,)), "en")
    assert [word.text for word in speech.words] == ["Yes.", "No!"]
    assert speech.audio.sample_rate == engine.sample_rate == 22_050
    assert sorted(engine._folder.iterdir()) == before  # type: ignore[attr-defined]


def test_its_own_speakers_and_languages_go_by_name(engine: Engine) -> None:
    voice = resolve_voice("stock:bob", engine="coqui:somewhere")
    assert engine.synthesize("Sim.", voice, "pt").audio.duration_s > 0.3
    with pytest.raises(UnknownNameError, match="ann, bob"):
        engine.synthesize("Yes.", Voice("eve", ()), "en")
    with pytest.raises(UnsupportedLanguageError, match="en, pt-br"):
        engine.synthesize("Ja.", Voice("bob", ()), "de")


def test_folders_that_hold_no_model_are_refused(tmp_path: Path) -> None:
    coqui_models.require_coqui()
    with pytest.raises(OptionError, match="coqui:FOLDER"):
        load_engine("coqui")
    with pytest.raises(InputNotFoundError, match="nowhere"):
        load_engine(f"coqui:{tmp_path / 'nowhere'}").synthesize("Yes.", Voice("bob", ()), "en")
    with pytest.raises(ModelFileError, match=r"config\.json"):
        load_engine(f"coqui:{tmp_path}").synthesize("Yes.", Voice("bob", ()), "en")


def test_a_pickle_that_runs_code_is_not_loaded(tmp_path: Path) -> None:
    """Weights are data: coqui-tts reads them with weights_only, and this keeps it so."""
    import pickle

    coqui_models.require_coqui()
    folder = coqui_models.make_your_tts(tmp_path / "model")
    proof = tmp_path / "proof"

    class Evil:
        def __reduce__(self) -> tuple:
            return (open, (str(proof), "w"))

    (folder / "model.pth").write_bytes(pickle.dumps({"model": Evil()}))
    with pytest.raises(ModelFileError):
        load_engine(f"coqui:{folder}").synthesize("Yes.", Voice("bob", ()), "en")
    assert not proof.exists()
