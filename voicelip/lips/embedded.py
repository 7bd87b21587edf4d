"""The embedded lip generator: our own networks, run by ONNX Runtime from files that ship with the package."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from voicelip import hub
from voicelip.face import MouthCrops
from voicelip.face.crop import CropPart
from voicelip.face.points import NOSE_BASE
from voicelip.lips.compositor import VIEW_MARGIN, MouthLayers, ReferenceView, composite
from voicelip.lips.generator import Job, Shot
from voicelip.lips.mel import SILENCE, frame_windows, mel_spectrogram
from voicelip.lips.motion import (
    MOTION_FPS,
    MOTION_POINTS,
    WINDOW_COLUMNS,
    MotionBasis,
    closed_mouth,
    lip_gap,
    speaker_amplitude,
)
from voicelip.lips.references import Donor, ReferencePick, lend_inside, pick_references
from voicelip.lips.region import blend_mask, hidden, outlines
from voicelip.media import Patch

_TALKING_GAP_PX = 2.5  # spread of the lip gap, crop px, from which a clip tells how far its speaker moves
_AMPLITUDE_RANGE = (0.6, 1.6)
_USUAL_AMPLITUDE = 0.85  # below the training speakers' median, who read commands with care
_JITTER_FRAMES = 1.5  # landmarks of a resting mouth are smoothed over this many frames
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

    @classmethod
    def load(cls, folder: Path | None = None) -> "EmbeddedGenerator":
        """From `lips_motion.onnx`, `lips_renderer.onnx`, `lips_basis.npz` and `lips_donor.npz` of `folder`,
        by default the shipped ones.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2

        def find(name: str) -> Path:
            return folder / name if folder else hub.pretrained(name)

        def session(name: str) -> Any:
            return onnxruntime.InferenceSession(str(find(name)), options, providers=["CPUExecutionProvider"])

        return cls(
            session("lips_motion.onnx"),
            session("lips_renderer.onnx"),
            MotionBasis.load(find("lips_basis.npz")),
            Donor.load(find("lips_donor.npz")),
        )

    def session(self, job: Job) -> "EmbeddedSession":
        codes = at_rate(self.motion_codes(job.samples), job.frames, job.fps)
        pieces = [
            _Piece.make(pick, job, self.basis, self.donor) for pick in pick_references(job.crops.points)
        ]
        return EmbeddedSession(self, job, codes, pieces)

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


def sounding(mel: np.ndarray, frames: int) -> np.ndarray:
    """1 near sound and 0 in digital silence, eased in between; (80, M) → (frames,) at 25 frames a second.

    Lips part a little before the first sound, so the ease begins there; deep in silence nothing moves them.
    """
    loud = frame_windows(mel, frames, MOTION_FPS, 4).mean(axis=1).max(axis=1) > SILENCE + 0.1
    near = maximum_filter1d(loud.astype(np.float32), 2 * _ANTICIPATION_FRAMES + 1, mode="constant")
    return gaussian_filter1d(near, 1.0, mode="nearest")


def at_rate(codes: np.ndarray, frames: int, fps: Fraction) -> np.ndarray:
    """(T, K) codes at 25 fps → (frames, K) at `fps`, each at its frame's middle."""
    middles = (np.arange(frames) + 0.5) / float(fps) * MOTION_FPS - 0.5
    return np.stack([np.interp(middles, np.arange(len(codes)), column) for column in codes.T], axis=1)


@dataclass(frozen=True)
class _Views:
    """The two references of one frame, as the renderer takes them."""

    views: tuple[ReferenceView, ReferenceView]
    points: np.ndarray  # (2, 55, 2) crop px

    @property
    def crops(self) -> np.ndarray:
        return np.stack([view.crop.transpose(2, 0, 1) for view in self.views])

    @property
    def outlines(self) -> np.ndarray:
        return np.concatenate([outlines(points) for points in self.points])


@dataclass(frozen=True)
class _Piece:
    """What stays the same over a stretch of the source clip."""

    pick: ReferencePick
    crops: MouthCrops
    steady_points: np.ndarray  # (T, 55, 2) of the stretch, without the landmarks' jitter
    references: _Views
    closed: np.ndarray
    amplitude: float
    drift: np.ndarray
    mask: np.ndarray

    @classmethod
    def make(cls, pick: ReferencePick, job: Job, basis: MotionBasis, donor: Donor) -> "_Piece":
        run = job.crops.points[pick.span]
        points = run[:, MOTION_POINTS]
        rest = closed_mouth(points)
        rows = sorted({pick.closed, pick.opened})
        views = {
            row: ReferenceView.of(job.crops.part(picture, row, VIEW_MARGIN))
            for row, picture in zip(rows, job.read_frames(rows), strict=True)
        }
        steady = gaussian_filter1d(points, _JITTER_FRAMES, axis=0, mode="nearest")
        closed = views[pick.closed]
        if pick.never_open:
            opened, opened_points = donor.lit_like(closed, job.crops.native_px(pick.closed)), donor.points
        else:
            opened, opened_points = views[pick.opened], points[pick.opened - pick.span.start]
        both = np.stack([points[pick.closed - pick.span.start], opened_points])
        drift, mask = _drift(run), blend_mask(run)
        return cls(
            pick,
            job.crops,
            steady,
            _Views((closed, opened), both),
            rest,
            _amplitude(points - rest, basis),
            drift,
            mask,
        )

    def part(self, shot: Shot) -> CropPart:
        """What is looked at of one frame."""
        return self.crops.part(shot.picture, shot.source_index, VIEW_MARGIN if self.pick.never_open else 0)

    def views(self, shot: Shot, part: CropPart) -> _Views:
        """References for one frame. A mouth that is shut all along is its own best closed view: same light,
        same pose.
        """
        if not self.pick.never_open:
            return self.references
        points = self.steady_points[shot.source_index - self.pick.span.start]
        own = ReferenceView.of(part)
        return _Views((own, self.references.views[1]), np.stack([points, self.references.points[1]]))

    def target(self, source_index: int, offsets: np.ndarray) -> np.ndarray:
        """(55, 2) wanted landmarks in crop px: the closed mouth, moved with the head, opened by `offsets`."""
        return (
            self.closed + self.drift[source_index - self.pick.span.start] + self.amplitude * offsets
        ).astype(np.float32)


def _amplitude(offsets: np.ndarray, basis: MotionBasis) -> float:
    """How far this person moves the mouth, relative to the median speaker; a usual reach for a clip without
    speech.
    """
    if np.quantile(lip_gap(offsets), 0.9) < _TALKING_GAP_PX:
        return _USUAL_AMPLITUDE
    return float(np.clip(speaker_amplitude(offsets) / basis.amplitude, *_AMPLITUDE_RANGE))


def _drift(points: np.ndarray) -> np.ndarray:
    """(T, 1, 2) crop px that the mouth is carried by turns and nods, as the base of the nose tells."""
    nose = points[:, NOSE_BASE].mean(axis=1)
    return gaussian_filter1d(nose - np.median(nose, axis=0), 1.0, axis=0, mode="nearest")[:, None]


class EmbeddedSession:
    """Renders frames of one job."""

    def __init__(
        self, generator: EmbeddedGenerator, job: Job, codes: np.ndarray, pieces: list[_Piece]
    ) -> None:
        self._generator = generator
        self._offsets = generator.basis.decode(codes) * job.strength
        self._pieces = pieces
        self._pool = ThreadPoolExecutor(2)

    def render(self, shots: Sequence[Shot]) -> list[Patch]:
        pieces = [self._piece(shot.source_index) for shot in shots]
        parts = list(self._pool.map(_Piece.part, pieces, shots))
        views = list(self._pool.map(_Piece.views, pieces, shots, parts))
        current = np.stack(list(self._pool.map(CropPart.crop, parts))).astype(np.float32) / 255
        targets = np.stack(
            [
                piece.target(shot.source_index, self._offsets[min(shot.output_index, len(self._offsets) - 1)])
                for piece, shot in zip(pieces, shots, strict=True)
            ]
        )
        flow, weights, paint = self._generator.renderer.run(
            None,
            {
                "current": current.transpose(0, 3, 1, 2),
                "hidden": np.stack([hidden(piece.mask)[None] for piece in pieces]),
                "references": np.stack([view.crops for view in views]),
                "outlines": np.stack(
                    [np.concatenate([outlines(t), v.outlines]) for t, v in zip(targets, views, strict=True)]
                ).astype(np.float32)
                / 255,
                "target_points": targets,
                "reference_points": np.stack([view.points for view in views]).astype(np.float32),
            },
        )

        def finish(index: int) -> Patch:
            piece, blend = pieces[index], weights[index]
            if piece.pick.never_open:
                blend = lend_inside(blend, targets[index])
            layers = MouthLayers(flow[index], blend, paint[index])
            return composite(parts[index], current[index], piece.mask, layers, views[index].views)

        return list(self._pool.map(finish, range(len(shots))))

    def _piece(self, source_index: int) -> _Piece:
        return next(p for p in self._pieces if p.pick.span.start <= source_index < p.pick.span.stop)
