"""What `voicelip voice` and `voicelip faces` do alike: profiles listed, told of, and deleted."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from voicelip.cli import failures
from voicelip.cli.terminal import Terminal
from voicelip.errors import VoicelipError

Kept = TypeVar("Kept")


def readable(names: Iterable[str], load: Callable[[str], Kept]) -> list[Kept]:
    """The profiles of these names; a damaged one is told of and does not hide the others."""
    found = []
    for name in names:
        try:
            found.append(load(name))
        except VoicelipError as error:
            failures.say(f"voicelip: warning: {error}")
    return found


def show_list(
    terminal: Terminal, profiles: Sequence[Kept], to_dict: Callable[[Kept], dict[str, Any]],
    line: Callable[[Kept], str], none: str, as_json: bool,
) -> None:  # fmt: skip
    """As JSON, or a line for each; `none` is said where there are none."""
    if as_json:
        terminal.show_json([to_dict(profile) for profile in profiles])
        return
    for profile in profiles:
        print(line(profile))
    if not profiles:
        failures.say(none)


def show_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """A line for each fact, its name in front."""
    for key, value in facts:
        print(f"{key:12} {value}")


def delete(names: Sequence[str], find: Callable[[str], object], remove: Callable[[str], object]) -> None:
    """Delete profiles; `find` refuses an unknown one before any is deleted."""
    for name in names:
        find(name)
    for name in names:
        remove(name)
        print(f"removed {name}", flush=True)
