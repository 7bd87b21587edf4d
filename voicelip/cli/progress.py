"""Progress bars on a terminal."""

from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text


class Bars:
    """One bar per stage, gone when the block ends; called as a `voicelip.progress.Progress`."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            _Amount(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: float, total: float | None, unit: str = "") -> None:
        """Show how far `stage` is."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total, unit=unit)
        self._progress.update(self._tasks[stage], completed=done, total=total, unit=unit)

    def within(self, name: str, stage: str, done: float, total: float | None) -> None:
        """Show how far one of several works is: a bar for each, gone when its stage is empty."""
        if not stage:
            if name in self._tasks:
                self._progress.remove_task(self._tasks.pop(name))
            return
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        words = f"{name}: {stage}"
        self._progress.update(self._tasks[name], description=words, completed=done, total=total, unit="")


class _Amount(ProgressColumn):
    """Done and total in the stage's unit: 12.5/92.4 MB, 120/155 frames."""

    def render(self, task: Task) -> Text:
        return Text(
            amount(task.completed, task.total, task.fields.get("unit", "")), style="progress.download"
        )


def amount(done: float, total: float | None, unit: str) -> str:
    """What a bar says beside itself."""
    if unit == "B":
        return f"{decimal(int(done))}/{decimal(int(total))}" if total else decimal(int(done))
    if not unit:
        return f"{100 * done / total:.0f}%" if total else ""
    return f"{done:.0f}/{total:.0f} {unit}" if total else f"{done:.0f} {unit}"
