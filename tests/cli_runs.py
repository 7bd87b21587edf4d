"""Running the command line in tests: in this process, or as a process of its own where signals matter."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import voicelip
from voicelip.cli import main

# The package under test, wherever the command is run.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(voicelip.__file__).parents[1])}
COMMAND = [sys.executable, "-m", "voicelip"]


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.strip()]


Run = Callable[..., Outcome]


@contextmanager
def signals_kept() -> Iterator[None]:
    """The console script takes over signals; afterwards pytest has them again."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def runner(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls the console script's function; what C libraries print is seen as well."""

    def run(*argv: object, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in argv])
        written = capfd.readouterr()
        return Outcome(int(end.value.code or 0), written.out, written.err)

    return run


def start(*argv: object, **options: Any) -> "subprocess.Popen[str]":
    """The command as a process."""
    return subprocess.Popen([*COMMAND, *map(str, argv)], text=True, **({"env": ENVIRONMENT} | options))


def run_process(*argv: object, timeout_s: float = 120, **options: Any) -> Outcome:
    """The command as a process, to its end."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(*argv, **(pipes | options))
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        process.kill()  # nothing, if it has ended
    return Outcome(process.returncode, out or "", err or "")
