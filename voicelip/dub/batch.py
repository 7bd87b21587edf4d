"""Many dubs: a manifest checked whole, then done by a crew. Begun again, what is done stays done."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from voicelip.dub.crew import Crew, Outcome, Task
from voicelip.dub.given import Given, default_job
from voicelip.dub.job import Job, write_json
from voicelip.dub.local_crew import LocalCrew
from voicelip.dub.manifest import ManifestError, Row, read_manifest
from voicelip.dub.request import Request
from voicelip.dub.run import check
from voicelip.errors import OptionError, OutputError, VoicelipError
from voicelip.hashing import content_hash
from voicelip.progress import Progress, silent

STATE = ".batch"  # in the output folder: how each dub ended
MOST_WORKERS = 64
_FUNCTION = "voicelip.dub.batch:dub_one"

Within = Callable[[str, str, float, float | None], None]  # a dub's name, stage, done, total


@dataclass(frozen=True)
class BatchOptions:
    """How a manifest is worked on."""

    workers: int = 1
    ray: str | None = None  # the address of a cluster, or auto; else processes on this machine
    skip_bad: bool = False  # do the rows that can be dubbed, though others cannot
    overwrite: bool = False
    fail_on: tuple[str, ...] = ()  # flags of the report that make a dub count as failed
    report: bool = False  # a quality report of each
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= MOST_WORKERS:
            raise OptionError(f"{self.workers} workers are out of range; choose 1 to {MOST_WORKERS}")


@dataclass(frozen=True)
class Dubbed:
    """How one row ended: `state` is done, kept (done by an earlier run), flagged (done, but its report holds
    what was to fail) or failed.
    """

    line: int
    name: str
    state: str
    out: str = ""
    reason: str = ""
    exit_code: int = 0
    tries: int = 0
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)  # duration, cues, fits, warnings


@dataclass(frozen=True)
class BatchResult:
    """How all rows ended, in the manifest's order."""

    out: Path
    dubs: tuple[Dubbed, ...]

    @property
    def failed(self) -> tuple[Dubbed, ...]:
        """Those that somebody has to look at."""
        return tuple(each for each in self.dubs if each.state in ("failed", "flagged"))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        states = [each.state for each in self.dubs]
        counts = {state: states.count(state) for state in dict.fromkeys(states)}
        return {"out": str(self.out), "counts": counts, "dubs": [asdict(each) for each in self.dubs]}


def batch(
    manifest: str | Path,
    *,
    out: str | Path,
    options: BatchOptions | None = None,
    progress: Progress = silent,
    within: Within = lambda name, stage, done, total: None,
    told: Callable[[str], None] = lambda line: None,
) -> BatchResult:
    """Dub every row of `manifest` into the folder `out`, where batch.json tells how each ended.

    `progress` hears of the whole, `within` of the dubs at work (stage "" when one ends), and `told` gets a
    line for each that ends. Raises ManifestError, before any work, if a row cannot be dubbed;
    what fails later is in the result and stops nothing else.
    """
    out, options = Path(out), options or BatchOptions()
    rows = read_manifest(manifest, out)
    _make_folder(out / STATE)
    rows = checked(rows, options, progress)
    problems = tuple(f"line {row.line}: {row.problem}" for row in rows if row.request is None)
    if problems and not options.skip_bad:
        raise ManifestError(Path(manifest), problems, len(rows))
    work = _Work(rows, out, options, progress, within, told)
    work.run(_crew(options, out))
    result = work.result()
    write_json(out / "batch.json", result.to_dict())
    return result


def checked(rows: Sequence[Row], options: BatchOptions, progress: Progress) -> list[Row]:
    """The rows, those that would be refused as problems with the reason."""
    found = []
    for number, row in enumerate(rows, 1):
        found.append(row if row.request is None else _checked(row, row.request, options))
        progress("checking", number, len(rows), "rows")
    return found


def _checked(row: Row, request: Request, options: BatchOptions) -> Row:
    try:
        _make_folder(_out(request).parent)
        check(Given.checked(request.clip, **_arguments(request, options.overwrite)))
    except VoicelipError as error:
        return Row(row.line, row.name, None, " ".join(str(error).split()))
    return row


def dub_one(arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """One dub in a worker, from plain values to plain values."""
    from voicelip.dub.run import dub

    request = Request.read(arguments["request"])
    result = dub(request.clip, progress=progress, **_arguments(request, arguments["overwrite"]))
    found = {
        "duration_s": result.duration_s,
        "cues": len(result.cues),
        "fits": result.fits,
        "passed_through": dict(result.passed_through),
        "warnings": list(result.warnings),
    }
    if arguments["report"]:
        found["report"] = _report(result.job, arguments, progress)
    write_json(Path(arguments["state"]), {"print": fingerprint(request), "facts": found})
    return found


def fingerprint(request: Request) -> str:
    """A hash of all that went into a dub and of what came out; raises OSError if any of it is gone."""
    from voicelip.dub.voices import Voices
    from voicelip.speech.engine import EngineOptions

    job = Job(_job(request))
    files = [request.clip, request.subs, request.cast, request.options.get("background"), _out(request)]
    hashes = [content_hash(path) for path in files if path is not None]
    voices, cues = Voices(EngineOptions()), job.cues()
    hashes += [voices.sha256(voice) for voice in sorted({cue.voice for cue in cues})]
    said = [asdict(replace(cue, scores={})) for cue in cues]
    plain = json.dumps([request.to_dict(), hashes, said], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _report(job: Path, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from voicelip.dub.quality import assess
    from voicelip.dub.report import failing
    from voicelip.dub.thresholds import Thresholds

    report = assess(job, Thresholds.of(arguments["thresholds"]), progress)
    flags: dict[str, int] = {}
    for flag in report.flags:
        flags[flag.kind] = flags.get(flag.kind, 0) + 1
    return {"flags": flags, "failing": failing(report, arguments["fail_on"])}


class _Work:
    """The rows that a crew works on, and what is heard of them."""

    def __init__(
        self, rows: Sequence[Row], out: Path, options: BatchOptions, progress: Progress, within: Within,
        told: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._rows, self._out, self._options = rows, out, options
        self._progress, self._within, self._told = progress, within, told
        self._ended: dict[int, Dubbed] = {}
        for row in rows:
            if row.request is None:
                self._end(row, Dubbed(row.line, row.name, "failed", reason=row.problem, exit_code=2))

    def run(self, crew: Crew) -> None:
        """Do what is not done yet."""
        tasks = []
        for row in self._rows:
            if row.request is None:
                continue
            kept = None if self._options.overwrite else self._kept(row, row.request)
            if kept is None:
                tasks.append(self._task(row, row.request))
            else:
                self._end(row, kept)
        if tasks:
            crew.work(tasks, self)

    def result(self) -> BatchResult:
        """How all ended."""
        return BatchResult(self._out, tuple(self._ended[row.line] for row in self._rows))

    # What a crew tells

    def progressed(self, name: str, stage: str, done: float, total: float | None) -> None:
        """See `Listener`."""
        self._within(self._row(name).name, stage, done, total)

    def lost(self, name: str, reason: str) -> None:
        """See `Listener`."""
        self._told(f"{self._row(name).name}: its worker was lost ({reason}); it is tried again")

    def ended(self, outcome: Outcome) -> None:
        """See `Listener`."""
        row = self._row(outcome.name)
        failing = outcome.value.get("report", {}).get("failing", [])
        state, reason = outcome.state, outcome.reason
        if failing:
            state, reason = "flagged", "; ".join(failing)  # type: ignore[assignment]
        self._end(row, Dubbed(
            row.line, row.name, state, self._relative(row), reason, outcome.exit_code, outcome.tries,
            outcome.seconds, outcome.value,
        ))  # fmt: skip

    # Rows and tasks

    def _task(self, row: Row, request: Request) -> Task:
        options = self._options
        return Task(str(row.line), _FUNCTION, {
            "request": request.to_dict(),
            "overwrite": options.overwrite,
            "report": options.report or bool(options.fail_on),
            "thresholds": dict(options.thresholds),
            "fail_on": list(options.fail_on),
            "state": str(self._state(row).absolute()),
        })  # fmt: skip

    def _kept(self, row: Row, request: Request) -> Dubbed | None:
        """What an earlier run did, if nothing that it came from or made was changed since."""
        try:
            state = json.loads(self._state(row).read_text("utf-8"))
            is_same = state["print"] == fingerprint(request)
            facts = dict(state["facts"])
        except (OSError, RecursionError, ValueError, KeyError, TypeError, VoicelipError):
            return None
        lacks_report = (self._options.report or self._options.fail_on) and "report" not in facts
        if not is_same or lacks_report:
            return None
        failing = facts.get("report", {}).get("failing", [])
        reason = "; ".join(failing) if self._options.fail_on else ""
        return Dubbed(
            row.line, row.name, "flagged" if reason else "kept", self._relative(row), reason, facts=facts
        )

    def _end(self, row: Row, dubbed: Dubbed) -> None:
        self._ended[row.line] = dubbed
        self._within(row.name, "", 1, 1)
        if dubbed.state == "done":
            self._told(f"{dubbed.name}: done in {dubbed.seconds:.0f} s")
        elif dubbed.state != "kept":
            self._told(f"{dubbed.name} (line {dubbed.line}): {dubbed.state}: {dubbed.reason}")
        self._progress("dubs", len(self._ended), len(self._rows), "dubs")

    def _row(self, name: str) -> Row:
        return next(row for row in self._rows if str(row.line) == name)

    def _state(self, row: Row) -> Path:
        return self._out / STATE / f"{row.name.replace('/', '__')}.json"

    def _relative(self, row: Row) -> str:
        assert row.request is not None
        out = _out(row.request)
        return str(out.relative_to(self._out)) if out.is_relative_to(self._out) else str(out)


def _crew(options: BatchOptions, out: Path) -> Crew:
    if options.ray is None:
        return LocalCrew(options.workers, out / STATE / "workers.log")
    from voicelip.dub.ray_crew import RayCrew

    return RayCrew(options.workers, options.ray)


def _arguments(request: Request, overwrite: bool) -> dict[str, Any]:
    """What `dub` and `Given.checked` take, but for the clip."""
    return {
        "subs": request.subs,
        "out": _out(request),
        "lang": request.lang,
        "voice": request.voice,
        "cast": request.cast,
        "job": request.job,
        "options": request.dub_options(),
        "overwrite": overwrite,
    }


def _out(request: Request) -> Path:
    assert request.out is not None  # a manifest's rows all have one
    return request.out


def _job(request: Request) -> Path:
    return request.job or default_job(_out(request))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise OutputError(f"{folder}: cannot be made ({failure.strerror}); choose another --out") from None
