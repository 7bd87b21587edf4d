"""The embedded lip generator: our own networks, run by ONNX Runtime from files that ship with the package."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import filters, hub
from voicelip.face.crop import CropPart
from voicelip.lips.compositor import MouthLayers, composite
from voicelip.lips.donor import Donor, lend_inside
from voicelip.lips.generator import Job, Shot
from voicelip.lips.mel import SILENCE, frame_windows, mel_spectrogram
from voicelip.lips.motion import (
    MOTION_FPS,
    MOTION_POINTS,
    WINDOW_COLUMNS,
    MotionBasis,
    closed_mouth,
    lip_gap,
)
from voicelip.lips.person import Person
from voicelip.lips.reach import amplitude, prediction_gain
from voicelip.lips.references import openings, pick_references
from voicelip.lips.region import hidden, outlines
from voicelip.lips.stretch import Stretch
from voicelip.media import Patch

MOTION_FILE, RENDERER_FILE = "lips_motion.onnx", "lips_renderer.onnx"
_ANTICIPATION_FRAMES = 4  # 160 ms, by how much lips may be ahead of their sound
_MOTION_CHUNK_FRAMES = 1500  # a minute: what the recurrent network hears at once
_MOTION_OVERLAP_FRAMES = 250


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
            network_session(find(RENDERER_FILE)),
            MotionBasis.load(find("lips_basis.npz")),
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
        """(N,) sound at 16 kHz → (T, K) codes at 25 frames a second; long sound is heard in overlapping
        pieces.
        """
        frames = max(1, -(-len(samples) * MOTION_FPS // 16_000))
        mel = mel_spectrogram(np.pad(samples, (0, max(0, 801 - len(samples)))))
        windows = frame_windows(mel, frames, MOTION_FPS, WINDOW_COLUMNS)
        parts = []
        for start in range(0, frames, _MOTION_CHUNK_FRAMES):
            before = max(0, start - _MOTION_OVERLAP_FRAMES)
            stop = min(frames, start + _MOTION_CHUNK_FRAMES)
            heard = windows[before : min(frames, stop + _MOTION_OVERLAP_FRAMES)]
            codes = self.motion.run(None, {"windows": heard[None]})[0][0]
            parts.append(codes[start - before : stop - before])
        return np.concatenate(parts) * sounding(mel, frames)[:, None]


def network_session(path: Path) -> Any:
    """One of the networks, loaded."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # Threads that wait busily take the cores from compositing and encoding, which run beside this.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What a long sound needed would be kept to the end; freeing it costs nothing that can be measured.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sounding(mel: np.ndarray, frames: int) -> np.ndarray:
    """1 near sound and 0 in digital silence, eased in between; (80, M) → (frames,) at 25 frames a second.

    Lips part a little before the first sound, so the ease begins there; deep in silence nothing moves them.
    """
    loud = frame_windows(mel, frames, MOTION_FPS, 4).mean(axis=1).max(axis=1) > SILENCE + 0.1
    near = filters.maximum(loud.astype(np.float32), 2 * _ANTICIPATION_FRAMES + 1)
    return filters.gaussian(near, 1.0)


def at_rate(codes: np.ndarray, frames: int, fps: Fraction) -> np.ndarray:
    """(T, K) codes at 25 fps → (frames, K) at `fps`, each at its frame's middle."""
    middles = (np.arange(frames) + 0.5) / float(fps) * MOTION_FPS - 0.5
    return np.stack([np.interp(middles, np.arange(len(codes)), column) for column in codes.T], axis=1)


class EmbeddedSession:
    """Renders frames of one job."""

    def __init__(self, generator: EmbeddedGenerator, job: Job, codes: np.ndarray) -> None:
        self._generator = generator
        self._job = job
        self._offsets = generator.basis.decode(codes) * job.strength
        self._opening = openings(lip_gap(self._offsets))
        self._picks = pick_references(job.crops.points)
        self._current: Stretch | None = None
        self._best: dict[tuple[int, int], int] = {}
        self._pool = ThreadPoolExecutor(2)

    def render(self, shots: Sequence[Shot]) -> list[Patch]:
        stretches = [self._stretch(shot.source_index) for shot in shots]
        frames = [min(shot.output_index, len(self._offsets) - 1) for shot in shots]
        best = [self._best_open(*place) for place in zip(stretches, frames, strict=True)]
        parts = list(self._pool.map(Stretch.part, stretches, shots))
        pairs = list(self._pool.map(Stretch.pair, stretches, shots, parts, best))
        current = np.stack(list(self._pool.map(CropPart.crop, parts))).astype(np.float32) / 255
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
                "references": np.stack([pair.crops for pair in pairs]),
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
            return composite(parts[index], current[index], stretch.mask, layers, pairs[index].views, texture)

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
