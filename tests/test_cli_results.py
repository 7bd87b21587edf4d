"""What a command says and leaves when all is well."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Run, runner, signals_kept

from voicelip.media import Audio, probe, read_audio, write_audio


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)
    with signals_kept():
        yield runner(capfd, monkeypatch)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Ten frames' worth."""
    path = tmp_path / "sound.wav"
    write_audio(path, Audio(np.random.default_rng(1).normal(0, 0.1, 6400).astype(np.float32), 16_000))
    return path


def lipsync(run: Run, sound: Path, *more: str):
    return run("lipsync", "--face", "stock:presenter", "--audio", sound, "-o", "out.mp4", *more)


def test_one_line_says_what_was_written(run: Run, sound: Path) -> None:
    outcome = lipsync(run, sound)
    assert outcome.code == 0
    assert re.fullmatch(r"out\.mp4: 0\.4 s, 10 frames at 25 fps in \d+\.\d s\n", outcome.out)
    assert outcome.err.count("\n") == 1
    assert "warning: the speech is too short or too quiet to carry the inaudible watermark" in outcome.err
    assert probe("out.mp4").frame_count == 10


def test_quiet_says_nothing(run: Run, sound: Path) -> None:
    outcome = lipsync(run, sound, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_verbose_tells_the_time_of_each_stage(run: Run, sound: Path) -> None:
    stages = [line.split()[-1] for line in lipsync(run, sound, "-v").error_lines]
    assert {"faces", "lips"} <= set(stages)


def test_json_is_all_there_is_on_stdout(run: Run, sound: Path) -> None:
    result = json.loads(lipsync(run, sound, "--json").out)
    assert result["path"] == "out.mp4"
    assert (result["frames"], result["fps"], result["duration_s"]) == (10, 25.0, 0.4)
    assert set(result) == {
        "path", "duration_s", "frames", "fps", "timings_s", "warnings", "passed_through", "words", "adapted"
    }  # fmt: skip


def test_speech_from_stdin_has_no_frames(run: Run) -> None:
    outcome = run("speak", "-", "--voice", "stock:af_heart", "-o", "out.wav", stdin=b"Hi.")
    assert re.fullmatch(r"out\.wav: \d\.\d s in \d+\.\d s\n", outcome.out), outcome.err
    assert read_audio("out.wav").duration_s > 0.3


def test_letters_that_are_not_read_are_a_warning(run: Run) -> None:
    outcome = run("speak", "Hi 漢.", "--voice", "stock:af_heart", "-o", "out.wav")
    assert outcome.code == 0
    assert outcome.err.startswith("voicelip: warning: ")
    assert "漢" in outcome.err


def test_a_demo_does_not_cost_an_earlier_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "demo.mp4").write_text("dear to somebody")
    outcome = run("demo", "--text", "Hi.")
    assert outcome.code == 0
    assert outcome.out.startswith("demo-2.mp4: ")
    assert (tmp_path / "demo.mp4").read_text() == "dear to somebody"
    assert probe("demo-2.mp4").has_audio
