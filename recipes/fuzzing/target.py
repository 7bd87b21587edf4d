"""What is tried: one entry that takes files, with good ones to spoil."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """`seeds(folder)` makes good files, by name; `call(path)` opens one of such a name, as a user would."""

    name: str
    seeds: Callable[[Path], dict[str, bytes]]
    call: Callable[[Path], object]
