"""The console script: runs a command and ends the process with its exit code."""

import atexit
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from voicelip.cli import failures
from voicelip.cli.signals import Stopped, stop_on_signals


def main(argv: Sequence[str] | None = None) -> None:
    """Run `voicelip` with `argv` (without the program's name) and exit."""
    # onnxruntime's wheels report their use to their maker unless told otherwise before they are loaded.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        stop_on_signals()
        _print_any_letter()
        code = _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt as stop:
        failures.say("voicelip: stopped; nothing was written")
        _leave_now(stop.exit_code if isinstance(stop, Stopped) else failures.INTERRUPTED)
    except BrokenPipeError:
        _forget_stdout()
        code = failures.BROKEN_PIPE
    sys.exit(code)


def _run(argv: list[str]) -> int:
    """The exit code of one command."""
    import typer

    try:
        from voicelip.cli.app import app

        command = typer.main.get_command(app)
        with command.make_context("voicelip", argv or ["--help"]) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        return failures.report(error)
    return failures.FINE


def _print_any_letter() -> None:
    """A file name or a text never stops a command for want of letters in the terminal's encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _leave_now(code: int) -> None:
    """End without waiting for threads that are still computing; libraries' temporary files are removed."""
    with suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _forget_stdout() -> None:
    """Nobody reads any more; keep the interpreter from complaining when it flushes at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
