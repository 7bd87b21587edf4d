"""What a command shows: bars while it works, then its result, as lines or as JSON."""

import json
import logging
import sys
import time
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from voicelip.cli import failures
from voicelip.progress import Progress, silent

if TYPE_CHECKING:
    from voicelip.dub.options import DubResult
    from voicelip.pipeline import Result


class Terminal:
    """A block in which a command runs; `progress` is to be handed to the work.

    stdout carries results only (one JSON object with `as_json`), stderr the bars and warnings.
    """

    def __init__(self, as_json: bool = False, verbose: bool = False, quiet: bool = False) -> None:
        self._as_json, self._verbose, self._quiet = as_json, verbose, quiet
        self._bars: Any = None
        self.progress: Progress = silent

    def __enter__(self) -> "Terminal":
        self._started_s = time.monotonic()
        if not self._verbose:
            warnings.simplefilter("ignore")
        self._loggers = _listen(logging.ERROR if self._quiet else logging.WARNING)
        if sys.stderr.isatty() and not self._quiet:
            self._show_bars()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hide_bars()
        for logger, handler in self._loggers:
            logger.removeHandler(handler)
        if self._verbose and isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
            raise typer.Exit(_code_of(error)) from None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the block began."""
        return time.monotonic() - self._started_s

    def show(self, result: "Result | DubResult", *more: str) -> None:
        """Say what was written, how long it is and how long it took, and `more` lines; then what the user
        should know.
        """
        self.show_lines(result.to_dict(), [summary(result, self.elapsed_s), *more])
        if not (self._as_json or self._quiet):
            self._show_details(result)

    def show_lines(self, value: Any, lines: Sequence[str]) -> None:
        """Print `lines`, or with --json the `value` that they tell of."""
        self._hide_bars()
        if self._as_json:
            self.show_json(value)
        elif not self._quiet:
            print("\n".join(lines), flush=True)

    def show_json(self, value: Any) -> None:
        """Print one JSON value, the only thing on stdout."""
        print(json.dumps(value, indent=2), flush=True)

    def _show_details(self, result: "Result | DubResult") -> None:
        for warning in result.warnings:
            self._note(f"voicelip: warning: {warning}", "yellow")
        if self._verbose:
            for stage, seconds in result.timings_s.items():
                self._note(f"{seconds:8.2f} s  {stage}", "dim")

    def _note(self, line: str, style: str) -> None:
        from rich.console import Console

        Console(stderr=True, highlight=False).print(line, style=style, markup=False, soft_wrap=True)

    def _show_bars(self) -> None:
        from rich.console import Console

        from voicelip.cli.progress import Bars

        self._bars = Bars(Console(stderr=True))
        self._bars.__enter__()
        self.progress = self._bars

    def _hide_bars(self) -> None:
        if self._bars is not None:
            self._bars.__exit__(None, None, None)
            self._bars = None


class _Notes(logging.Handler):
    """Shows what the rooms log. Not logging's own handler, which would write across the bars."""

    def emit(self, record: logging.LogRecord) -> None:
        failures.say(f"voicelip: warning: {record.getMessage()}")


def _listen(level: int) -> list[tuple[logging.Logger, logging.Handler]]:
    """Show our own warnings as such, and none of the libraries'."""
    pairs = [(logging.getLogger("voicelip"), _Notes(level)), (logging.getLogger(), logging.NullHandler())]
    for logger, handler in pairs:
        logger.addHandler(handler)
    return pairs


def summary(result: "Result | DubResult", elapsed_s: float) -> str:
    """Such as `demo.mp4: 6.2 s, 155 frames at 25 fps in 9.8 s`."""
    pictures = f", {result.frames} frames at {result.fps:g} fps" if result.frames else ""
    lips = f", lips adapted to {result.adapted}" if result.adapted else ""
    return f"{result.path}: {result.duration_s:.1f} s{pictures} in {elapsed_s:.1f} s{lips}"


def _code_of(error: Exception) -> int:
    return error.exit_code if isinstance(error, typer.Exit) else failures.report(error, verbose=True)
