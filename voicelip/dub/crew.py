"""Work that several processes share: tasks, how each ended, and what is told of it on the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

TRIES = 2  # of a task whose worker was lost; what failed with an error of its own fails again


@dataclass(frozen=True)
class Task:
    """One call, for any process to make: `function` is `package.module:name`, and takes `arguments` as one
    object of plain values and a `Progress`; it gives an object of plain values back.
    """

    name: str
    function: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a task ended."""

    name: str
    state: Literal["done", "failed"]
    value: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""  # one line
    exit_code: int = 0
    tries: int = 1
    seconds: float = 0.0
    memory_bytes: int = 0  # that its worker held when it ended


class Listener(Protocol):
    """Hears how the work goes; called from the thread that asked for it."""

    def progressed(self, name: str, stage: str, done: float, total: float | None) -> None:
        """A task advanced."""

    def lost(self, name: str, reason: str) -> None:
        """A task's worker was lost; it is tried again."""

    def ended(self, outcome: Outcome) -> None:
        """A task is done, or failed for good."""


class Crew(Protocol):
    """Processes that work."""

    def work(self, tasks: Sequence[Task], listener: Listener) -> None:
        """Do all tasks, in any order; one that fails stops no other. Stopped by an exception, Ctrl-C
        included, it leaves no process behind.
        """
        ...


Tell = Callable[[str, float, float | None], None]  # stage, done, total
