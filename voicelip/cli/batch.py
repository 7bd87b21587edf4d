"""`voicelip batch`: many clips into many languages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicelip.cli import failures
from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal

if TYPE_CHECKING:
    from voicelip.dub.batch import BatchResult, Dubbed

_WIDEST_NAME = 40
_FACTS = 28

Manifest = Annotated[
    Path,
    typer.Argument(
        metavar="JOBS", help="A row for each dub: .csv, .jsonl or .yaml; columns as dub's options.",
        show_default=False,
    ),
]  # fmt: skip
Folder = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the dubs are written.")]
Workers = Annotated[
    int, typer.Option("--workers", metavar="N", help="Dubs at once, each in a process of its own.")
]
Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Work on a Ray cluster; auto: the one that runs here.",
                 show_default=False),
]  # fmt: skip
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Do the rows that can be dubbed although others cannot.")
]
Report = Annotated[bool, typer.Option("--report", help="Make a quality report of each dub.")]
FailOn = Annotated[
    str | None,
    typer.Option("--fail-on", metavar="FLAGS", help="What makes a dub count as failed: wer>0.2,too_long.",
                 show_default=False),
]  # fmt: skip
Thresholds = Annotated[
    Path | None,
    typer.Option("--thresholds", metavar="YAML", help="From where on the report flags a cue.",
                 show_default=False),
]  # fmt: skip


def batch(
    manifest: Manifest,
    out: Folder,
    workers: Workers = 1,
    ray: Ray = None,
    skip_bad: SkipBad = False,
    report: Report = False,
    fail_on: FailOn = None,
    thresholds: Thresholds = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Dub many clips: every row of a manifest, all of them checked before any is begun.

    Run again, it does what is not done yet. One that fails stops no other; the exit code is 18 then.
    """
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip.cli.progress import Bars
        from voicelip.dub.batch import BatchOptions
        from voicelip.dub.batch import batch as work
        from voicelip.dub.manifest import ManifestError
        from voicelip.dub.thresholds import Thresholds, rules
        from voicelip.errors import JobError

        limits = Thresholds.read(thresholds)
        wanted = rules(fail_on or "")
        options = BatchOptions(workers, ray, skip_bad, overwrite, wanted, report, limits.to_dict())
        bars = terminal.progress if isinstance(terminal.progress, Bars) else None
        try:
            result = work(
                manifest, out=out, options=options, progress=terminal.progress,
                within=bars.within if bars else lambda *_: None,
                told=(lambda line: None) if quiet else failures.say,
            )  # fmt: skip
        except ManifestError as error:
            for problem in error.problems:
                failures.say(f"voicelip: error: {manifest}, {problem}")
            raise
    # The bars are gone by now.
    if as_json:
        terminal.show_json(result.to_dict())
    elif not quiet:
        _show(result, terminal.elapsed_s)
    if result.failed:
        raise JobError(
            f"{len(result.failed)} of {len(result.dubs)} dubs failed; {out / 'batch.json'} tells why; "
            "mend them and run the same command again"
        )


def _show(result: "BatchResult", elapsed_s: float) -> None:
    width = min(_WIDEST_NAME, max(len(each.name) for each in result.dubs))
    for each in result.dubs:
        name = each.name if len(each.name) <= width else f"…{each.name[1 - width :]}"
        print(f"{name:{width}}  {each.state:7}  {_facts(each):{_FACTS}}  {each.reason}".rstrip(), flush=True)
    states = [each.state for each in result.dubs]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    print(f"{len(states)} dubs in {elapsed_s:.0f} s: {counts}", flush=True)


def _facts(dubbed: "Dubbed") -> str:
    """Such as `60 s, 12 cues, 1 too long`."""
    facts = dubbed.facts
    if not facts:
        return ""
    long = facts["fits"].get("too_long", 0)
    return f"{facts['duration_s']:.0f} s, {facts['cues']} cues" + (f", {long} too long" if long else "")
