"""Workers on a Ray cluster: actors that load their own models, replaced when their node or process is lost.

The files of the tasks must be found under the same paths on every node.
"""

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voicelip.dub.crew import TRIES, Listener, Outcome, Task
from voicelip.dub.local_crew import MOST_BYTES
from voicelip.errors import JobError

_LOOK_EVERY_S = 0.5
# What a worker on another node needs to know of this one's user.
_PASSED_ON = ("VOICELIP_HOME", "VOICELIP_OFFLINE", "VOICELIP_CERTIFICATE", "VOICELIP_KEY", "VOICELIP_ACCEPT")


@dataclass(frozen=True)
class RayCrew:
    """At most so many actors of one CPU each. `address` is a cluster's, or `auto`: the one that runs here or
    that RAY_ADDRESS names; else one is started on this machine.
    """

    workers: int
    address: str = "auto"
    most_bytes: int = MOST_BYTES

    def work(self, tasks: Sequence[Task], listener: Listener) -> None:
        """See `Crew`."""
        ray = _connected(self.address, self.workers)
        shift = _Shift(ray, self, listener, deque((task, 1) for task in tasks))
        try:
            shift.run()
        finally:
            shift.end()
            ray.shutdown()


@dataclass
class _Shift:
    """Actors at work: `busy` is what each of them does now."""

    ray: Any
    crew: RayCrew
    listener: Listener
    todo: deque[tuple[Task, int]]  # and which try it is
    idle: list[Any] = field(default_factory=list)
    busy: dict[Any, tuple[Any, Task, int]] = field(default_factory=dict)  # answer → actor, task, try

    def run(self) -> None:
        """Until all is done."""
        while self.todo or self.busy:
            while self.todo and len(self.busy) < self.crew.workers:
                self._begin(*self.todo.popleft())
            ready, _ = self.ray.wait(list(self.busy), timeout=_LOOK_EVERY_S)
            for answer in ready:
                self._end(answer)
            self._look()

    def end(self) -> None:
        """Let all actors go."""
        for actor in [*self.idle, *(actor for actor, _, _ in self.busy.values())]:
            self.ray.kill(actor)

    def _begin(self, task: Task, attempt: int) -> None:
        actor = self.idle.pop() if self.idle else _actor_class(self.ray).remote()
        self.busy[actor.perform.remote(task)] = (actor, task, attempt)

    def _end(self, answer: Any) -> None:
        actor, task, attempt = self.busy.pop(answer)
        try:
            outcome = replace(self.ray.get(answer), tries=attempt)
        except self.ray.exceptions.RayError as failure:
            self._lost(actor, task, attempt, failure)
            return
        if outcome.memory_bytes > self.crew.most_bytes:
            self.ray.kill(actor)
        else:
            self.idle.append(actor)
        self.listener.ended(outcome)

    def _lost(self, actor: Any, task: Task, attempt: int, failure: Exception) -> None:
        self.ray.kill(actor)
        reason = " ".join(str(failure).split())[:300] or type(failure).__name__
        if attempt < TRIES:
            self.listener.lost(task.name, reason)
            self.todo.appendleft((task, attempt + 1))
        else:
            text = f"its worker was lost twice ({reason})"
            self.listener.ended(Outcome(task.name, "failed", reason=text, exit_code=1, tries=attempt))

    def _look(self) -> None:
        """Ask all actors how far they are."""
        asked = {actor.latest.remote(): task for actor, task, _ in self.busy.values()}
        if not asked:
            return
        ready, _ = self.ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK_EVERY_S)
        for answer in ready:
            try:
                latest = self.ray.get(answer)
            except self.ray.exceptions.RayError:
                continue  # its loss is noticed with its task
            if latest is not None:
                self.listener.progressed(asked[answer].name, *latest)


class _Worker:
    """What an actor is: `perform` in one thread, `latest` in another."""

    def __init__(self) -> None:
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        self._latest: tuple[str, float, float | None] | None = None

    def perform(self, task: Task) -> Outcome:
        from voicelip.dub.worker import perform

        self._latest = None
        return perform(task, self._tell)

    def latest(self) -> tuple[str, float, float | None] | None:
        return self._latest

    def _tell(self, stage: str, done: float, total: float | None) -> None:
        self._latest = (stage, done, total)


def _actor_class(ray: Any) -> Any:
    # Tries are counted here, so that a lost task is tried once more and not for ever.
    return ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0, max_concurrency=2)(_Worker)


def _connected(address: str, workers: int) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports its use to its maker otherwise
    try:
        import ray
    except ImportError:
        raise JobError("--ray needs Ray; run `pip install voicelip[ray]`, or leave it out") from None
    options: dict[str, Any] = {
        "runtime_env": {"env_vars": _environment()}, "log_to_driver": False, "logging_level": "error",
    }  # fmt: skip
    try:
        if address != "auto":
            ray.init(address=address, **options)
            return ray
        try:
            ray.init(address="auto", **options)
        except ConnectionError:
            ray.init(num_cpus=max(workers, os.cpu_count() or 1), include_dashboard=False, **options)
    except Exception as failure:  # Ray raises whatever its transport does
        reason = " ".join(str(failure).split())[:200]
        raise JobError(f"no Ray cluster at {address} ({reason}); start one with `ray start --head`") from None
    return ray


def _environment() -> Mapping[str, str]:
    found = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if "PYTHONPATH" in os.environ:
        paths = os.environ["PYTHONPATH"].split(os.pathsep)
        found["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in paths)
    return found
