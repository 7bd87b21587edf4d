"""The job folder: everything that a dub knows and has made so far, to be resumed, edited and reviewed.

    job.json          inputs with their hashes, options, versions; at the end what was written
    cues/0001.json    one cue: what is said, by whom, in which voice; its takes, its fit, its scores
    takes/KEY.wav     what the engine spoke, named by the hash of what was asked for
    takes/KEY.json    when its words are heard

A file is written whole or not at all. Whoever edits a cue's text, times, speaker, voice or language is
heeded by the next run; everything else in it is the run's own.
"""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from voicelip.dub.cues import Cue
from voicelip.errors import JobError, OutputError

FORMAT = 1
EDITABLE = ("start_s", "end_s", "text", "speaker", "voice", "lang")


@dataclass(frozen=True)
class Take:
    """A cue as the engine spoke it at one speed."""

    key: str  # the hash of what was asked for; the sound is takes/KEY.wav
    sha256: str  # of that file
    speed: float
    spoken_s: float  # from the first sound to the last


@dataclass(frozen=True)
class Fit:
    """How a cue met its time. Times are seconds of the dub."""

    rule: str  # natural, faster, silence, stretched or too_long
    speed: float  # of the engine
    stretch: float  # of the sound, keeping its pitch; the part of the pace that is not the engine's
    start_s: float  # of the first sound
    end_s: float  # of the last
    slot_s: float  # what the subtitle allows
    over_s: float = 0.0  # spoken after the subtitle's end
    late_s: float = 0.0  # begun after the subtitle's start, a cue before having needed the time
    too_long_s: float = 0.0  # by which it misses the time there is, at the limits of pace
    advice: str = ""  # such as "too long by 0.8 s, shorten to about 42 characters"


@dataclass(frozen=True)
class CueState:
    """One cue of a job. What may be edited comes first; `subtitle` holds the same as the subtitles and the
    cast had it, so that an edit and a change of the subtitles can be told apart.
    """

    number: int
    start_s: float
    end_s: float
    text: str
    speaker: str
    voice: str
    lang: str
    line: int
    subtitle: Mapping[str, Any]
    takes: tuple[Take, ...] = ()  # all that were made for it; the last is used
    fit: Fit | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)

    @property
    def take(self) -> Take | None:
        """The take that is used."""
        return self.takes[-1] if self.takes else None

    @property
    def cue(self) -> Cue:
        """The cue as it is to be said."""
        return Cue(self.number, self.start_s, self.end_s, self.text, self.speaker, self.line)

    @property
    def edited(self) -> tuple[str, ...]:
        """The fields that somebody changed in the folder."""
        return tuple(name for name in EDITABLE if getattr(self, name) != self.subtitle.get(name))


@dataclass(frozen=True)
class JobState:
    """What goes for the whole job. `inputs` are name → {path, sha256}; `result` is filled at the end."""

    out: str  # the dub's path; relative ones count from the job folder
    inputs: Mapping[str, Mapping[str, str]]
    options: Mapping[str, Any]
    voicelip: str  # the version that wrote it
    result: Mapping[str, Any] = field(default_factory=dict)


class Job:
    """A job folder on disk."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def takes(self) -> Path:
        """Where takes are kept."""
        return self.folder / "takes"

    @property
    def exists(self) -> bool:
        """Whether the folder holds a job already."""
        return (self.folder / "job.json").is_file()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if need be and keep other runs out of it. A killed run leaves no lock."""
        from filelock import FileLock, Timeout

        try:
            for part in (self.folder / "cues", self.takes):
                part.mkdir(parents=True, exist_ok=True)
            lock = FileLock(str(self.folder / ".lock"), timeout=0)
            lock.acquire()
        except Timeout:
            raise JobError(
                f"{self.folder}: another run is at work here; wait, or choose another --job"
            ) from None
        except OSError as failure:
            raise _unwritable(self.folder, failure) from None
        try:
            self._forget_unfinished()
            yield
        finally:
            lock.release()

    def _forget_unfinished(self) -> None:
        """Remove what killed runs had not written to the end."""
        for folder in (self.folder, *(each for each in self.folder.iterdir() if each.is_dir())):
            for path in folder.glob(".*.part*"):
                path.unlink(missing_ok=True)

    def read(self) -> JobState:
        """What goes for the whole job; raises JobError where there is none."""
        path = self.folder / "job.json"
        if not path.is_file():
            raise JobError(f"{self.folder}: holds no job.json; name the folder that `voicelip dub` made")
        return _parsed(JobState, _read(path), path)

    def write(self, state: JobState) -> None:
        """Replace job.json."""
        _write(self.folder / "job.json", asdict(state))

    def cues(self) -> tuple[CueState, ...]:
        """All cues, by number."""
        paths = sorted((self.folder / "cues").glob("[0-9]*.json"))
        return tuple(sorted(map(self._read_cue, paths), key=lambda cue: cue.number))

    def write_cue(self, cue: CueState) -> None:
        """Replace one cue's file."""
        _write(self._cue_path(cue.number), asdict(cue))

    def forget_cues_after(self, number: int) -> None:
        """Remove the files of cues that the subtitles no longer have."""
        for cue in self.cues():
            if cue.number > number:
                self._cue_path(cue.number).unlink(missing_ok=True)

    def _cue_path(self, number: int) -> Path:
        return self.folder / "cues" / f"{number:04d}.json"

    def _read_cue(self, path: Path) -> CueState:
        data = _read(path)
        takes = data.get("takes", [])
        if not isinstance(takes, list):
            raise _damaged(path, "takes should be a list")
        fit = data.get("fit")
        cue: CueState = _parsed(CueState, {**data, "takes": (), "fit": None}, path)
        if cue.end_s <= cue.start_s or cue.start_s < 0 or not cue.text.strip():
            raise _damaged(path, "end_s must come after start_s, and text must not be empty")
        return replace(
            cue,
            takes=tuple(_parsed(Take, take, path) for take in takes),
            fit=None if fit is None else _parsed(Fit, fit, path),
        )


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        os.replace(temporary, path)
    except OSError as failure:
        raise _unwritable(path, failure) from None
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    write_json(path, {"format": FORMAT, **value})


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, RecursionError, ValueError) as failure:
        raise _damaged(path, f"it cannot be read as JSON ({failure})") from None
    if not isinstance(data, dict):
        raise _damaged(path, "it should hold one object")
    found = data.pop("format", None)
    if isinstance(found, int) and found > FORMAT:
        raise JobError(
            f"{path}: made by a later version (format {found}); update voicelip, or choose another --job"
        )
    if found != FORMAT:
        raise _damaged(path, f"its format is {found!r}, not {FORMAT}")
    return data


_KINDS: dict[Any, tuple[Any, str]] = {
    float: ((int, float), "a number"), int: (int, "a whole number"), str: (str, "text"),
    Mapping[str, Any]: (dict, "an object"), Mapping[str, Mapping[str, str]]: (dict, "an object"),
}  # fmt: skip


def _parsed(kind: Any, data: Any, path: Path) -> Any:
    """A record of `kind` from an object of plain values, each looked at; unknown ones are refused."""
    if not isinstance(data, dict):
        raise _damaged(path, f"a {kind.__name__.lower()} should be an object")
    known = {each.name: each for each in fields(kind)}
    if unknown := sorted(set(data) - set(known)):
        raise _damaged(path, f"{', '.join(unknown)} is not known")
    if missing := [name for name, each in known.items() if name not in data and _is_needed(each)]:
        raise _damaged(path, f"{', '.join(missing)} is missing")
    for name, value in data.items():
        expected, words = _KINDS.get(known[name].type, (object, ""))
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not object):
            raise _damaged(path, f"{name} should be {words}")
    return kind(**data)


def _is_needed(each: Any) -> bool:
    from dataclasses import MISSING

    return each.default is MISSING and each.default_factory is MISSING


def _damaged(path: Path, reason: str) -> JobError:
    return JobError(f"{path}: is damaged: {reason}; mend it, or remove the file to have it made anew")


def _unwritable(path: Path, failure: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({failure.strerror or failure}); choose another --job")
