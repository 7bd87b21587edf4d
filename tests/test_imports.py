"""Values flow one way: no file of the package needs one that needs it, and no room either."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import voicelip

PACKAGE = Path(voicelip.__file__).parent


def modules(package: Path) -> dict[str, Path]:
    """The files of a package by their dotted names."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules among `known` that a file imports, wherever in it, also for its types alone."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in names]
        yield from (name for name in names if name in known)


def needs(package: Path) -> dict[str, set[str]]:
    known = modules(package)
    return {name: set(imported(path, known)) - {name} for name, path in known.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Names that need each other in turn; empty if there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room(name: str) -> str:
    return ".".join(name.split(".")[:2])


def test_no_file_needs_one_that_needs_it() -> None:
    assert circle(needs(PACKAGE)) == []


def test_no_room_needs_one_that_needs_it() -> None:
    rooms: dict[str, set[str]] = {}
    for name, others in needs(PACKAGE).items():
        rooms.setdefault(room(name), set()).update({room(each) for each in others} - {room(name)})
    assert circle(rooms) == []


@pytest.mark.parametrize(
    "text",
    ["import made.b\n", "from made import b\n", "def late():\n    from made.b import x\n"],
)
def test_a_circle_would_be_found(tmp_path: Path, text: str) -> None:
    package = tmp_path / "made"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text(text)
    (package / "b.py").write_text("from made.a import y\n")
    assert set(circle(needs(package))) == {"made.a", "made.b"}
