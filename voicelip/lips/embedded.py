"""The embedded lip generator: our own networks, run by ONNX Runtime from files that ship with the package."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.face.crop import CropPart
from voicelip.lips.compositor import MouthLayers, composite
from voicelip.lips.donor import Donor, lend_inside
from voicelip.lips.enlarged import EnlargedViews
from voicelip.lips.generator import Job, Shot
from voicelip.lips.hearing import BASIS_FILE, MOTION_FILE, at_rate, motion_codes, network_session
from voicelip.lips.motion import MOTION_POINTS, MotionBasis, closed_mouth, lip_gap
from voicelip.lips.person import Person
from voicelip.lips.reach import amplitude, prediction_gain
from voicelip.lips.references import openings, pick_references
from voicelip.lips.region import hidden, outlines
from voicelip.lips.stretch import Stretch
from voicelip.media import Patch

RENDERER_FILE = "lips_renderer.onnx"


@dataclass(frozen=True)
class EmbeddedGenerator:
    """Sound → motion codes → warped and painted mouth."""

    motion: Any
    renderer: Any
    basis: MotionBasis
    donor: Donor
    person: Person | None = None  # whom it was adapted to

    @classmethod
    def load(cls, folder: Path | None = None) -> "EmbeddedGenerator":
        """From `lips_motion.onnx`, `lips_renderer.onnx`, `lips_basis.npz` and `lips_donor.npz` of `folder`,
        by default the shipped ones.
        """

        def find(name: str) -> Path:
            return folder / name if folder else hub.pretrained(name)

        return cls(
            network_session(find(MOTION_FILE)),
            network_session(find(RENDERER_FILE), keeps_memory=True),
            MotionBasis.load(find(BASIS_FILE)),
            Donor.load(find("lips_donor.npz")),
        )

    def session(self, job: Job) -> "EmbeddedSession":
        codes = at_rate(self.motion_codes(job.samples), job.frames, job.fps)
        return EmbeddedSession(self, job, codes * self._gain(job))

    def _gain(self, job: Job) -> float:
        """By how much more this person moves than is predicted from the sound of their own clip."""
        if job.own_samples is None or self.person is not None:
            return 1.0  # who was adapted to is predicted as far as they move
        frames = min(len(job.crops.points), int(len(job.own_samples) / 16_000 * job.fps))
        points = job.crops.points[:frames, MOTION_POINTS]
        seen = np.isfinite(points[:, 0, 0])
        if not seen.any():
            return 1.0
        offsets = points[seen] - closed_mouth(points[seen])
        codes = at_rate(self.motion_codes(job.own_samples), frames, job.fps)[seen]
        predicted = amplitude(offsets, self.basis) * self.basis.decode(codes)
        return prediction_gain(lip_gap(predicted), lip_gap(offsets))

    def motion_codes(self, samples: np.ndarray) -> np.ndarray:
        """(N,) sound at 16 kHz → (T, K) codes at 25 frames a second."""
        return motion_codes(self.motion, samples)


class EmbeddedSession:
    """Renders frames of one job."""

    def __init__(self, generator: EmbeddedGenerator, job: Job, codes: np.ndarray) -> None:
        self._generator = generator
        self._job = job
        self._offsets = generator.basis.decode(codes) * job.strength
        self._opening = openings(lip_gap(self._offsets))
        self._picks = pick_references(job.crops.points, job.crops.cuts)
        self._current: Stretch | None = None
        self._best: dict[tuple[int, int], int] = {}
        self._enlarged = EnlargedViews()
        self._pool = ThreadPoolExecutor(2)

    def render(self, shots: Sequence[Shot]) -> list[Patch]:
        stretches = [self._stretch(shot.source_index) for shot in shots]
        frames = [min(shot.output_index, len(self._offsets) - 1) for shot in shots]
        best = [self._best_open(*place) for place in zip(stretches, frames, strict=True)]
        parts = list(self._pool.map(Stretch.part, stretches, shots))
        pairs = list(self._pool.map(Stretch.pair, stretches, shots, parts, best))
        current = np.stack(list(self._pool.map(CropPart.crop, parts))).astype(np.float32) / 255
        lights = np.stack([s.lights(c, pair) for s, c, pair in zip(stretches, current, pairs, strict=True)])
        targets = np.stack(
            [
                stretch.target(shot.source_index, self._offsets[frame])
                for stretch, shot, frame in zip(stretches, shots, frames, strict=True)
            ]
        )
        flow, weights, paint = self._generator.renderer.run(
            None,
            {
                "current": current.transpose(0, 3, 1, 2),
                "hidden": np.stack([hidden(stretch.mask)[None] for stretch in stretches]),
                "references": np.stack([pair.crops for pair in pairs]) * lights[..., None, None],
                "outlines": np.stack(
                    [np.concatenate([outlines(t), p.outlines]) for t, p in zip(targets, pairs, strict=True)]
                ).astype(np.float32)
                / 255,
                "target_points": targets,
                "reference_points": np.stack([pair.points for pair in pairs]).astype(np.float32),
            },
        )

        def finish(index: int) -> Patch:
            stretch, blend = stretches[index], weights[index]
            if stretch.pick.never_open:
                blend = lend_inside(blend, targets[index])
            layers = MouthLayers(flow[index], blend, paint[index])
            texture = stretch.texture(shots[index], parts[index])
            views = self._enlarged.of(pairs[index].views)
            return composite(
                parts[index], current[index], stretch.mask, layers, views, texture, lights[index]
            )

        return list(self._pool.map(finish, range(len(shots))))

    def _stretch(self, source_index: int) -> Stretch:
        """The stretch that a frame lies in; only the last one is kept, since its references are large."""
        current = self._current
        if current is None or not current.pick.span.start <= source_index < current.pick.span.stop:
            pick = next(p for p in self._picks if p.span.start <= source_index < p.span.stop)
            generator = self._generator
            self._current = None  # let go of the old one before there is a new one
            self._current = current = Stretch.make(
                pick, self._job, generator.basis, generator.donor, generator.person
            )
        return current

    def _best_open(self, stretch: Stretch, frame: int) -> int:
        opening = int(self._opening[frame])
        key = (stretch.pick.span.start, opening)
        if key not in self._best:
            self._best[key] = stretch.best_open(self._offsets[self._opening == opening])
        return self._best[key]
