"""How a good file is spoilt: a few edits, each in plain numbers, so that any case can come again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

Kind = Literal["set", "add", "cut", "drop", "repeat", "insert", "number", "word"]

# Sizes, counts and offsets go wrong at their ends; text goes wrong at these.
_BOUNDS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WORDS = (
    *(b"-1", b"0", b"1e999", b"NaN", b"null", b"true", b"[]", b"{}", b'"', b"'", b"\n\n", b"-->", b"../../x"),
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"<",
        b"&a;",
        b"!!python/object:os.system",
        b"9" * 40,
        b"[" * 2000,
    ),
)
_LONGEST_RUN = 4096  # bytes that one edit drops or repeats


@dataclass(frozen=True)
class Edit:
    """One change at `at`, a share of the file's length; `value` and `length` mean what the kind says."""

    kind: Kind
    at: float
    value: int
    length: int


def edits(most: int = 4) -> st.SearchStrategy[list[Edit]]:
    """One to `most` edits. Bytes are changed more often than moved, which is soon refused as a whole."""
    changes: list[Kind] = ["set", "add", "number"]
    moves: list[Kind] = ["cut", "drop", "repeat", "insert", "word"]
    edit = st.builds(
        Edit,
        kind=st.sampled_from(changes * 4 + moves),
        # Heads and tables stand at the two ends of most files.
        at=st.one_of(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.02), st.floats(0.98, 1)),
        value=st.integers(0, 255),
        length=st.integers(1, _LONGEST_RUN),
    )
    return st.lists(edit, min_size=1, max_size=most)


def mutated(data: bytes, changes: Sequence[Edit]) -> bytes:
    """`data` with all `changes` made in turn."""
    for change in changes:
        data = _changed(data, change)
    return data


def _changed(data: bytes, edit: Edit) -> bytes:
    place = min(len(data), int(edit.at * len(data)))
    before, after = data[:place], data[place:]
    if edit.kind == "set":
        return before + bytes([edit.value]) + after[1:]
    if edit.kind == "add":
        return before + bytes([(after[0] + edit.value) % 256 if after else edit.value]) + after[1:]
    if edit.kind == "cut":
        return before
    if edit.kind == "drop":
        return before + after[edit.length :]
    if edit.kind == "repeat":
        return before + after[: edit.length] + after
    if edit.kind == "insert":
        return before + bytes([edit.value]) * (edit.length % 64) + after
    if edit.kind == "number":
        bound = _BOUNDS[edit.value % len(_BOUNDS)]
        order: Literal["big", "little"] = "big" if edit.length % 2 else "little"
        return before + bound.to_bytes(4, order) + after[4:]
    word = _WORDS[edit.value % len(_WORDS)]
    return before + word + after[edit.length % 16 :]


def odd_json(values: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """The JSON object `values` with some of its values replaced by others of any type, or left out."""
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )
    paths = list(_paths(values))
    change = st.tuples(st.sampled_from(paths), anything, st.booleans())
    return st.lists(change, min_size=1, max_size=3).map(lambda all_: _replaced(values, all_))


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Any:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*before, key)
        yield from _paths(value[key], (*before, key))


def _replaced(values: dict[str, Any], changes: list[tuple[tuple[Any, ...], Any, bool]]) -> bytes:
    copy = json.loads(json.dumps(values))
    for path, new, leave_out in changes:
        holder = copy
        try:
            for key in path[:-1]:
                holder = holder[key]
            if leave_out:
                del holder[path[-1]]
            else:
                holder[path[-1]] = new
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return json.dumps(copy).encode("utf-8", "surrogatepass")
