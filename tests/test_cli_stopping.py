"""Ctrl-C, `kill` and a closed terminal: the command ends soon, says so in one line, and leaves nothing."""

import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import ENVIRONMENT, start

from recipes.fuzzing.attempts import empty_home
from voicelip.media import Audio, write_audio
from voicelip.pipeline import PRESENTER_FACE

pty = pytest.importorskip("pty", reason="terminals of this kind are a matter of Unix")

RATE = 16_000
PATIENCE_S = 60.0


@pytest.fixture
def minute(tmp_path: Path) -> Path:
    """More sound than a test has time to lip-sync."""
    path = tmp_path / "minute.wav"
    write_audio(path, Audio(np.random.default_rng(1).normal(0, 0.1, 60 * RATE).astype(np.float32), RATE))
    return path


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of commands that have a home of their own."""
    return {**ENVIRONMENT, "VOICELIP_HOME": str(empty_home(tmp_path))}


@pytest.fixture
def clip(tmp_path: Path, home: dict[str, str]) -> Path:
    """The presenter as a file never seen before, so that no face track of it is kept; with consent."""
    path = tmp_path / "clip.mp4"
    padding = os.urandom(56)
    path.write_bytes(PRESENTER_FACE.read_bytes() + (64).to_bytes(4, "big") + b"free" + padding)
    new = ["consent", "new", "--subject", "Nobody", "--purpose", "tests", "--expires", "2099-01-01"]
    assert start(*new, "--face", path, env=home).wait() == 0
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


class Session:
    """A command on a terminal of its own (its stderr), so that what it shows can be waited for."""

    def __init__(self, *argv: object, **options: Any) -> None:
        self._terminal, slave = pty.openpty()
        self.process = start(
            *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave, preexec_fn=heed_signals,
            **options,
        )  # fmt: skip
        os.close(slave)
        self.shown = ""

    def wait_for(self, pattern: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not re.search(pattern, self.shown):
            assert time.monotonic() < end, f"no {pattern!r} in {self.shown!r}"
            assert self._read(1.0) or self.process.poll() is None, self.shown

    def ended(self) -> int:
        """The exit code, once everything shown was read."""
        while self._read(PATIENCE_S):
            pass
        os.close(self._terminal)
        self.process.stdout.close()
        return self.process.wait(PATIENCE_S)

    @property
    def last_line(self) -> str:
        bare = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", self.shown)
        return [line.strip() for line in re.split(r"[\r\n]+", bare) if line.strip()][-1]

    def _read(self, seconds: float) -> bool:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return False
        try:
            self.shown += os.read(self._terminal, 65536).decode("utf-8", "replace")
        except OSError:  # Linux, when the other side is closed
            return False
        return True


def heed_signals() -> None:
    """A test run in the background may have them ignored, and children inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("stage", ["faces", "lips"])
def test_ctrl_c_during(stage: str, clip: Path, minute: Path, folder: Path, home: dict[str, str]) -> None:
    session = Session("lipsync", "--face", clip, "--audio", minute, "-o", folder / "out.mp4", env=home)
    session.wait_for(rf"{stage}.*[1-9]\d*/\d+ frames")
    session.process.send_signal(signal.SIGINT)
    assert session.ended() == 130
    assert session.last_line == "voicelip: stopped; nothing was written"
    assert "Traceback" not in session.shown
    assert not list(folder.iterdir())


def test_ctrl_c_while_speaking(tmp_path: Path, folder: Path) -> None:
    """The model is not waited for, and what the libraries put aside for themselves goes as well."""
    aside = tmp_path / "aside"
    aside.mkdir()
    text = "This sentence is one of a great many that nobody will ever hear. " * 40
    session = Session(
        "speak", text, "--voice", "stock:af_heart", "-o", folder / "out.wav",
        env={**ENVIRONMENT, "TMPDIR": str(aside)},
    )  # fmt: skip
    session.wait_for(r"speak.*\d+/\d+ phonemes")
    session.process.send_signal(signal.SIGINT)
    assert session.ended() == 130
    assert session.last_line == "voicelip: stopped; nothing was written"
    assert not list(folder.iterdir())
    assert not list(aside.iterdir())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_ways_to_stop(number: int, code: int, minute: Path, folder: Path) -> None:
    """The file is half written when the signal comes; the one that was to be replaced stays."""
    (folder / "out.mp4").write_text("dear to somebody")
    process = start(
        "lipsync", "--face", "stock:presenter", "--audio", minute, "-o", folder / "out.mp4", "--overwrite",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_signals,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE_S
    while len(list(folder.iterdir())) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert err == "voicelip: stopped; nothing was written\n"
    assert out == ""
    assert (folder / "out.mp4").read_text() == "dear to somebody"
    assert [path.name for path in folder.iterdir()] == ["out.mp4"]
