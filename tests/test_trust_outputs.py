"""Every command that writes speech or a face writes content credentials; none is left without."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from cli_runs import runner, signals_kept
from consent_samples import consent

import voicelip
from voicelip.errors import ConsentError, CredentialsError
from voicelip.media import Audio, Clip, VideoWriter, write_audio
from voicelip.pipeline import PRESENTER, PRESENTER_FACE, PRESENTER_VOICE
from voicelip.trust import consent_key, consent_store, credentials, keys
from voicelip.trust.claim import COMPOSITE, SYNTHETIC
from voicelip.trust.verify import Report, Verdict, verify


@pytest.fixture(autouse=True)
def key_folder(tmp_path_factory, monkeypatch):
    """The models stay where they are, the key is the test's own."""
    folder = tmp_path_factory.getbasetemp() / "trust-keys"
    monkeypatch.setattr(keys, "key_folder", lambda: folder)
    return folder


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "Alice.wav"
    write_audio(path, Audio(np.random.default_rng(1).normal(0, 0.1, 6400).astype(np.float32), 16_000))
    return path


@pytest.fixture
def footage(tmp_path):
    """A clip that voicelip does not know as its own presenter."""
    path = tmp_path / "Alice.mp4"
    clip = Clip(PRESENTER_FACE)
    with VideoWriter(path, clip.info.width, clip.info.height, 25) as writer:
        for frame in clip.frames(0, 10):
            writer.write_frame(frame.image)
    return path


@pytest.fixture
def agreed(footage):
    """The consent of whoever is seen in the footage."""
    return consent(face=footage)


def declared(report: Report, kind: str, *relationships: str) -> bool:
    """Whether a file declares itself as of this source type, from sources of these relationships."""
    assert report.verdict is Verdict.SYNTHETIC
    provenance = report.provenance
    assert provenance is not None
    assert all(len(model.sha256 or "") == 64 for model in provenance.models)
    said = json.dumps([provenance.title, [each.title for each in provenance.ingredients]])
    assert "Alice" not in said
    found = [each.relationship for each in provenance.ingredients]
    return provenance.digital_source_types == (kind,) and sorted(found) == sorted(relationships)


def models(path: Path) -> set[str]:
    return {model.name.split("/")[0] for model in verify(path).provenance.models}


def test_lipsync_of_footage(footage, agreed, sound, tmp_path):
    out = voicelip.lipsync(face=footage, audio=sound, out=tmp_path / "out.mp4").path
    assert declared(verify(out), COMPOSITE, "parentOf", "componentOf")
    assert {"face-landmarker", "lips_motion.onnx", "lips_renderer.onnx"} <= models(out)
    assert verify(out, keys.key_folder() / "ca.pem").credentials == "trusted"
    assert agreed.id.encode() in out.read_bytes()
    assert agreed.subject.encode() not in out.read_bytes()


def test_nothing_is_written_without_consent(footage, sound, tmp_path, monkeypatch):
    store = tmp_path.parent / f"{tmp_path.name}-store"
    monkeypatch.setattr(consent_store, "folder", lambda: store)
    monkeypatch.setattr(consent_key, "folder", lambda: store)
    with pytest.raises(ConsentError, match="voicelip consent new"):
        voicelip.lipsync(face=footage, audio=sound, out=tmp_path / "out.mp4")
    assert sorted(os.listdir(tmp_path)) == ["Alice.mp4", "Alice.wav"]


def test_lipsync_of_the_presenter(sound, tmp_path):
    out = voicelip.lipsync(face=PRESENTER, audio=sound, out=tmp_path / "out.mp4").path
    assert declared(verify(out), COMPOSITE, "componentOf")


def test_a_second_pass_keeps_the_credentials_of_the_first(sound, tmp_path):
    first = voicelip.lipsync(face=PRESENTER, audio=sound, out=tmp_path / "first.mp4").path
    consent(face=first)
    second = voicelip.lipsync(face=first, audio=sound, out=tmp_path / "second.mp4").path
    assert len(list(verify(second).provenance.walk())) == 2


def test_speak(tmp_path):
    out = voicelip.speak("Yes.", voice="stock:af_heart", out=tmp_path / "out.wav").path
    assert declared(verify(out), SYNTHETIC)
    assert models(out) == {"kokoro", "kokoro_voices.npz"}


@pytest.mark.slow
def test_speak_in_a_cloned_voice(tmp_path):
    out = voicelip.speak("Yes.", voice=PRESENTER_VOICE, out=tmp_path / "out.flac").path
    assert declared(verify(out), SYNTHETIC, "inputTo")
    assert "ge2e" in models(out)


@pytest.mark.slow
def test_say(footage, agreed, tmp_path):
    out = voicelip.say("Yes.", voice=PRESENTER_VOICE, face=footage, out=tmp_path / "out.mp4").path
    assert declared(verify(out), COMPOSITE, "parentOf", "inputTo")
    assert {"kokoro", "ge2e", "face-landmarker"} <= models(out)


def test_no_output_is_left_when_it_cannot_be_signed(sound, tmp_path, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise CredentialsError("content credentials could not be written")

    monkeypatch.setattr(credentials, "_sign", refuse)
    with pytest.raises(CredentialsError):
        voicelip.lipsync(face=PRESENTER, audio=sound, out=tmp_path / "out.mp4")
    assert os.listdir(tmp_path) == [sound.name]


def test_an_unusable_key_is_one_line_before_the_work(sound, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("VOICELIP_KEY", "nowhere.pem")
    with signals_kept():
        outcome = runner(capfd, monkeypatch)(
            "lipsync", "--face", PRESENTER, "--audio", sound, "-o", tmp_path / "out.mp4"
        )
    assert outcome.code == CredentialsError.exit_code
    assert len(outcome.error_lines) == 1
    assert os.listdir(tmp_path) == [sound.name]
