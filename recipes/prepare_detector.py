"""Make what the detector of regenerated mouths learns from: real clips, ours, and 96 px pastes, all encoded
alike.

    python -m recipes.prepare_detector GRID/train GRID/val OUT [--most 40]

Every clip is there three times: as it is ("real"), with the mouth that the embedded lips draw for another
clip's sound ("ours"), and with its face made 96 px small and pasted back ("paste"), which is what published
Wav2Lip does to a face; no Wav2Lip network takes part. All three go through the same encoder with the same
settings, as written ("original") and once more at a lower rate and perhaps smaller ("again"), so that nothing
about the codec tells them apart: OUT/original/ours/SPEAKER-CLIP-0.mp4. Run it again after it was stopped.

The people of the corpus took part in research on lip reading and agreed to its use in research; their faces
stay in OUT.
"""

import argparse
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from voicelip import hub
from voicelip.errors import VoicelipError
from voicelip.face import MouthCrops, largest, stabilise
from voicelip.face.tracker import FaceTracker
from voicelip.lips.embedded import EmbeddedGenerator
from voicelip.lips.generator import Job, Shot
from voicelip.lips.mel import SAMPLE_RATE
from voicelip.lips.wav2lip.boxes import face_boxes
from voicelip.media import Audio, Clip, VideoWriter, read_audio
from voicelip.training.corpora import find_recordings

KINDS = ("real", "ours", "paste")
QUALITIES = ("original", "again")
PASTED_PX = 96
_LEAST_TAKES = 3  # of a person with few clips: other sounds, other qualities
_BATCH = 8
_ORIGINAL_CRF = 18.0
_AGAIN_CRF = (23.0, 35.0)
_SHRUNK_TO = (0.6, 0.95)


@dataclass(frozen=True)
class Take:
    """One clip that is to be driven with a sound; `name` is SPEAKER-CLIP-NUMBER."""

    name: str
    face: Path
    sound: Path


@dataclass(frozen=True)
class Quality:
    """How a video is written: H.264's crf, after scaling to `scale`."""

    crf: float
    scale: float


@dataclass(frozen=True)
class Film:
    """Pictures (T, H, W, 3) uint8 RGB at `fps`, and the sound that goes with them."""

    images: list[np.ndarray]
    fps: Fraction
    audio: Audio


def find_takes(folder: Path, most: int) -> list[Take]:
    """At most `most` clips of each speaker, evenly spread, each driven with the next one's sound; speakers by
    turns, so that a run that is stopped early has some of each.
    """
    _, recordings = find_recordings(folder)
    by_speaker: dict[str, list[Path]] = {}
    for recording in recordings:
        by_speaker.setdefault(recording.speaker, []).append(folder / recording.source)
    every = [path for paths in by_speaker.values() for path in paths]
    by_turns = []
    for speaker, paths in by_speaker.items():
        chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, most).astype(int))]
        sounds = paths if len(paths) > 1 else every
        for turn, face in enumerate(chosen):
            for number in range(max(1, _LEAST_TAKES // len(chosen))):
                sound = sounds[(sounds.index(face) + 1 + number) % len(sounds)]
                take = Take(f"{speaker}-{face.stem}-{number}", face, sound)
                by_turns.append((turn + number, take))
    return [take for _, take in sorted(by_turns, key=lambda each: each[0])]


class Studio:
    """Makes the three kinds of a take."""

    def __init__(self) -> None:
        self._tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
        self._lips = EmbeddedGenerator.load()

    def films(self, take: Take) -> Iterator[tuple[str, Film]]:
        clip = Clip(take.face)
        audio, own = read_audio(take.sound), read_audio(take.face)
        images = [frame.image for frame in clip.frames()]
        crops = stabilise(self._tracker.track(iter(images), largest))
        yield "real", Film(images, clip.info.fps, own)
        ours = self._ours(clip, images, crops, audio, own)
        yield "ours", Film(ours, clip.info.fps, audio)
        rng = random(take.name, "paste")
        mouths = ours if rng.random() < 0.5 else images
        pasted = list(_pasted(mouths, crops, rng))
        yield "paste", Film(pasted, clip.info.fps, own if mouths is images else audio)

    def _ours(
        self, clip: Clip, images: list[np.ndarray], crops: MouthCrops, audio: Audio, own: Audio
    ) -> list[np.ndarray]:
        frames = len(images)

        def read(indices: object) -> object:
            return (frame.picture for frame in clip.picked(indices))  # type: ignore[arg-type]

        job = Job(
            audio.resampled(SAMPLE_RATE).samples, frames, clip.info.fps, crops, read,  # type: ignore[arg-type]
            own_samples=own.resampled(SAMPLE_RATE).samples,
        )  # fmt: skip
        session = self._lips.session(job)
        result = list(images)
        usable = [
            Shot(frame.index, frame.index, frame.picture)
            for frame in clip.frames()
            if np.isfinite(crops.to_frame[frame.index]).all()
        ]
        for start in range(0, len(usable), _BATCH):
            shots = usable[start : start + _BATCH]
            for shot, patch in zip(shots, session.render(shots), strict=True):
                result[shot.output_index] = shot.picture.with_patch(patch).rgb()
        return result


def _pasted(images: list[np.ndarray], crops: MouthCrops, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The face box at 96 px and back: whole or its lower half, hard or feathered, maybe softer or tinted."""
    height, width = images[0].shape[:2]
    boxes = face_boxes(crops, height, width, (0, 10, 0, 0), smooth=True)
    lower_only, feathered = rng.random() < 0.5, rng.random() < 0.3
    softness = rng.uniform(0.3, 0.9) if rng.random() < 0.6 else 0.0
    tint = rng.uniform(0.97, 1.03, 3) if rng.random() < 0.5 else np.ones(3)
    for image, (left, top, right, bottom) in zip(images, boxes.tolist(), strict=True):
        if right - left < 2 or bottom - top < 2:
            yield image
            continue
        area = image[top:bottom, left:right]
        small = cv2.resize(area, (PASTED_PX, PASTED_PX))
        if softness:
            small = cv2.GaussianBlur(small, (0, 0), softness)
        small = np.clip(small * tint, 0, 255).astype(np.uint8)
        drawn = cv2.resize(small, area.shape[1::-1]).astype(np.float32)
        opacity = _opacity(area.shape[:2], lower_only, feathered)[..., None]
        result = image.copy()
        result[top:bottom, left:right] = np.rint(opacity * drawn + (1 - opacity) * area)
        yield result


def _opacity(shape: tuple[int, ...], lower_only: bool, feathered: bool) -> np.ndarray:
    opacity = np.ones(shape, np.float32)
    if lower_only:
        opacity[: shape[0] // 2] = 0
    if feathered:
        margin = max(1, shape[0] // 12)
        opacity[:margin] = opacity[-margin:] = opacity[:, :margin] = opacity[:, -margin:] = 0
        opacity = cv2.GaussianBlur(opacity, (0, 0), margin / 2)
    return opacity


def random(*names: str) -> np.random.Generator:
    """The same numbers for the same names, in whatever order takes are made."""
    return np.random.default_rng(zlib.crc32("/".join(names).encode()))


def write(film: Film, path: Path, quality: Quality) -> None:
    height, width = film.images[0].shape[:2]
    size = (2 * round(width * quality.scale / 2), 2 * round(height * quality.scale / 2))
    with VideoWriter(
        path, *size, film.fps, film.audio.sample_rate, crf=quality.crf, overwrite=True
    ) as writer:
        length = round(len(film.images) / film.fps * film.audio.sample_rate)
        writer.write_audio(film.audio.samples[:length])
        for image in film.images:
            resized = image if quality.scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            writer.write_frame(resized)


def make(take: Take, out: Path, studio: Studio) -> None:
    """All six videos of a take; the last one written says that it is finished."""
    paths = {(q, kind): out / q / kind / f"{take.name}.mp4" for q in QUALITIES for kind in KINDS}
    if all(path.exists() for path in paths.values()):
        return
    rng = random(take.name, "quality")
    scale = rng.uniform(*_SHRUNK_TO) if rng.random() < 0.5 else 1.0
    again = Quality(float(rng.uniform(*_AGAIN_CRF)), scale)
    for kind, film in studio.films(take):
        original = paths["original", kind]
        write(film, original, Quality(_ORIGINAL_CRF, 1.0))
        decoded = [frame.image for frame in Clip(original).frames()]
        write(Film(decoded, film.fps, read_audio(original)), paths["again", kind], again)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+", help="folders that hold SPEAKER/*.mp4")
    parser.add_argument("out", type=Path, help="folder for the videos")
    parser.add_argument("--most", type=int, default=40, help="clips of each speaker (%(default)s)")
    arguments = parser.parse_args()
    try:
        takes = [take for folder in arguments.clips for take in find_takes(folder, arguments.most)]
        for quality in QUALITIES:
            for kind in KINDS:
                (arguments.out / quality / kind).mkdir(parents=True, exist_ok=True)
        studio = Studio()
        for number, take in enumerate(takes, start=1):
            make(take, arguments.out, studio)
            print(f"{number}/{len(takes)} {take.name}", flush=True)
    except (VoicelipError, OSError) as error:
        sys.exit(f"prepare_detector: {error}")


if __name__ == "__main__":
    main()
