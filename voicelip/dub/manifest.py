"""Manifests: many dubs in one CSV, JSONL or YAML file, a row for each, checked whole before any work."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voicelip.dub.request import NEEDED, Request
from voicelip.errors import InputNotFoundError, OptionError
from voicelip.plain_yaml import NotYamlError, read_yaml_and_nodes

SUFFIXES = (".csv", ".jsonl", ".yaml", ".yml")


class ManifestError(OptionError):
    """Rows that cannot be dubbed; `problems` are all of them, with their lines."""

    def __init__(self, path: Path, problems: tuple[str, ...], rows: int) -> None:
        super().__init__(
            f"{path}: {len(problems)} of {rows} rows cannot be dubbed, so nothing was begun; mend them, or "
            "give --skip-bad"
        )
        self.problems = problems


@dataclass(frozen=True)
class Row:
    """One row, by its line in the file; `problem` where it cannot be read."""

    line: int
    name: str  # the output's path without its ending
    request: Request | None
    problem: str = ""


def read_manifest(path: str | Path, out: str | Path) -> list[Row]:
    """The rows of a manifest. Paths count from the manifest's folder, the outputs' from `out`; an output is
    called CLIP.LANG.mp4 where the row does not say.
    """
    path, out = Path(path), Path(out)
    rows = [_row(line, values, path.parent, out) for line, values in _values(path)]
    if not rows:
        raise OptionError(f"{path}: holds no rows; write one for each dub, with {' and '.join(NEEDED)}")
    return _without_twins(rows)


def _row(line: int, values: Any, beside: Path, out: Path) -> Row:
    if not isinstance(values, Mapping):
        return Row(line, f"line {line}", None, f"should be names and values, not {values!r:.60}")
    name = Path(str(values.get("out") or values.get("clip") or f"line {line}")).stem
    try:
        request = Request.read({**values, "out": None}, beside)
    except OptionError as error:
        return Row(line, name, None, str(error))
    wanted = values.get("out") or f"{request.clip.stem}.{request.lang}.mp4"
    request = replace(request, out=out / str(wanted))
    return Row(line, Path(str(wanted)).with_suffix("").as_posix(), request)


def _without_twins(rows: list[Row]) -> list[Row]:
    """Rows that would write what an earlier one writes become problems."""
    first: dict[Path, int] = {}
    found = []
    for row in rows:
        if row.request is None or row.request.out is None:
            found.append(row)
            continue
        target = row.request.out.absolute()
        if target in first:
            why = f"writes {target.name}, as line {first[target]} does; give it another out"
            row = replace(row, request=None, problem=why)
        first.setdefault(target, row.line)
        found.append(row)
    return found


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    """Line and values of each row."""
    text = _text(path)
    kind = path.suffix.lower()
    if kind == ".csv":
        yield from _csv(path, text)
    elif kind == ".jsonl":
        yield from _jsonl(text)
    else:
        yield from _yaml(path, text)


def _text(path: Path) -> str:
    if path.suffix.lower() not in SUFFIXES:
        raise OptionError(f"{path}: a manifest ends in {', '.join(SUFFIXES)}; name it so")
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputNotFoundError(f"{path}: no such file; check the name and the folder") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise OptionError(f"{path}: cannot be read as text in UTF-8 ({failure})") from None


def _csv(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    first = text.partition("\n")[0]
    reader = csv.DictReader(text.splitlines(), delimiter=";" if first.count(";") > first.count(",") else ",")
    if not set(NEEDED) <= {str(name).strip() for name in reader.fieldnames or ()}:
        raise OptionError(f"{path}, line 1: should name the columns, {' and '.join(NEEDED)} among them")
    for row in reader:
        if None in row:
            yield reader.line_num, f"more values than columns: {row[None]}"
        elif any(value and value.strip() for value in row.values()):
            yield reader.line_num, row


def _jsonl(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            yield number, line


def _yaml(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """A list of rows, or `defaults:` for all of them and `jobs:`."""
    try:
        values, root = read_yaml_and_nodes(text)
    except NotYamlError as failure:
        raise OptionError(f"{path}{failure.where}: is not YAML; write a list of rows") from None
    defaults: Any = {}
    if isinstance(values, dict) and set(values) <= {"defaults", "jobs"}:
        nodes = {key.value: value for key, value in root.value}
        root, defaults, values = nodes.get("jobs"), values.get("defaults") or {}, values.get("jobs")
    if not isinstance(values, list) or not isinstance(defaults, dict):
        raise OptionError(f"{path}: should be a list of rows, or `defaults:` and `jobs:`")
    for node, row in zip(root.value, values, strict=True):
        yield node.start_mark.line + 1, {**defaults, **row} if isinstance(row, dict) else row
