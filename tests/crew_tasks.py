"""What the workers of the crew tests are asked to do."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from voicelip.errors import TextError
from voicelip.progress import Progress

_loaded: list[str] = []


def double(arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Twice the number, told on the way; and by which process, as which of its tasks."""
    _loaded.append("a task")
    print("this does not belong among the answers", flush=True)
    progress("doubling", 1, 2)
    progress("doubling", 2, 2)
    return {"twice": 2 * arguments["number"], "process": os.getpid(), "nth": len(_loaded)}


def refuse(arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """An error that the user can mend."""
    raise TextError("there is nothing to say; write something")


def stumble(arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """A defect."""
    return {"share": 1 / arguments["zero"]}


def die(arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """As if the system had run out of memory; only the first time if there is a `marker` to leave."""
    marker = Path(arguments["marker"]) if "marker" in arguments else None
    if marker is not None and marker.exists():
        return {"survived": True}
    if marker is not None:
        marker.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def dawdle(arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Work without end, with something to tidy up."""
    held = Path(arguments["held"])
    held.write_text(str(os.getpid()))
    try:
        while True:
            progress("dawdling", 0, None)
            time.sleep(0.02)
    finally:
        held.unlink()
