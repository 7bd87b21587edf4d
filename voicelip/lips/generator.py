"""What a lip generator is: sound and a person's crops in, a new mouth for every frame out.

One file per implementation; `create` finds them by name, NAME or NAME:ARGUMENT. Other packages add theirs
through the entry point group `voicelip.lips`: a callable from a `LipSetup` to a `LipGenerator`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

import numpy as np

from voicelip.errors import OptionError, UnknownNameError
from voicelip.face import MouthCrops
from voicelip.media import Patch, Picture, RgbPicture

__all__ = [
    "Job",
    "LipGenerator",
    "LipSession",
    "LipSetup",
    "Patch",
    "Picture",
    "RgbPicture",
    "Shot",
    "create",
]

ENTRY_POINTS = "voicelip.lips"
_BUILT_IN = ("embedded", "wav2lip:CHECKPOINT", "wav2lip", "wav2lip-gan")

ReadFrames = Callable[[Sequence[int]], Iterable[Picture]]


@dataclass(frozen=True)
class Job:
    """What is to be said by whom.

    `samples` (N,) float32 at 16 kHz; `frames` output frames at `fps`; `crops` of the source clip;
    `read_frames` fetches source frames by index, ascending; `strength` scales the motion. `own_samples`,
    where there are any, are the sound of the source clip from its first frame on, at 16 kHz: they tell how
    this person's mouth goes with this person's speech.
    """

    samples: np.ndarray
    frames: int
    fps: Fraction
    crops: MouthCrops
    read_frames: ReadFrames
    strength: float = 1.0
    own_samples: np.ndarray | None = None


@dataclass(frozen=True)
class Shot:
    """One frame to render: its place in output and source clip, and its `picture`.

    Converting a picture costs more than drawing a mouth: take only the part that you look at,
    `picture.rgb((left, top, right, bottom))`, and that once.
    """

    output_index: int
    source_index: int
    picture: Picture


class LipSession(Protocol):
    """A generator made ready for one job."""

    def render(self, shots: Sequence[Shot]) -> list[Patch]:
        """For every shot the part that was made anew: `image` (h, w, 3) uint8 RGB with its upper left pixel
        at (`left`, `top`) of the picture, blended with the source already, and `changed` (h, w) bool, the
        pixels that count. Everything else goes from decoder to encoder untouched, so nothing outside the
        blend mask may be `changed`. `Patch.nothing()` leaves a frame as it is.
        """
        ...


@dataclass(frozen=True)
class LipSetup:
    """What a generator is made with: the text after the colon of its name, its own kind of options if any
    were given, and the torch device asked for (`voicelip.device.choose` says which that is).
    """

    argument: str = ""
    options: object | None = None
    device: str = "auto"


class LipGenerator(Protocol):
    """Loaded once, used for any number of jobs.

    One whose attribute `needs_faces` is there and false gets every frame, and crops that are no face's.
    """

    def session(self, job: Job) -> LipSession:
        """Listen to the sound, choose references, make ready."""
        ...


def lip_names() -> list[str]:
    """Built-in generators and those that other packages announce."""
    return [*_BUILT_IN, *sorted(point.name for point in entry_points(group=ENTRY_POINTS))]


def create(name: str, options: object | None = None, device: str = "auto") -> LipGenerator:
    """The generator called `name`; raises UnknownNameError with the known names."""
    kind, _, argument = name.partition(":")
    setup = LipSetup(argument, options, device)
    if name == "embedded":
        return _embedded(setup)
    if kind == "wav2lip" or name == "wav2lip-gan":
        return _wav2lip(kind, setup)
    for point in entry_points(group=ENTRY_POINTS, name=kind):
        return point.load()(setup)
    raise UnknownNameError(f"no lip generator is called {name!r}; known: {', '.join(lip_names())}")


def _embedded(setup: LipSetup) -> LipGenerator:
    if setup.options is not None:
        said = type(setup.options).__name__
        raise OptionError(
            f"the embedded lips take no {said}; those options go with --lips wav2lip:CHECKPOINT"
        )
    from voicelip.lips.embedded import EmbeddedGenerator

    return EmbeddedGenerator.load()


def _wav2lip(kind: str, setup: LipSetup) -> LipGenerator:
    from voicelip import device, hub
    from voicelip.lips.wav2lip.generator import Wav2LipGenerator
    from voicelip.lips.wav2lip.options import Wav2LipOptions

    if not isinstance(setup.options, Wav2LipOptions | None):
        raise OptionError(f"{kind} takes Wav2LipOptions, not {type(setup.options).__name__}")
    path = Path(setup.argument).expanduser() if setup.argument else hub.fetch(kind)
    return Wav2LipGenerator.load(path, setup.options, device.choose(setup.device))
