"""`voicelip voice`: from recordings to a profile and away again, and the answers to what cannot be done."""

import json
from pathlib import Path

import pytest
from cli_runs import Run, runner
from consent_samples import consent, vouched_for
from voice_samples import voice

from voicelip import hub
from voicelip.media import write_audio
from voicelip.speech import resolve_voice
from voicelip.trust import consent_key, consent_store


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of the test's own that knows the models of the real one."""
    for name in ("ge2e", "kokoro"):
        hub.fetch(name)
    models = (hub.home() / "models").resolve()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(models)
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(consent_store, "folder", lambda: tmp_path / "home" / "consents")
    monkeypatch.setattr(consent_key, "folder", lambda: tmp_path / "home" / "keys")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capfd, monkeypatch)


def test_a_voice_is_added_shown_sent_and_removed(tmp_path: Path, run: Run) -> None:
    write_audio(tmp_path / "a.wav", voice(7))
    write_audio(tmp_path / "b.wav", voice(5, seed=3).resampled(8_000))
    files = (tmp_path / "a.wav", tmp_path / "b.wav")
    refused = run("voice", "add", "Anna", *files, "--fit", "none")
    assert refused.code == 16
    assert "voicelip consent new" in refused.err
    agreed = consent(voice=tmp_path / "a.wav")
    added = run("voice", "add", "Anna", *files, "--fit", "none", "--lang", "it",
                "--keep-audio")  # fmt: skip
    assert added.code == 0
    assert added.out.startswith("Anna: 12 s of 2 recordings, it, ")
    assert "b.wav ends at 3.9 kHz, as a telephone does" in added.err
    facts = json.loads(run("voice", "show", "Anna", "--json").out)
    assert [origin["file"] for origin in facts["origins"]] == ["a.wav", "b.wav"]
    assert facts["consents"] == [agreed.id]
    assert str(tmp_path) not in json.dumps(facts)
    assert "not fitted" in run("voice", "list").out

    spoken = resolve_voice("Anna")
    assert not spoken.is_stock
    assert [path.is_file() for path in spoken.recordings] == [True, True]

    assert run("voice", "export", "Anna", "-o", tmp_path / "x.voice").code == 0
    assert run("voice", "import", tmp_path / "x.voice", "--name", "Bea").code == 0
    assert run("voice", "remove", "Anna").code == 0
    (known,) = json.loads(run("voice", "list", "--json").out)
    assert (known["name"], known["consents"]) == ("Bea", [agreed.id])


def test_a_voice_is_spoken_in_only_while_its_consent_lasts(tmp_path: Path, run: Run) -> None:
    write_audio(tmp_path / "cleo.wav", voice(7, pitch_hz=170, seed=11))
    agreed = consent(voice=tmp_path / "cleo.wav", languages=("it",))
    assert run("voice", "add", "Cleo", tmp_path / "cleo.wav", "--fit", "none").code == 0
    speak = ("speak", "", "--voice", "Cleo", "-o", tmp_path / "x.wav", "--lang")
    assert run(*speak, "it").code == 7  # allowed, but there is nothing to say
    assert "languages it, not es" in run(*speak, "es").err
    record = consent_store.folder() / f"{agreed.id}.json"
    kept = record.rename(tmp_path / "kept.json")
    assert f"made under consent {agreed.id}, which is not kept here any more" in run(*speak, "it").err
    assert run(*speak, "it", "--consent", kept).code == 7
    assert run("consent", "revoke", agreed.id).code == 0
    refused = run(*speak, "it")
    assert refused.code == 16
    assert f"consent {agreed.id} of Test Person was revoked" in refused.err


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["voice", "add", "../x", "a.wav"], 2, "cannot be a voice's name"),
        (["voice", "add", "x", "nobody.wav"], 3, "no such file"),
        (["voice", "add", "x", "short.wav"], 6, "1.0 s of speech"),
        (["voice", "add", "x", "a.wav", "--lang", "xx"], 8, "not spoken here"),
        (["voice", "show", "nobody"], 11, "voicelip voice add nobody"),
        (["voice", "test", "nobody", "-o", "x.wav"], 11, "no voice profile"),
        (["voice", "import", "short.wav"], 15, "no voice profile"),
        (["voice", "import", "nowhere"], 3, "no such file"),
        (["speak", "Hi.", "--voice", "nobody", "-o", "x.wav"], 11, "no voice is called 'nobody'"),
        (["speak", "Hi.", "--voice", "af_heart", "-o", "x.wav"], 11, "stock:af_heart"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, argv: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_audio(tmp_path / "a.wav", voice(7))
    write_audio(tmp_path / "short.wav", voice(1))
    vouched_for(tmp_path / "a.wav", tmp_path / "short.wav", kind="voice")
    outcome = run(*argv)
    assert outcome.code == code
    assert len(outcome.error_lines) == 1
    assert said in outcome.err
    assert not (tmp_path / "home" / "voices").exists()
    assert not (tmp_path / "x.wav").exists()
