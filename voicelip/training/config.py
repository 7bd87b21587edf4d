"""Settings of a training: a frozen dataclass, filled from a YAML file and from `key=value` words."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from voicelip.errors import InputNotFoundError, OptionError
from voicelip.plain_yaml import NotYamlError, read_yaml

Precision = Literal["float32", "bfloat16", "float16"]
Schedule = Literal["cosine", "constant"]


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What every training has; stages add theirs and set their own defaults."""

    steps: int = 1000
    batch: int = 16  # samples of a step, in each process
    accumulate: int = 1  # pieces that the samples of a step are computed in: less memory, the same step
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"  # warm-up over a fortieth of the steps, then down to 2 %
    seed: int = 0
    precision: Precision = "float32"  # bfloat16 pays on CPUs with AMX and on GPUs, float16 on older GPUs
    average: float = 0.999  # decay of the running average of weights, which is what ships
    evaluate_every: int = 250  # steps between evaluations; the state is saved with each
    log_every: int = 25
    stop: int | None = None  # end before `steps`, with the schedule of the whole run
    shares: tuple[float, ...] = ()  # of the samples, one for each prepared folder; none: every clip counts
    threads: int = 1  # of each process; two trainings side by side want one each on two cores
    workers: int = 0  # processes that draw samples ahead; pays beside a GPU
    device: str = "auto"  # auto: a GPU if there is one


Config = TypeVar("Config", bound=RunConfig)


def load_config(kind: type[Config], path: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """`kind` with the values of a YAML file, then those of words like `steps=500`.

    Raises OptionError for keys that `kind` does not have and values of another type.
    """
    values: dict[str, Any] = {}
    if path is not None:
        values.update(_read(path))
    for word in overrides:
        key, equals, value = word.partition("=")
        if not equals:
            raise OptionError(f"--set {word}: write it as key=value")
        values[key.strip()] = _value(word, value)
    return make_config(kind, values, path)


def make_config(kind: type[Config], values: dict[str, Any], path: Path | None = None) -> Config:
    """`kind` from a mapping; `path` is named in errors."""
    hints = get_type_hints(kind)
    known = [field.name for field in fields(kind)]
    where = f"{path}: " if path else ""
    for key in values:
        if key not in known:
            raise OptionError(f"{where}unknown setting {key!r}; {_meant(str(key), known)}")
    converted = {key: _convert(value, hints[key], f"{where}{key}") for key, value in values.items()}
    config = kind(**converted)
    if min(config.steps, config.batch, config.accumulate, config.evaluate_every, config.threads) < 1:
        raise OptionError(f"{where}steps, batch, accumulate, evaluate_every and threads are at least 1")
    if config.accumulate > config.batch:
        raise OptionError(f"{where}accumulate: {config.batch} samples give no {config.accumulate} pieces")
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = read_yaml(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputNotFoundError(
            f"{path}: no such config; those that come with it are in configs/"
        ) from error
    except (NotYamlError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not YAML: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise OptionError(f"{path}: holds no settings; write lines like `steps: 500`")
    return loaded


def _value(word: str, value: str) -> Any:
    try:
        return read_yaml(value)
    except NotYamlError as error:
        raise OptionError(f"--set {word}: not YAML: {error}") from None


def _meant(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


def _convert(value: Any, hint: Any, name: str) -> Any:
    """`value` as the type that a field is annotated with."""
    origin, choices = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in choices:
            return None
        return _convert(value, next(choice for choice in choices if choice is not NoneType), name)
    if origin is Literal:
        if value not in choices:
            raise OptionError(f"{name}: {value!r} is none of {', '.join(map(str, choices))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise OptionError(f"{name}: {value!r} is no list; write it as [0.5, 0.5]")
        return tuple(_convert(item, choices[0], name) for item in value)
    if hint is float:
        return _as_float(value, name)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise OptionError(f"{name}: {value!r} is not of the type {hint.__name__}")
    return value


def _as_float(value: Any, name: str) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)  # YAML reads 1e-3, without a point, as text
    except (TypeError, ValueError):
        raise OptionError(f"{name}: {value!r} is not a number") from None
