"""What a lip generator is: sound and a person's crops in, a new mouth for every frame out.

One file per implementation; `generators` finds them by name.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

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
]

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
