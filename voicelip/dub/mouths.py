"""The mouths of a dub that are made anew: one for each stretch of a shot that shows a speaker's face."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from mmap import mmap

import numpy as np

from voicelip.dub.regions import Neighbours
from voicelip.face import MouthCrops, stabilise
from voicelip.face.stored_piece import StoredPiece
from voicelip.lips.drawing import drawn
from voicelip.lips.generator import Job, LipGenerator, LipSession, Shot
from voicelip.lips.mel import SAMPLE_RATE
from voicelip.media import Clip, Patch, Picture

_CONTEXT_S = 4.0  # of speech heard before and after; more moves no lip by a tenth of a crop pixel


@dataclass(frozen=True)
class Part:
    """What a speaker says in the dub, and with which lips.

    `stem` (N,) float32 at 16 kHz from the dub's first moment on; `source` (K,) int the clip's frame that each
    of the dub's frames shows.
    """

    clip: Clip
    source: np.ndarray
    stem: np.ndarray
    generator: LipGenerator
    strength: float = 1.0


class Mouth:
    """One speaker's face through the dub's frames `first` to `last`: those that show the clip's frames of
    `piece`.

    `opacity` (last - first,) is how much of the new mouth each of them shows. Landmarks and references are
    read when the first frame is drawn.
    """

    def __init__(
        self, part: Part, piece: StoredPiece, first: int, opacity: np.ndarray, neighbours: Neighbours
    ) -> None:
        self.first, self.last = first, first + len(opacity)
        self.piece = piece
        self._part, self._opacity, self._neighbours = part, opacity, neighbours

    def patches(self, shots: Sequence[Shot]) -> dict[int, Patch]:
        """New mouths by the dub's frame; `shots` have the numbers of the dub's and the clip's frames."""
        shown = [shot for shot in shots if self._shows(shot.output_index)]
        if not shown:
            return {}
        made = self._made
        local = [
            Shot(shot.output_index - made.first, shot.source_index - self.piece.start, shot.picture)
            for shot in shown
        ]
        opacities = [
            float(self._opacity[shot.output_index - self.first] * made.opacity[own.source_index])
            for shot, own in zip(shown, local, strict=True)
        ]
        patches = drawn(made.session, local, made.crops, opacities)
        return {
            shot.output_index: self._neighbours.spared(patches[own.output_index], shot.source_index)
            for shot, own in zip(shown, local, strict=True)
            if own.output_index in patches
        }

    def _shows(self, frame: int) -> bool:
        return self.first <= frame < self.last and self._opacity[frame - self.first] > 0

    def let_go(self) -> None:
        """Forget what was read; it is read again when it is needed."""
        self.__dict__.pop("_made", None)

    @cached_property
    def _made(self) -> "_Made":
        part, piece = self._part, self.piece
        fps = part.clip.info.fps
        context = round(_CONTEXT_S * fps)
        first, last = max(0, self.first - context), min(len(part.source), self.last + context)
        start, stop = (round(SAMPLE_RATE * frame / fps) for frame in (first, last))
        samples = _samples(part.stem, start, stop)
        samples = np.pad(samples, (0, stop - start - len(samples)))
        track = piece.track()
        crops = stabilise(track)

        def read(indices: Sequence[int]) -> Iterator[Picture]:
            return part.clip.pictures_at([piece.start + index for index in indices])

        job = Job(samples, last - first, fps, crops, read, part.strength)
        return _Made(first, crops, track.opacity(), part.generator.session(job))


@dataclass(frozen=True)
class _Made:
    first: int  # of the dub's frames, the one that the session calls 0
    crops: MouthCrops
    opacity: np.ndarray  # by frame of the piece
    session: LipSession


def _samples(stem: np.ndarray, start: int, stop: int) -> np.ndarray:
    """A part of a stem. A memory map is read through its file: all that was once looked at through the map
    would count as memory of this process.
    """
    if isinstance(stem, np.memmap) and isinstance(stem.base, mmap) and stem.filename:
        count = max(0, min(stop, len(stem)) - start)
        return np.fromfile(stem.filename, stem.dtype, count, offset=stem.offset + start * stem.itemsize)
    return np.array(stem[start:stop], np.float32)
