"""A process that does one task after another: `python -m voicelip.dub.worker`.

It reads tasks as lines of JSON from stdin and answers on what was its stdout. What is loaded for one task
stays for the next. It ends when its stdin does, or when nobody reads its answers any more.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from typing import Any, TextIO

from voicelip.dub.crew import Outcome, Task, Tell
from voicelip.errors import VoicelipError

_TELL_EVERY_S = 0.25
UNEXPECTED = 70


def perform(task: Task, tell: Tell) -> Outcome:
    """Do a task; whatever goes wrong in it becomes an outcome."""
    began = time.perf_counter()
    module, _, name = task.function.partition(":")
    state, value, reason, code = "done", {}, "", 0
    try:
        value = getattr(import_module(module), name)(dict(task.arguments), _told(tell))
    except VoicelipError as error:
        state, reason, code = "failed", str(error), error.exit_code
    except Exception as error:
        state, reason, code = "failed", f"unexpected {type(error).__name__}: {error}", UNEXPECTED
    gc.collect()
    seconds = round(time.perf_counter() - began, 2)
    reason = " ".join(reason.split())
    return Outcome(task.name, state, value, reason, code, 1, seconds, memory_bytes())  # type: ignore[arg-type]


def memory_bytes() -> int:
    """What this process holds now; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _told(tell: Tell) -> Any:
    """A `Progress` that passes on no more than a few messages a second."""
    last_s = -_TELL_EVERY_S

    def progress(stage: str, done: float, total: float | None, unit: str = "") -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= _TELL_EVERY_S or done == total:
            last_s = time.monotonic()
            tell(stage, float(done), None if total is None else float(total))

    return progress


def main() -> None:
    """Work until stdin ends."""
    # onnxruntime's wheels report their use to their maker unless told otherwise before they are loaded.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    _stop_when_told()
    answers = _private_stdout()
    with suppress(KeyboardInterrupt, BrokenPipeError):
        for line in sys.stdin:
            _answer(answers, "outcome", asdict(perform(Task(**json.loads(line)), _teller(answers))))


def _teller(answers: TextIO) -> Tell:
    def tell(stage: str, done: float, total: float | None) -> None:
        try:
            _answer(answers, "progress", {"stage": stage, "done": done, "total": total})
        except BrokenPipeError:  # whoever gave the task is gone; unwind as after Ctrl-C
            raise KeyboardInterrupt from None

    return tell


def _answer(answers: TextIO, kind: str, content: Mapping[str, Any]) -> None:
    answers.write(json.dumps({"kind": kind, **content}) + "\n")
    answers.flush()


def _private_stdout() -> TextIO:
    """The stream for answers; whatever libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _stop_when_told() -> None:
    """SIGTERM unwinds, so that temporary files are removed."""
    import signal

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


if __name__ == "__main__":
    main()
