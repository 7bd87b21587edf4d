"""What a text-to-speech engine is, the values it takes and gives, and how one is found by name."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module, metadata
from pathlib import Path
from typing import Protocol

import numpy as np

from voicelip.errors import OptionError, UnknownNameError
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech.finish import Target

ENTRY_POINTS = "voicelip.engines"
_BUILT_IN = {
    "kokoro": "voicelip.speech.kokoro:KokoroEngine",
    "xtts": "voicelip.speech.xtts:XttsEngine",
    "coqui": "voicelip.speech.coqui:CoquiEngine",
}
_WITH_OPTIONS = {"xtts", "coqui"}


@dataclass(frozen=True)
class Voice:
    """Whose voice is to speak.

    `mixture` holds stock voices and weights (sum 1); a stock voice is a mixture of one. A cloned voice
    also keeps its `reference` recording and GE2E `embedding` ((256,) float32, length 1).

    A fitted voice brings its own `style` ((510, 256) float32, a row for each phoneme count, or one (256,)
    row for all), which then speaks instead of the mixture, the decoder constants that it replaces
    (`overrides`: initializer name → array), and its `pace` (a factor on the speed). `target` is what the
    finish brings the speech to. `recordings` are sound files of the person, for engines that listen to them
    themselves: the reference itself, or what a voice profile keeps, which may be nothing.
    """

    name: str
    mixture: tuple[tuple[str, float], ...]
    reference: Path | None = None
    embedding: np.ndarray | None = field(default=None, compare=False)
    warnings: tuple[str, ...] = ()
    style: np.ndarray | None = field(default=None, compare=False, repr=False)
    overrides: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)
    pace: float = 1.0
    target: Target | None = field(default=None, compare=False, repr=False)
    recordings: tuple[Path, ...] = ()

    @property
    def is_stock(self) -> bool:
        """Whether no living person's voice was given."""
        return self.reference is None


@dataclass(frozen=True)
class Segment:
    """A stretch of text and when it is spoken."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """Spoken text: its sentences as `segments`, and its words as they are written, punctuation included."""

    audio: Audio
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()
    words: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class EngineOptions:
    """What an engine needs beside its name: a model of the user's own, and where it is to run."""

    model_dir: Path | None = None
    device: str = "auto"


class Engine(Protocol):
    """A text-to-speech engine. `languages` are espeak names such as en-us."""

    name: str
    languages: tuple[str, ...]
    sample_rate: int

    def synthesize(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Speech:
        """Speak `text`, however long; the same arguments give the same samples."""
        ...


def engine_names() -> list[str]:
    """Built-in engines and those that other packages announce."""
    return sorted({*_BUILT_IN, *(point.name for point in metadata.entry_points(group=ENTRY_POINTS))})


def load_engine(name: str, options: EngineOptions | None = None) -> Engine:
    """The engine called `name`, made once; NAME:PATH is short for a model folder."""
    name, _, path = name.partition(":")
    options = options or EngineOptions()
    if path:
        options = replace(options, model_dir=Path(path).expanduser())
    if options.model_dir is not None and name in _BUILT_IN and name not in _WITH_OPTIONS:
        raise OptionError(f"the engine {name} brings its own model; leave the model folder out")
    return _made(name, options if name in _WITH_OPTIONS else EngineOptions())


@functools.cache
def _made(name: str, options: EngineOptions) -> Engine:
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        made = getattr(import_module(module), attribute)
        return made(options) if name in _WITH_OPTIONS else made()
    for point in metadata.entry_points(group=ENTRY_POINTS, name=name):
        return point.load()()
    raise UnknownNameError(f"no speech engine is called {name!r}; choose one of {', '.join(engine_names())}")
