"""Tries spoilt files on one target, in this process, and keeps what should not have happened."""

import faulthandler
import json
import resource
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from recipes.fuzzing.mutation import Edit, edits, mutated, odd_json
from recipes.fuzzing.targets import Target
from voicelip import hub
from voicelip.errors import VoicelipError

LONGEST_S = 30.0  # a call that takes longer hangs
MOST_MEMORY_MB = 3000
LARGEST_ALLOCATION = 16 << 30  # of addresses; more ends in MemoryError, not in the machine's swap


@dataclass
class Tally:
    """What came of all attempts; `failures` maps a place in the code to the file that led there."""

    tried: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    slowest_s: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return {**vars(self), "refused": dict(self.refused), "memory_mb": memory_mb}


def empty_home(folder: Path) -> Path:
    """A home for `VOICELIP_HOME` in `folder`, with nothing in it but the models that were fetched before."""
    home = folder / "home"
    home.mkdir()
    (home / "models").symlink_to((hub.home() / "models").resolve())
    return home


def attempt(target: Target, path: Path, tally: Tally, kept: Path) -> None:
    """Open `path`; whatever is neither an answer nor a VoicelipError of one line is a failure."""
    tally.tried += 1
    began = time.monotonic()
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    try:
        target.call(path)
        tally.accepted += 1
    except VoicelipError as error:
        tally.refused[type(error).__name__] += 1
        if "\n" in str(error) or not str(error):
            _keep(f"{type(error).__name__} of several lines or none", path, tally, kept)
    except Exception as error:
        _keep(f"{type(error).__name__}: {_place(error)}", path, tally, kept)
    finally:
        faulthandler.cancel_dump_traceback_later()
    tally.slowest_s = max(tally.slowest_s, round(time.monotonic() - began, 2))
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_MEMORY_MB << 10:
        _keep(f"more than {MOST_MEMORY_MB} MB", path, tally, kept)


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = [each for each in traceback.extract_tb(error.__traceback__) if "voicelip" in each.filename]
    shown = ours[-1] if ours else last
    return f"{Path(shown.filename).name}:{shown.lineno} ({str(error)[:120]})"


def _keep(what: str, path: Path, tally: Tally, kept: Path) -> None:
    if what not in tally.failures:
        copy = kept / f"{len(tally.failures)}-{path.name}"
        copy.write_bytes(path.read_bytes())
        tally.failures[what] = copy.name


def run(target: Target, count: int, first: int, work: Path, kept: Path) -> Tally:
    """`count` attempts that `first` alone decides on, in `work`, where a crash leaves the file tried last."""
    tally, good = Tally(), target.seeds(work)
    names = st.sampled_from(sorted(good))
    plain = {name: json.loads(content) for name, content in good.items() if name.endswith(".json")}

    def try_file(name: str, content: bytes) -> None:
        path = work / name
        path.write_bytes(content)
        attempt(target, path, tally, kept)

    @seed(first)
    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(names, edits(), st.data())
    def spoil(name: str, changes: list[Edit], data: st.DataObject) -> None:
        if name in plain and data.draw(st.booleans()):
            try_file(name, data.draw(odd_json(plain[name])))
        else:
            try_file(name, mutated(good[name], changes))

    spoil()
    return tally
