"""Signs of synthesis in a file's picture: reads it, follows the face, and asks each detector."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.errors import UnreadableMediaError, VoicelipError
from voicelip.face import MouthCrops, largest, stabilise
from voicelip.face.crop import CROP_PX as NARROW_PX
from voicelip.face.crop import PX_PER_IOD as NARROW_PX_PER_IOD
from voicelip.face.points import mouth_opening
from voicelip.face.tracker import FaceTracker
from voicelip.lips.mel import SAMPLE_RATE
from voicelip.media import Clip, read_audio
from voicelip.trust import detect
from voicelip.trust.evidence import CROP_PX, PX_PER_IOD, FaceEvidence
from voicelip.trust.verify import Report, Verdict

EXAMINED_S = 20.0
_PAIRS = 16
_FEWEST_FRAMES = 25  # with a face, to judge by
_UNDECLARED = (Verdict.NOTHING, Verdict.SUSPICIOUS)


def with_signals(report: Report, wanted: bool | None = None) -> Report:
    """The report with what its file's picture shows: if `wanted`, or by default where nothing is declared."""
    if wanted is False or (wanted is None and report.verdict not in _UNDECLARED):
        return report
    try:
        found = detect.judge(report.path, gather(report.path))
    except (VoicelipError, OSError):
        return report
    return replace(report, signals=found)


def gather(path: Path, seconds: float = EXAMINED_S) -> FaceEvidence | None:
    """The largest face through the first seconds of a video; None without one, or too little of it."""
    clip = Clip(path)
    if clip.info.is_still:
        return None
    fps = float(clip.info.fps)
    frames = min(clip.info.frame_count, round(seconds * fps))
    images = (frame.picture.rgb(exact=False) for frame in clip.frames(0, frames))
    track = FaceTracker.from_task(hub.fetch("face-landmarker")).track(images, largest)
    if track.tracked.sum() < _FEWEST_FRAMES:
        return None
    wide = _widened(stabilise(track))
    chosen = _chosen(np.isfinite(wide.to_frame[:, 0, 0]))
    if not len(chosen):
        return None
    points = np.where(track.tracked[:, None, None], track.points, np.nan).astype(np.float32)
    return FaceEvidence(
        fps=fps,
        points=points,
        crops=_pictures(clip, wide, chosen),
        crop_frames=chosen,
        crop_to_frame=wide.to_frame[chosen],
        crop_points=_in_crops(wide, points, chosen),
        opening=mouth_opening(points),
        expected=_expected(clip, len(points)),
    )


def same_crops(path: Path, other: FaceEvidence, scale: float) -> np.ndarray:
    """The crops (N, 2, 128, 128, 3) of another copy of a video, of `scale` times its size, at the places that
    were found in it.
    """
    to_frame = np.full((other.crop_frames.max() + 2, 2, 3), np.nan)
    placed = other.crop_to_frame * scale
    placed[:, :, 2] += (scale - 1) / 2  # centres of pixels lie at whole numbers
    to_frame[other.crop_frames + 1] = placed
    to_frame[other.crop_frames] = placed
    points = np.zeros((len(to_frame), 0, 2), np.float32)
    return _pictures(Clip(path), MouthCrops(to_frame, points), other.crop_frames)


def _chosen(usable: np.ndarray) -> np.ndarray:
    """(N,) frames, evenly spread, that show a face and are followed by another that does."""
    both = np.flatnonzero(usable[:-1] & usable[1:])
    if not len(both):
        return both
    return both[np.unique(np.linspace(0, len(both) - 1, _PAIRS).astype(int))]


def _widened(crops: MouthCrops) -> MouthCrops:
    """The same crops with more of the face around them."""
    ratio = CROP_PX / PX_PER_IOD / (NARROW_PX / NARROW_PX_PER_IOD)
    middle = np.full(2, (NARROW_PX - 1) / 2)
    to_frame = crops.to_frame.copy()
    centre = to_frame[:, :, :2] @ middle + to_frame[:, :, 2]
    to_frame[:, :, :2] *= ratio
    to_frame[:, :, 2] = centre - to_frame[:, :, :2] @ middle
    return MouthCrops(to_frame, crops.points, crops.cuts)


def _pictures(clip: Clip, crops: MouthCrops, chosen: np.ndarray) -> np.ndarray:
    wanted = sorted({*chosen.tolist(), *(chosen + 1).tolist()})
    cut = dict(zip(wanted, _cuts(clip, crops, wanted), strict=False))
    pairs = [(cut[index], cut[index + 1]) for index in chosen.tolist() if index + 1 in cut]
    if not pairs:
        raise UnreadableMediaError(f"{clip.path}: its pictures cannot be read a second time")
    return np.array(pairs)


def _cuts(clip: Clip, crops: MouthCrops, wanted: list[int]) -> Iterator[np.ndarray]:
    for index, frame in zip(wanted, clip.picked(wanted), strict=False):
        yield crops.part(frame.picture, index).crop(CROP_PX)


def _in_crops(crops: MouthCrops, points: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Landmarks (N, 478, 2) in crop px."""
    places = []
    for index in chosen:
        matrix = crops.scaled_to_frame(index, CROP_PX)
        places.append((points[index] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)
    return np.array(places, np.float32)


def _expected(clip: Clip, frames: int) -> np.ndarray | None:
    """How far voicelip's own lips would open to the clip's sound, frame by frame; no unit."""
    from voicelip.lips.embedded import EmbeddedGenerator, at_rate
    from voicelip.lips.motion import lip_gap

    if not clip.info.has_audio:
        return None
    try:
        sound = read_audio(clip.path, SAMPLE_RATE, stop_s=frames / float(clip.info.fps))
    except UnreadableMediaError:
        return None
    lips = EmbeddedGenerator.load()
    codes = at_rate(lips.motion_codes(sound.samples), frames, clip.info.fps)
    return lip_gap(lips.basis.decode(codes))
