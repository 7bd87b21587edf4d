"""`voicelip evaluate`: how good the results are, measured on footage of the user's own."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicelip.cli import failures
from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal
from voicelip.cli.voice import FitMode
from voicelip.errors import ConsentError, OutputError, VoicelipError

if TYPE_CHECKING:
    from rich.table import Table

    from voicelip.evaluation import voice_bench
    from voicelip.evaluation.lip_bench import Failed, Measured

app = typer.Typer(help="Measure results on real clips.", no_args_is_help=True)

_WIDEST_TABLE = 190
_NARROWEST_TABLE = 110  # characters, where there is no terminal to fit

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Clips of people talking: SPEAKER/*.mp4.")]
Pairs = Annotated[int, typer.Option(metavar="N", help="At most this many clips of each speaker.")]
JsonFile = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", help="All figures as JSON; - writes them to stdout, and no table."
    ),
]
HtmlFile = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="A page with the table, frames side by side, and curves."),
]
VoiceHtml = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="A page with the table, and players to listen with."),
]
Keep = Annotated[
    Path | None, typer.Option("--keep", metavar="FOLDER", help="Keep the rendered videos in this folder.")
]


@app.command("lips")
def evaluate_lips(
    folder: Folder,
    pairs: Pairs = 8,
    json_file: JsonFile = None,
    html: HtmlFile = None,
    keep: Keep = None,
    lips: o.Lips = "embedded",
    strength: o.Strength = 1.0,
    overwrite: o.Overwrite = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Drive each clip with the sound of another one of its speaker and measure the lips against the real
    ones.

    What --keep or --html leaves needs the consent of those whom it shows.
    """
    to_stdout = json_file == Path("-")
    with Terminal(to_stdout, verbose, quiet) as terminal:
        from voicelip.evaluation.lip_bench import Failed, bench, find_trials, to_dict
        from voicelip.evaluation.lip_page import Page
        from voicelip.pipeline import LipsyncOptions

        _check_outputs(json_file, html, overwrite)
        trials = find_trials(folder, pairs)
        results: list[Measured | Failed] = []
        page = Page(folder.resolve().name)
        with bench(LipsyncOptions(lips=lips, strength=strength), keep, shown=html is not None) as running:
            for result in running.run(trials, terminal.progress):
                results.append(result)
                if html:
                    page.add(result)
        if html:
            html.write_text(page.html(), "utf-8")
    _write_figures(json_file, to_dict(results))
    if not (to_stdout or quiet):
        _show_clips(results)
    failed = [result for result in results if isinstance(result, Failed)]
    left_out = [(f"{one.trial.speaker}, {one.trial.name}", one.reason) for one in failed]
    _complain(left_out, len(results), "clip")


@app.command("voice")
def evaluate_voice(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Recordings of people: SPEAKER/*.wav.")],
    fit: Annotated[FitMode, typer.Option("--fit", help="How the voices are made.")] = FitMode.none,
    lang: o.Lang = "en",
    finish: o.Finish = True,
    others: Annotated[
        Path | None,
        typer.Option("--others", metavar="FOLDER", help="One recording each of more people to be told from."),
    ] = None,
    dnsmos: Annotated[bool, typer.Option("--dnsmos/--no-dnsmos", help="Measure DNSMOS.")] = True,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the fits.")] = 0,
    json_file: JsonFile = None,
    html: VoiceHtml = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", metavar="FOLDER", help="Keep sounds and results here; a stopped run goes on from them."
        ),
    ] = None,
    overwrite: o.Overwrite = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Make people's voices from some of their recordings and measure them against the others.

    What --keep or --html leaves needs the consent of those whom it lets be heard.
    """
    to_stdout = json_file == Path("-")
    with Terminal(to_stdout, verbose, quiet) as terminal, _kept(keep) as work:
        from voicelip.evaluation.voice_bench import Bench, Failed, Plan, crowd_of, find_speakers, to_dict
        from voicelip.evaluation.voice_page import page
        from voicelip.speech.phonemes import resolve_language

        _check_outputs(json_file, html, overwrite)
        plan = Plan(fit.value, resolve_language(lang), finish, seed, with_dnsmos=dnsmos)
        speakers = find_speakers(folder)
        crowd = crowd_of(speakers, others, terminal.progress)
        results: list[voice_bench.Measured | voice_bench.Failed] = []
        if keep or html:
            speakers, results = _agreed(speakers, plan.lang)
        results += Bench(work, plan, crowd).run(speakers, terminal.progress)
        if html:
            html.write_text(page(folder.resolve().name, results), "utf-8")
    _write_figures(json_file, to_dict(results))
    if not (to_stdout or quiet):
        _show_voices(results)
    left_out = [(result.speaker, result.reason) for result in results if isinstance(result, Failed)]
    _complain(left_out, len(results), "voice")


def _agreed(
    speakers: "list[voice_bench.Speaker]", lang: str
) -> "tuple[list[voice_bench.Speaker], list[voice_bench.Measured | voice_bench.Failed]]":
    """Those whose voices may be kept, and the others with the reason."""
    from voicelip.consent.asking import Use, require
    from voicelip.evaluation.voice_bench import Failed

    allowed = []
    refused: list[voice_bench.Measured | voice_bench.Failed] = []
    for speaker in speakers:
        try:
            require(Use("speak", voice=list(speaker.references), lang=lang))
            allowed.append(speaker)
        except ConsentError as error:
            refused.append(Failed(speaker.name, str(error)))
    return allowed, refused


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    """The folder for what is made: the user's, which is made, or one that is gone afterwards."""
    from tempfile import TemporaryDirectory

    if folder is None:
        with TemporaryDirectory(prefix="voicelip-bench-") as temporary:
            yield Path(temporary)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise OutputError(f"{folder}: cannot be made ({failure.strerror}); choose another folder") from None
    yield folder


def _check_outputs(json_file: Path | None, html: Path | None, overwrite: bool) -> None:
    from voicelip.media import check_output

    for file in (json_file, html):
        if file and file != Path("-"):
            check_output(file, overwrite)


def _write_figures(json_file: Path | None, figures: dict[str, Any]) -> None:
    text = json.dumps(figures, indent=1)
    if json_file == Path("-"):
        print(text, flush=True)
    elif json_file:
        json_file.write_text(text, "utf-8")


def _show_voices(results: "list[voice_bench.Measured | voice_bench.Failed]") -> None:
    from voicelip.evaluation.voice_bench import Measured, Scores
    from voicelip.evaluation.voice_page import COLUMNS, shown

    measured = [result for result in results if isinstance(result, Measured)]
    if not measured:
        return
    rows = [(result.speaker, result.scores) for result in measured]
    rows.append(("mean", Scores.mean([result.scores for result in measured])))
    table = _table("speaker", COLUMNS.values())
    for name, scores in rows:
        figures = [shown(column, getattr(scores, column)) for column in COLUMNS]
        table.add_row(name, *figures, style="bold" if name == "mean" else None)
    _print(table, _WIDEST_TABLE)


def _show_clips(results: "list[Measured | Failed]") -> None:
    from voicelip.evaluation.lip_bench import Measured, speakers
    from voicelip.evaluation.lip_page import COLUMNS, shown

    measured = [result for result in results if isinstance(result, Measured)]
    if not measured:
        return
    table = _table("clip", COLUMNS.values())
    for speaker, mean in speakers(measured).items():
        for result in measured:
            if result.trial.speaker == speaker:
                figures = [shown(name, getattr(result.scores, name)) for name in COLUMNS]
                table.add_row(f"{speaker} {result.trial.name}", *figures)
        figures = [shown(name, getattr(mean, name), mean=True) for name in COLUMNS]
        table.add_row(f"{speaker} mean", *figures, style="bold", end_section=True)
    _print(table, _NARROWEST_TABLE)


def _table(what: str, titles: Iterable[str]) -> "Table":
    """Without rows: what was measured, then its figures."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column(what, no_wrap=True)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _print(table: "Table", least_width: int) -> None:
    """No narrower than that where the output is no terminal."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = max(console.width, least_width)
    console.print(table)


def _complain(left_out: Sequence[tuple[str, str]], count: int, what: str) -> None:
    """Name what was left out of so many, and why; an error if that is all."""
    for name, reason in left_out:
        failures.say(f"voicelip: warning: left out {name}: {reason}")
    if len(left_out) == count:
        raise VoicelipError(f"no {what} could be measured; the lines above say why")
