"""Workers on this machine: processes, each served by a thread, replaced when they die or grow."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import voicelip
from voicelip.dub.crew import TRIES, Listener, Outcome, Task

MOST_BYTES = 1_600_000_000  # a worker that holds more after a task is replaced
_PATIENCE_S = 5.0  # for a worker to unwind


@dataclass(frozen=True)
class LocalCrew:
    """So many workers; what they print is added to `log`."""

    workers: int
    log: Path
    most_bytes: int = MOST_BYTES

    def work(self, tasks: Sequence[Task], listener: Listener) -> None:
        """See `Crew`."""
        todo, events = deque(tasks), queue.Queue[Callable[[], None]]()
        slots = [_Slot(self, todo, events, listener) for _ in range(max(1, min(self.workers, len(tasks))))]
        threads = [threading.Thread(target=slot.run, daemon=True) for slot in slots]
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads) or not events.empty():
                with suppress(queue.Empty):
                    events.get(timeout=0.2)()
        finally:
            todo.clear()
            for slot in slots:
                slot.stop()
            for slot, thread in zip(slots, threads, strict=True):
                slot.see_it_end()
                thread.join()


class _Slot:
    """One worker at a time, and the thread that gives it tasks. What the listener is to hear goes through
    `events`, to be called by the thread that asked for the work.
    """

    def __init__(
        self,
        crew: LocalCrew,
        todo: deque[Task],
        events: "queue.Queue[Callable[[], None]]",
        listener: Listener,
    ) -> None:
        self._crew, self._todo, self._events, self._listener = crew, todo, events, listener
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False

    def run(self) -> None:
        """Take tasks until there are none."""
        while not self._is_stopped:
            try:
                task = self._todo.popleft()
            except IndexError:
                break
            outcome = self._outcome(task)
            if not self._is_stopped:
                self._events.put(lambda outcome=outcome: self._listener.ended(outcome))  # type: ignore[misc]
        self._end()

    def stop(self) -> None:
        """End the worker now, letting it unwind."""
        self._is_stopped = True
        if self._process is not None and self._process.poll() is None:
            with suppress(OSError):
                self._process.terminate()

    def see_it_end(self) -> None:
        """Wait for the stopped worker, and kill it if it does not unwind."""
        process = self._process
        if process is None:
            return
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()

    def _outcome(self, task: Task) -> Outcome:
        reason = ""
        for attempt in range(1, TRIES + 1):
            found = self._try(task)
            if found is not None:
                return replace(found, tries=attempt)
            if self._is_stopped:
                break
            reason = self._cause_of_death()
            if attempt < TRIES:
                self._events.put(lambda reason=reason: self._listener.lost(task.name, reason))  # type: ignore[misc]
        times = "twice " if TRIES == 2 else ""
        return Outcome(
            task.name, "failed", reason=f"its worker was lost {times}({reason})", exit_code=1, tries=TRIES
        )

    def _try(self, task: Task) -> Outcome | None:
        """The task's outcome, or None if the worker died over it."""
        process = self._worker()
        for answer in _answers(process, task):
            kind = answer.pop("kind")
            if kind == "progress":
                self._tell(task, answer)
                continue
            outcome = Outcome(**answer)
            if outcome.memory_bytes > self._crew.most_bytes:
                self._end()
            return outcome
        return None

    def _tell(self, task: Task, answer: Mapping[str, Any]) -> None:
        self._events.put(lambda: self._listener.progressed(task.name, **answer))

    def _worker(self) -> "subprocess.Popen[str]":
        """The worker, started if there is none alive."""
        if self._process is None or self._process.poll() is not None:
            with self._crew.log.open("a", encoding="utf-8") as log:
                # In a session of its own: Ctrl-C is for whoever gave the task, who then ends the workers.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "voicelip.dub.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,
                    env=_environment(),
                )
            if self._is_stopped:
                self.stop()
        return self._process

    def _cause_of_death(self) -> str:
        assert self._process is not None
        code = self._process.wait()
        if code < 0:
            with suppress(ValueError):
                return f"killed by {signal.Signals(-code).name}; too little memory is the usual cause"
        return f"it ended with code {code}; see {self._crew.log}"

    def _end(self) -> None:
        """Let the worker go: its stdin ends, and so does it."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _answers(process: "subprocess.Popen[str]", task: Task) -> Iterator[dict[str, Any]]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(task)) + "\n")
        process.stdin.flush()
    except OSError:
        return
    for line in process.stdout:
        with suppress(ValueError):
            yield json.loads(line)


def _environment() -> dict[str, str]:
    """Workers find the same package as we did."""
    package = str(Path(voicelip.__file__).parents[1])
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([package, before] if before else [package])}
