"""What `voicelip voice` and `voicelip faces` do alike: profiles listed, told of, and deleted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from voicelip.cli import failures
from voicelip.cli.terminal import Terminal
from voicelip.errors import VoicelipError

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Profiles(Generic[Kept]):
    """The profiles of one kind: where they are, and how one is told of, in a line or by all its facts.

    `none` is said where there are none; `folder` refuses an unknown name.
    """

    names: Callable[[], Iterable[str]]
    load: Callable[[str], Kept]
    folder: Callable[[str], Path]
    remove: Callable[[str], object]
    to_dict: Callable[[Kept], dict[str, Any]]
    line: Callable[[Kept], str]
    facts: Callable[[Kept], Iterable[tuple[str, Any]]]
    none: str


Find = Callable[[], Profiles[Kept]]  # called when needed, so that the command starts quickly


def show_list(find: Find[Kept], as_json: bool) -> None:
    """All of them, as JSON or a line for each; a damaged one is told of and does not hide the others."""
    with Terminal(as_json) as terminal:
        kind = find()
        profiles = _readable(kind)
        if as_json:
            terminal.show_json([kind.to_dict(profile) for profile in profiles])
            return
        for profile in profiles:
            print(kind.line(profile))
        if not profiles:
            failures.say(kind.none)


def show_one(find: Find[Kept], name: str, as_json: bool) -> None:
    """One, as JSON or a line for each fact, its name in front."""
    with Terminal(as_json) as terminal:
        kind = find()
        profile = kind.load(name)
        if as_json:
            terminal.show_json(kind.to_dict(profile))
            return
        for key, value in (*kind.facts(profile), ("folder", kind.folder(name))):
            print(f"{key:12} {value}")


def delete(find: Find[Kept], names: Sequence[str]) -> None:
    """Delete these, or none if one of them is unknown."""
    with Terminal():
        kind = find()
        for name in names:
            kind.folder(name)
        for name in names:
            kind.remove(name)
            print(f"removed {name}", flush=True)


def _readable(kind: Profiles[Kept]) -> list[Kept]:
    found = []
    for name in kind.names():
        try:
            found.append(kind.load(name))
        except VoicelipError as error:
            failures.say(f"voicelip: warning: {error}")
    return found
