"""A dub asked for in plain values, as a manifest's row or a message to a worker holds them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from voicelip.consent.asking import Agreement
from voicelip.dub.fit import Limits
from voicelip.dub.options import DubOptions
from voicelip.errors import OptionError

NEEDED = ("clip", "subs")
_YES, _NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


@dataclass(frozen=True)
class Request:
    """One dub; what `dub` takes, all of it plain. Paths are as given; `options` are DubOptions' and Limits'
    fields by name, checked.
    """

    clip: Path
    subs: Path
    out: Path | None = None
    lang: str = "en"
    voice: str | None = None
    cast: Path | None = None
    job: Path | None = None
    consent: tuple[Path, ...] = ()
    purpose: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, values: Mapping[str, Any], beside: Path = Path()) -> "Request":
        """From names and values, text or of their own kind; relative paths count from `beside`.

        Raises OptionError, which names all that is wrong.
        """
        given = {str(name).strip(): value for name, value in values.items() if not _is_empty(value)}
        problems = [f"unknown: {', '.join(unknown)}"] if (unknown := sorted(set(given) - _KNOWN)) else []
        problems += [f"{name} is missing" for name in NEEDED if name not in given]
        read: dict[str, Any] = {}
        for name in sorted(set(given) & _KNOWN):
            try:
                read[name] = _READERS[name](given[name], beside)
            except ValueError as failure:
                problems.append(f"{name}: {failure}")
        if problems:
            raise OptionError("; ".join(problems))
        own = {name: read.pop(name) for name in list(read) if name not in _OPTIONS}
        request = cls(**own, options=read)
        request.dub_options()  # out of range is found out now
        return request

    def dub_options(self) -> DubOptions:
        """As `dub` takes them."""
        limits = {name: value for name, value in self.options.items() if name in _LIMITS}
        rest = {name: value for name, value in self.options.items() if name not in _LIMITS}
        return DubOptions(limits=Limits(**limits), agreement=Agreement(self.consent, self.purpose), **rest)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, paths absolute, from which `read` makes the same again."""
        found = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "options"}
        found = {**found, **self.options, "consent": list(self.consent)}
        return {name: _plain(value) for name, value in found.items() if not _is_empty(value)}


def columns() -> list[str]:
    """All names that a row may hold."""
    return sorted(_KNOWN)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.absolute())
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _is_empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


# Readers of one value: text of a table's cell, or a value of the right kind


def _text(value: Any, beside: Path) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} should be text; put it in quotes")
    return value.strip()


def _voice(value: Any, beside: Path) -> str:
    """A voice's name, or a recording, which may stand beside the manifest."""
    voice = _text(value, beside)
    recording = beside / Path(voice).expanduser()
    return str(recording.absolute()) if recording.is_file() else voice


def _path(value: Any, beside: Path) -> Path:
    return beside / Path(_text(value, beside)).expanduser()


def _paths(value: Any, beside: Path) -> tuple[Path, ...]:
    each = value.split(";") if isinstance(value, str) else value
    if not isinstance(each, list | tuple):
        raise ValueError(f"{value!r} should be files, separated by ;")
    return tuple(_path(one, beside) for one in each if not _is_empty(one))


def _number(value: Any, beside: Path) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no number") from None


def _whole(value: Any, beside: Path) -> int:
    number = _number(value, beside)
    if number != int(number):
        raise ValueError(f"{value!r} is no whole number")
    return int(number)


def _flag(value: Any, beside: Path) -> bool:
    word = str(value).strip().lower()
    if word not in _YES + _NO:
        raise ValueError(f"{value!r} should be yes or no")
    return word in _YES


def _one_of(words: tuple[str, ...]) -> "_Reader":
    def read(value: Any, beside: Path) -> str:
        if value not in words:
            raise ValueError(f"{value!r} should be one of {', '.join(words)}")
        return str(value)

    return read


_Reader = Callable[[Any, Path], Any]
_KINDS: dict[Any, _Reader] = {str: _text, Path: _path, float: _number, int: _whole, bool: _flag}


def _reader(kind: Any) -> _Reader:
    if get_origin(kind) is Literal:
        return _one_of(get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    return _KINDS[kind]


def _readers(kind: type, leave_out: tuple[str, ...] = ()) -> dict[str, _Reader]:
    hints = get_type_hints(kind)
    return {name: _reader(hint) for name, hint in hints.items() if name not in leave_out}


_LIMITS = _readers(Limits)
_OPTIONS = {**_readers(DubOptions, ("limits", "agreement")), **_LIMITS}
_READERS: dict[str, _Reader] = {
    **_OPTIONS,
    **_readers(Request, ("options", "consent")),
    "consent": _paths,
    "voice": _voice,
}
_KNOWN = frozenset(_READERS)
