"""`voicelip verify`: what a file says of itself, whether it is still so, and what else can be found."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from voicelip.cli import failures
from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal
from voicelip.errors import VoicelipError

if TYPE_CHECKING:
    from voicelip.trust.verify import Report

# Codes 0 to 4 are verdicts here, so that what goes wrong has codes of its own (those of sysexits.h).
BAD_USAGE = 64
NO_INPUT = 66

_WIDTH_OF_A_FILE = 200  # columns, where lines are not to be broken

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE|FOLDER...", help="What to examine.", show_default=False)
]
Trust = Annotated[
    Path | None,
    typer.Option("--trust", metavar="PEM", help="Certificates of the authorities that you trust.",
                 show_default=False),
]  # fmt: skip


class VerifyCommand(TyperCommand):
    """A command whose usage errors are not mistaken for the verdict `tampered`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "exit_code", None) == failures.USAGE:
                error.exit_code = BAD_USAGE  # type: ignore[attr-defined]
            raise


Detect = Annotated[
    bool | None,
    typer.Option("--detect/--no-detect", show_default=False,
                 help="Look for signs of synthesis in the picture; else only where nothing is declared."),
]  # fmt: skip


def verify(paths: Files, trust: Trust = None, detect: Detect = None, as_json: o.Json = False) -> None:
    """Content credentials of files: intact or tampered with, by whom, made of what; and their watermark.

    Exit code: 0 authentic, 1 synthetic and declared so, 2 tampered with, 3 nothing found or nothing to
    rely on, 4 suspicious: signs of synthesis that is not declared; the worst one for several files.
    64 wrong usage, 66 no such file.
    """
    with Terminal(as_json) as terminal:
        try:
            reports = _examine(paths, trust, detect)
        except VoicelipError as error:
            failures.report(error)
            raise typer.Exit(NO_INPUT) from None
        if as_json:
            from voicelip.trust.report import to_dict

            terminal.show_json([to_dict(report) for report in reports])
        else:
            _show(reports, with_trees=len(reports) == 1)
        raise typer.Exit(_worst(reports))


def _examine(paths: list[Path], trust: Path | None, detect: bool | None) -> list["Report"]:
    from voicelip.examine import with_signals
    from voicelip.trust.verify import verify as examine
    from voicelip.trust.verify import verify_folder

    reports: list[Report] = []
    for path in paths:
        found = verify_folder(path, trust) if path.is_dir() else [examine(path, trust)]
        reports.extend(with_signals(report, detect) for report in found)
    return reports


def _show(reports: list["Report"], with_trees: bool) -> None:
    from rich.console import Console

    from voicelip.trust.report import evidence_lines, provenance_tree, verdict_line

    width = None if sys.stdout.isatty() else _WIDTH_OF_A_FILE
    console = Console(highlight=False, markup=False, emoji=False, width=width)
    for report in reports:
        print(" ".join(verdict_line(report).split()), flush=True)
        if not with_trees:
            continue
        for line in evidence_lines(report):
            print(" ".join(line.split()), flush=True)
        tree = provenance_tree(report)
        if tree:
            console.print(tree)


def _worst(reports: list["Report"]) -> int:
    """Tampered is worse than suspicious, that than nothing, nothing than synthetic, synthetic than
    authentic.
    """
    found = {report.verdict.value for report in reports}
    return next(code for code in (2, 4, 3, 1, 0) if code in found)
