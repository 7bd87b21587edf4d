"""The plain values that the media room hands to the others."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np

from voicelip.media.picture import Picture
from voicelip.media.resampling import resampled


@dataclass(frozen=True)
class ColourTags:
    """How a picture's numbers mean colours, as FFmpeg's AVCOL_* integers (ITU-T H.273).

    `matrix` and `range` are always definite: where a file leaves them open they hold the convention
    that was used to read it. `primaries` and `transfer` may be 2 (unspecified).
    """

    primaries: int
    transfer: int
    matrix: int
    range: int


@dataclass(frozen=True)
class ClipInfo:
    """What a clip is, known before its frames are read."""

    path: Path
    width: int  # pixels as displayed: rotated, with square pixels; odd sizes are allowed
    height: int
    fps: Fraction  # the constant rate at which frames are delivered
    frame_count: int  # constant-rate frames, from the timestamps of all packets; 1 for a still
    duration_s: float
    is_still: bool  # a picture, repeated without end
    has_audio: bool
    rotation: int  # degrees counter-clockwise that were needed to put the picture upright: 0, 90, 180, 270
    colour: ColourTags


@dataclass(frozen=True)
class Frame:
    """One picture at its place in the constant-rate sequence."""

    index: int  # in the source clip
    time_s: float  # of that index, from the clip's first picture
    picture: Picture

    @cached_property
    def image(self) -> np.ndarray:
        """All of the picture: (H, W, 3) uint8 RGB, contiguous, this frame's own to write on."""
        return self.picture.rgb()


@dataclass(frozen=True)
class Audio:
    """Sound in memory."""

    samples: np.ndarray  # (N,) float32 mono in [-1, 1]
    sample_rate: int  # Hz

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def resampled(self, rate: int) -> "Audio":
        """The same sound at `rate` Hz, through a long windowed-sinc filter."""
        if rate == self.sample_rate:
            return self
        return Audio(resampled(self.samples, self.sample_rate, rate), rate)
