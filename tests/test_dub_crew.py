"""Crews: tasks shared by processes, of which one may die, fail or hang without taking others with it."""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from voicelip.dub.crew import Outcome, Task
from voicelip.dub.local_crew import LocalCrew

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed as Unix does")


class Heard:
    """Remembers what a crew told."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.losses: list[tuple[str, str]] = []
        self.stages: list[tuple[str, str, float, float | None]] = []
        self.threads: set[threading.Thread] = set()

    def progressed(self, name: str, stage: str, done: float, total: float | None) -> None:
        self.threads.add(threading.current_thread())
        self.stages.append((name, stage, done, total))

    def lost(self, name: str, reason: str) -> None:
        self.losses.append((name, reason))

    def ended(self, outcome: Outcome) -> None:
        assert outcome.name not in self.outcomes
        self.outcomes[outcome.name] = outcome


@pytest.fixture(autouse=True)
def _tasks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def task(name: str, function: str = "double", **arguments: Any) -> Task:
    return Task(name, f"crew_tasks:{function}", arguments)


def work(folder: Path, tasks: Sequence[Task], workers: int = 1, **options: Any) -> Heard:
    heard = Heard()
    LocalCrew(workers, folder / "log.txt", **options).work(tasks, heard)
    return heard


def test_a_worker_keeps_what_it_loaded_for_the_next_task(tmp_path: Path) -> None:
    heard = work(tmp_path, [task(f"t{i}", number=i) for i in range(3)])
    values = [heard.outcomes[f"t{i}"].value for i in range(3)]
    assert [value["twice"] for value in values] == [0, 2, 4]
    assert [value["nth"] for value in values] == [1, 2, 3]
    assert len({value["process"] for value in values}) == 1
    assert os.getpid() not in {value["process"] for value in values}


def test_progress_is_told_in_the_callers_own_thread_and_prints_go_to_the_log(tmp_path: Path) -> None:
    heard = work(tmp_path, [task("t", number=1)])
    assert ("t", "doubling", 2.0, 2.0) in heard.stages
    assert heard.threads == {threading.current_thread()}
    assert "does not belong" in (tmp_path / "log.txt").read_text()


def test_what_fails_stops_nothing_else(tmp_path: Path) -> None:
    tasks = [task("a", "refuse"), task("b", "stumble", zero=0), task("c", number=4)]
    heard = work(tmp_path, tasks, workers=2)
    refused, stumbled = heard.outcomes["a"], heard.outcomes["b"]
    assert (refused.state, refused.exit_code, refused.tries) == ("failed", 7, 1)
    assert refused.reason == "there is nothing to say; write something"
    assert stumbled.reason.startswith("unexpected ZeroDivisionError")
    assert heard.outcomes["c"].value["twice"] == 8


def test_a_killed_worker_is_replaced_and_its_task_tried_once_more(tmp_path: Path) -> None:
    tasks = [
        task("once", "die", marker=str(tmp_path / "died")),
        task("always", "die"),
        task("fine", number=1),
    ]
    heard = work(tmp_path, tasks)
    assert heard.outcomes["once"].value == {"survived": True}
    assert heard.outcomes["once"].tries == 2
    assert heard.outcomes["always"].state == "failed"
    assert "lost twice (killed by SIGKILL" in heard.outcomes["always"].reason
    assert [name for name, _ in heard.losses] == ["once", "always"]
    assert heard.outcomes["fine"].value["twice"] == 2


def test_a_worker_that_holds_too_much_is_replaced_after_its_task(tmp_path: Path) -> None:
    heard = work(tmp_path, [task("a", number=1), task("b", number=2)], most_bytes=1)
    assert [heard.outcomes[name].value["nth"] for name in "ab"] == [1, 1]
    assert heard.outcomes["a"].memory_bytes > 1_000_000


def test_stopped_in_the_middle_no_worker_stays_and_each_tidies_up(tmp_path: Path) -> None:
    held = [tmp_path / "one", tmp_path / "two"]
    seen: list[int] = []

    class Stopping(Heard):
        def progressed(self, name: str, stage: str, done: float, total: float | None) -> None:
            if all(path.exists() and path.read_text() for path in held):
                seen.extend(int(path.read_text()) for path in held)
                raise KeyboardInterrupt

    tasks = [task(path.name, "dawdle", held=str(path)) for path in held]
    with pytest.raises(KeyboardInterrupt):
        LocalCrew(2, tmp_path / "log.txt").work(tasks, Stopping())
    assert not any(path.exists() for path in held)
    assert len(seen) == 2
    for process in seen:
        _wait_until_gone(process)


def _wait_until_gone(process: int) -> None:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {process} is still there")


def fifty(folder: Path) -> list[Task]:
    """Fifty tasks: five cannot be done, and one loses its worker on the way."""
    tasks = [task(f"t{i}", number=i) for i in range(44)]
    broken = [task("a", "refuse"), task("b", "refuse"), task("c", "stumble", zero=0), task("d", "die")]
    rest = [task("e", "no_such_function"), task("lost", "die", marker=str(folder / "died"))]
    for place, each in zip((40, 31, 22, 13, 4, 0), [*broken, *rest], strict=True):
        tasks.insert(place, each)
    return tasks


def fifty_are_done(heard: Heard) -> None:
    assert len(heard.outcomes) == 50
    failed = {name: outcome for name, outcome in heard.outcomes.items() if outcome.state == "failed"}
    assert set(failed) == {"a", "b", "c", "d", "e"}
    assert all(outcome.reason and outcome.exit_code for outcome in failed.values())
    assert failed["a"].exit_code == 7
    assert "lost twice" in failed["d"].reason
    assert heard.outcomes["lost"].tries == 2
    assert [heard.outcomes[f"t{i}"].value["twice"] for i in range(44)] == list(range(0, 88, 2))


def test_of_fifty_tasks_five_fail_and_all_others_are_done(tmp_path: Path) -> None:
    fifty_are_done(work(tmp_path, fifty(tmp_path), workers=2))


@pytest.mark.slow
def test_the_same_on_ray_by_no_more_actors_than_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    from voicelip.dub.ray_crew import RayCrew

    heard = Heard()
    RayCrew(2).work(fifty(tmp_path), heard)
    fifty_are_done(heard)
    processes = {heard.outcomes[f"t{i}"].value["process"] for i in range(44)}
    assert len(processes) <= 2 + 3  # two, and one for each that was lost
    assert max(heard.outcomes[f"t{i}"].value["nth"] for i in range(44)) > 5  # what was loaded stays
