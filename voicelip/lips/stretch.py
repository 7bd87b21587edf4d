"""What stays the same over a stretch of the source clip: references, the closed mouth, reach, mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from voicelip import filters
from voicelip.face import MouthCrops
from voicelip.face.crop import CropPart
from voicelip.face.points import NOSE_BASE
from voicelip.lips.compositor import VIEW_MARGIN, ReferenceView
from voicelip.lips.donor import Donor
from voicelip.lips.generator import Job, Shot
from voicelip.lips.light import light_between
from voicelip.lips.motion import MOTION_POINTS, MotionBasis, closed_mouth
from voicelip.lips.person import Person
from voicelip.lips.reach import amplitude
from voicelip.lips.references import ReferencePick, crisp, nearest_shape
from voicelip.lips.region import blend_mask, outlines
from voicelip.lips.texture import Detail, Texture, grain, skin_above

_JITTER_FRAMES = 1.5  # landmarks of a resting mouth are smoothed over this many frames


@dataclass(frozen=True)
class Pair:
    """The two references of one frame, closed and open, as the renderer takes them."""

    views: tuple[ReferenceView, ReferenceView]
    points: np.ndarray  # (2, 55, 2) crop px

    @property
    def crops(self) -> np.ndarray:
        return np.stack([view.crop.transpose(2, 0, 1) for view in self.views])

    @cached_property
    def outlines(self) -> np.ndarray:
        return np.concatenate([outlines(points) for points in self.points])


@dataclass(frozen=True)
class Stretch:
    """A stretch of the clip made ready for rendering."""

    pick: ReferencePick
    crops: MouthCrops
    steady_points: np.ndarray  # (T, 55, 2) of the stretch, without the landmarks' jitter
    pairs: tuple[Pair, ...]  # with the closed view each
    closed: np.ndarray
    amplitude: float
    drift: np.ndarray
    mask: np.ndarray
    detail: Detail  # of the closed view

    @classmethod
    def make(
        cls,
        pick: ReferencePick,
        job: Job,
        basis: MotionBasis,
        donor: Donor,
        person: Person | None = None,
    ) -> "Stretch":
        """Reads the reference frames; `person` is what is known of the speaker already."""
        run = job.crops.points[pick.span]
        points = run[:, MOTION_POINTS]
        rest = closed_mouth(points)
        mask = blend_mask(run)
        parts = _parts(job, sorted({pick.closed, *pick.opened}))
        views = {row: ReferenceView.of(part) for row, part in parts.items()}
        closed, closed_points = views[pick.closed], points[pick.closed - pick.span.start]
        if pick.never_open:
            bank = [(donor.lit_like(closed, job.crops.native_px(pick.closed)), donor.points)]
        else:
            bank = _bank([views[k] for k in pick.opened], [points[k - pick.span.start] for k in pick.opened])
        return cls(
            pick,
            job.crops,
            filters.gaussian(points, _JITTER_FRAMES),
            tuple(Pair((closed, view), np.stack([closed_points, shape])) for view, shape in bank),
            person.rest(rest) if person else rest,
            person.amplitude if person else amplitude(points - rest, basis),
            _drift(run),
            mask,
            Detail.of(parts[pick.closed], mask),
        )

    def part(self, shot: Shot) -> CropPart:
        """What is looked at of one frame."""
        return self.crops.part(shot.picture, shot.source_index, VIEW_MARGIN if self.pick.never_open else 0)

    def pair(self, shot: Shot, part: CropPart, opened: int) -> Pair:
        """References for one frame, of which `opened` is the open one.

        A mouth that is shut all along is its own best closed view: same light, same pose.
        """
        chosen = self.pairs[opened]
        if not self.pick.never_open:
            return chosen
        points = self.steady_points[shot.source_index - self.pick.span.start]
        return Pair((ReferenceView.of(part), chosen.views[1]), np.stack([points, chosen.points[1]]))

    def lights(self, current: np.ndarray, pair: Pair) -> np.ndarray:
        """(2, 3) by how much the references of a frame, whose crop is `current`, are to be brightened.

        What is borrowed for a mouth that never opens has the light of the stretch's closed view.
        """
        views = (pair.views[0], self.pairs[0].views[0]) if self.pick.never_open else pair.views
        return np.stack([light_between(current, view.crop, self.mask) for view in views])

    def texture(self, shot: Shot, part: CropPart) -> Texture:
        """How soft and grainy the new mouth of one frame has to be.

        A mouth that is shut all along is read from its own frame and so is as soft by itself.
        """
        skin = skin_above(part, self.mask)
        blur_px = 0.0 if self.pick.never_open else self.detail.blur_px(skin)
        return Texture(blur_px, grain(skin), shot.output_index)

    def best_open(self, offsets: np.ndarray) -> int:
        """Which open reference suits an opening of the mouth with these offsets (T, 55, 2)."""
        wanted = self.closed + self.amplitude * offsets
        return nearest_shape(wanted, np.stack([pair.points[1] for pair in self.pairs]))

    def target(self, source_index: int, offsets: np.ndarray) -> np.ndarray:
        """(55, 2) wanted landmarks in crop px: the closed mouth, moved with the head, opened by `offsets`."""
        return (
            self.closed + self.drift[source_index - self.pick.span.start] + self.amplitude * offsets
        ).astype(np.float32)


def _parts(job: Job, rows: Sequence[int]) -> dict[int, CropPart]:
    return {
        row: job.crops.part(picture, row, VIEW_MARGIN)
        for row, picture in zip(rows, job.read_frames(rows), strict=True)
    }


def _bank(views: list[ReferenceView], points: list[np.ndarray]) -> list[tuple[ReferenceView, np.ndarray]]:
    good = crisp([view.crop for view in views], np.stack(points))
    return [(view, shape) for view, shape, fine in zip(views, points, good, strict=True) if fine]


def _drift(points: np.ndarray) -> np.ndarray:
    """(T, 1, 2) crop px that the mouth is carried by turns and nods, as the base of the nose tells."""
    nose = points[:, NOSE_BASE].mean(axis=1)
    return filters.gaussian(nose - np.median(nose, axis=0), 1.0)[:, None]
