"""`voicelip consent`: a record made, shown, checked, trusted elsewhere, revoked; and the log of it all."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cli_runs import Run, runner, signals_kept
from media_samples import make_video
from voice_samples import somebody_else, voice

from voicelip.media import Clip, write_audio
from voicelip.pipeline import PRESENTER_FACE
from voicelip.trust import consent_key, consent_store
from voicelip.trust.consent import today

SOON = str(today() + timedelta(days=30))
NEW = ["new", "--subject", "A", "--purpose", "x", "--expires", SOON]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """The command line in a folder with a store of its own, and recordings of Alice and of Bob."""
    monkeypatch.setattr(consent_key, "folder", lambda: tmp_path / "keys")
    monkeypatch.setattr(consent_store, "folder", lambda: tmp_path / "consents")
    monkeypatch.chdir(tmp_path)
    write_audio(tmp_path / "alice.wav", voice(6))
    write_audio(tmp_path / "bob.wav", somebody_else())
    with signals_kept():
        yield runner(capfd, monkeypatch)


def new(run: Run, *more: object) -> str:
    outcome = run("consent", "new", "--subject", "Alice", "--voice", "alice.wav", "--languages", "es,en-gb",
                  "--purpose", "training videos", "--expires", SOON, *more)  # fmt: skip
    assert outcome.code == 0, outcome.err
    line = re.fullmatch(
        rf"(c-[a-z2-7]{{20}}): Alice, voice, for training videos, in es, en-gb, until {SOON}\n", outcome.out
    )
    assert line
    return line[1]


def test_a_record_is_written_shown_listed_checked_and_revoked(run: Run) -> None:
    id_ = new(run, "-o", "alice.json")
    assert Path("alice.json").stat().st_mode & 0o077 == 0
    assert json.loads(run("consent", "show", "alice.json", "--json").out)["id"] == id_
    shown = run("consent", "show", id_[:8]).out
    assert "status       valid" in shown
    assert "values" not in run("consent", "show", id_, "--json").out  # what Alice is known again by

    listed = run("consent", "list").out
    assert listed.startswith(f"{id_}: Alice, voice")
    assert listed.endswith(f"until {SOON}: valid\n")

    good = run("consent", "check", id_, "--voice", "alice.wav", "--lang", "es", "--action", "speak")
    assert (good.code, good.out.count("yes")) == (0, 5)
    bad = run("consent", "check", "alice.json", "--voice", "bob.wav", "--lang", "en", "--purpose", "sale")
    assert bad.code == 16
    assert [line[:3] for line in bad.out.splitlines()] == ["yes", "yes", "NO ", "NO ", "NO "]

    assert run("consent", "revoke", "alice.json", "--reason", "she asked").out.startswith(
        f"{id_}: revoked on"
    )
    assert json.loads(run("consent", "list", "--json").out)[0]["status"].startswith("revoked on")
    assert run("consent", "check", id_).code == 16


def test_the_command_that_a_refusal_names_is_the_one_that_helps(run: Run) -> None:
    refused = run("speak", "Hola.", "--voice", "alice.wav", "--lang", "es", "-o", "out.wav")
    assert refused.code == 16
    assert len(refused.error_lines) == 1
    command = shlex.split(refused.err.partition("voicelip consent new ")[2])
    assert run("consent", "new", *command).code == 0
    assert run("consent", "check", "their.consent.json", "--voice", "alice.wav", "--lang", "es").code == 0


def test_every_command_that_uses_a_person_asks(run: Run) -> None:
    frames = [frame.image for frame in Clip(PRESENTER_FACE).frames(0, 3)]
    make_video(Path("clip.mp4"), frames)
    for argv in (
        ("say", "Hi.", "--voice", "stock:af_heart", "--face", "clip.mp4", "-o", "out.mp4"),
        ("say", "Hi.", "--voice", "alice.wav", "--face", "stock:presenter", "-o", "out.mp4"),
        ("speak", "Hi.", "--voice", "alice.wav", "-o", "out.wav"),
        ("lipsync", "--face", "clip.mp4", "--audio", "bob.wav", "-o", "out.mp4"),
        ("voice", "add", "alice", "alice.wav"),
        ("adapt", "clip.mp4"),
    ):
        outcome = run(*argv)
        assert outcome.code == 16, argv
        assert len(outcome.error_lines) == 1
        assert "voicelip consent new" in outcome.err
    assert not list(Path().glob("out.*"))
    asked = [entry["action"] for entry in json.loads(run("consent", "log", "--json").out)]
    assert asked == ["say", "say", "speak", "lipsync", "voice", "adapt"]


def test_a_record_of_another_machine(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new(run, "-o", "alice.json")
    assert run("consent", "key", "-o", "key.pem").code == 0
    assert "PRIVATE" not in Path("key.pem").read_text()
    monkeypatch.setattr(consent_key, "folder", lambda: tmp_path / "elsewhere" / "keys")
    monkeypatch.setattr(consent_store, "folder", lambda: tmp_path / "elsewhere" / "consents")
    speak = ("speak", "", "--voice", "alice.wav", "--lang", "es", "--consent", "alice.json", "-o", "out.wav")
    unknown = run(*speak)
    assert unknown.code == 16
    assert "not trusted here" in unknown.err
    assert run("consent", "trust", "alice.json").code == 16  # no key
    assert run("consent", "trust", "key.pem").code == 0
    assert run(*speak).code == 7  # allowed, but there is nothing to say


def test_the_log_is_shown_and_verified(run: Run) -> None:
    id_ = new(run)
    run("speak", "", "--voice", "alice.wav", "--lang", "es", "-o", "out.wav")
    lines = run("consent", "log").out.splitlines()
    assert [line.split("  ")[2] for line in lines] == ["issued", "granted"]
    assert lines[1].endswith(f"speak  {id_}  es  out.wav")
    assert run("consent", "log", "--last", 1).out.splitlines() == lines[1:]
    assert run("consent", "log", "--verify").out.startswith("2 entries, as they were written")
    log = Path("consents/audit.log")
    log.write_text(log.read_text().replace("out.wav", "xyz.wav"))
    found = run("consent", "log", "--verify")
    assert found.code == 16
    assert "line 2 was changed" in found.err
    assert run("consent", "log", "--start-anew").code == 0
    assert run("consent", "log", "--verify").code == 0


def test_a_deny_list(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    new(run)
    assert "1 voices and faces" in run("consent", "deny", "add", "--voice", "bob.wav", "-o", "deny.json").out
    monkeypatch.setenv("VOICELIP_DENY", "deny.json")
    speak = ("speak", "", "--lang", "es", "-o", "out.wav", "--voice")
    assert run(*speak, "alice.wav").code == 7
    denied = run(*speak, "bob.wav")
    assert denied.code == 16
    assert "deny list" in denied.err
    assert (
        "2 voices and faces" in run("consent", "deny", "add", "--voice", "alice.wav", "-o", "deny.json").out
    )
    assert run(*speak, "alice.wav").code == 16


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["new", "--voice", "alice.wav", "--purpose", "x", "--expires", SOON], 2, "--subject"),
        (NEW, 2, "--voice FILE, --face CLIP"),
        (["new", "--subject", "A", "--voice", "alice.wav", "--purpose", "x"], 2, "write it as 2027-12-31"),
        (["new", "--subject", "A", "--voice", "alice.wav", "--purpose", "x", "--expires", "2001-01-01",
          "--not-before", "2000-01-01"], 2, "is over already"),
        ([*NEW, "--voice", "no.wav"], 3, "no such file"),
        ([*NEW, "--face", "alice.wav"], 4, "no picture"),
        (["show", "c-nobody"], 16, "no consent record is called so"),
        (["check", "alice.wav"], 16, "NO   record"),
        (["revoke", "c-zz"], 16, "no consent record is called so"),
        (["trust", "no.pem"], 16, "cannot be read"),
        (["deny", "add", "-o", "deny.json"], 2, "nobody to deny"),
        ([*NEW, "--show-statement", "--statement-lang", "xx"], 8, "choose one"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(run: Run, argv: list[str], code: int, said: str) -> None:
    outcome = run("consent", *argv)
    assert outcome.code == code, outcome.err
    assert said in outcome.err + outcome.out
    assert len((outcome.err + outcome.out).splitlines()) == 1


def test_the_statement_names_purpose_and_day_but_nobody(run: Run) -> None:
    day = ("--not-before", "2027-01-02", "--expires", "2027-12-31")
    shown = run("consent", "new", "--subject", "Alice", "--purpose", "training videos", *day,
                "--show-statement", "--statement-lang", "es")  # fmt: skip
    assert "training videos" in shown.out
    assert "2 de enero de 2027" in shown.out
    assert "Alice" not in shown.out


def test_a_bench_leaves_nothing_of_people_who_did_not_agree(run: Run, tmp_path: Path) -> None:
    for name in ("reference", "test"):
        folder = tmp_path / "people" / "anna" / name
        folder.mkdir(parents=True)
        write_audio(folder / "a.wav", voice(6, seed=len(name)))
    outcome = run("evaluate", "voice", "people", "--keep", "kept", "--no-dnsmos")
    assert outcome.code == 1
    assert "left out anna" in outcome.err
    assert "voicelip consent new" in outcome.err
    assert not list(Path("kept").rglob("*.flac")) + list(Path("kept").rglob("*.wav"))
