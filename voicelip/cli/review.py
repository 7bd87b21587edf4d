"""`voicelip review`: one page to check a dub by."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal

if TYPE_CHECKING:
    from voicelip.dub.report import Report
    from voicelip.dub.thresholds import Thresholds as Limits
    from voicelip.progress import Progress

_MOST_LINES = 10

Where = Annotated[
    Path,
    typer.Argument(metavar="DUB", help="A dub's job folder, or the finished dub.", show_default=False),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Where the page goes; else review.html in the job folder."),
]
Measure = Annotated[
    bool,
    typer.Option("--measure/--no-measure", help="Listen to the dub and look at it, if not done yet."),
]  # fmt: skip
FailOn = Annotated[
    str | None,
    typer.Option("--fail-on", metavar="RULES", help="Exit with 18 if so: wer>0.2,too_long,credentials.",
                 show_default=False),
]  # fmt: skip
Thresholds = Annotated[
    Path | None,
    typer.Option("--thresholds", metavar="YAML", help="From where on a cue is flagged.", show_default=False),
]


def review(
    where: Where,
    html: Html = None,
    measure: Measure = True,
    fail_on: FailOn = None,
    thresholds: Thresholds = None,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Measure a dub and write a page to check it by: what needs a human first on top.

    The page holds the video, its cues to click on, and curves of speech and mouth.
    """
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip.dub.review_page import find_job

        limits, wanted = judged_by(thresholds, fail_on)
        report, page = reviewed(find_job(where), limits, terminal.progress, html, measure)
        terminal.show_lines({**report.to_dict(), "page": str(page)}, findings(report, page))
        stop_if_failing(report, wanted, page)


def reviewed(
    job: Path, limits: "Limits", progress: "Progress", html: Path | None = None, measure: bool = True
) -> tuple["Report", Path]:
    """The report of a job folder, and the page that was written of it."""
    from voicelip.dub.quality import assess
    from voicelip.dub.review_page import write_page

    report = assess(job, limits, progress, measure)
    return report, write_page(report, html)


def judged_by(thresholds: Path | None, fail_on: str | None) -> tuple["Limits", tuple[str, ...]]:
    """The thresholds and rules that were asked for; read before any work, since they may be wrong."""
    from voicelip.dub.thresholds import Thresholds as Limits
    from voicelip.dub.thresholds import rules

    return Limits.read(thresholds), rules(fail_on or "")


def stop_if_failing(report: "Report", wanted: tuple[str, ...], page: Path) -> None:
    """Raise JobError if the dub breaks one of the rules."""
    from voicelip.dub.report import failing
    from voicelip.errors import JobError

    if broken := failing(report, wanted):
        raise JobError(f"{report.job}: {'; '.join(broken)}; {page} shows where")


def findings(report: "Report", page: Path) -> list[str]:
    """The most pressing findings, then where the page is."""
    found = [
        f"{f'cue {flag.cue}' if flag.cue else 'the whole'}: {flag.text}"
        for flag in report.flags[:_MOST_LINES]
    ]
    if len(report.flags) > _MOST_LINES:
        found.append(f"and {len(report.flags) - _MOST_LINES} more")
    wer = "" if report.mean_wer is None else f", WER {report.mean_wer:.1%}"
    return [*found, f"{page}: {len(report.cues)} cues, {len(report.flags)} findings{wer}"]
