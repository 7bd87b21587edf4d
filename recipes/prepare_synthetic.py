"""Prepare rendered talking heads as training data: many people, landmarks that are exact, no sound.

    python -m recipes.prepare_synthetic ict_facekit.npz OUT [--identities 400] [--frames 16] [--seed 0]

Each identity is one clip of a person of random build, skin, hair, teeth, light and camera, whose mouth takes
another shape of speech in every frame. OUT has the layout of `recipes.prepare_lips`, and the clips' sound is
silence: renderers learn from them, not what hears. Run it again after it was stopped: finished people are not
drawn again. The same seed gives the same bytes for each identity.
"""

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from recipes.prepare_lips import end_with_parent, next_number
from recipes.synthetic_heads.close_up import ROOM, CloseUp
from recipes.synthetic_heads.footage import random_footage
from recipes.synthetic_heads.mesh import load_facekit
from recipes.synthetic_heads.talkers import random_talker, takes
from voicelip.errors import InputNotFoundError, VoicelipError
from voicelip.face import stabilise
from voicelip.face.track import FaceStatus, FaceTrack
from voicelip.lips.mel import COLUMNS_PER_S, SAMPLE_RATE, mel_spectrogram
from voicelip.training.clips import ClipEntry
from voicelip.training.shards import ShardWriter, journal_lines, shard_folders

FPS = 25
PICTURE_PX = 240
PER_SHARD = 16  # people
_TAIL_COLUMNS = 16  # of sound after the last frame, as in prepared recordings
MAX_WORKERS = 2


@dataclass(frozen=True)
class Cast:
    """Which people, and how many frames of each."""

    seed: int
    frames: int

    def source(self, number: int) -> str:
        return f"synthetic/{self.seed}-{self.frames}/{number:05d}"


@dataclass(frozen=True)
class SyntheticClip:
    """`crops` (T, 96, 96, 3) uint8 and `points` (T, 478, 2) float32 in crop px."""

    crops: np.ndarray
    points: np.ndarray


def draw(studio: CloseUp, cast: Cast, number: int) -> SyntheticClip:
    """One person's clip: rendered, filmed, and cut as real footage is."""
    rng = np.random.default_rng((cast.seed, number))
    sitter = studio.sit(random_talker(rng))
    footage = random_footage(rng, eyes_px=PICTURE_PX / ROOM)
    scale = footage.size(PICTURE_PX) / PICTURE_PX
    images, points = [], []
    for frame in studio.aim(sitter, takes(cast.frames, rng)):
        shot = studio.shoot(sitter, frame, PICTURE_PX, PICTURE_PX)
        images.append(footage.record(shot.image, rng))
        points.append((shot.points + 0.5) * scale - 0.5)
    return _cut(images, np.array(points, np.float32))


def _cut(images: list[np.ndarray], points: np.ndarray) -> SyntheticClip:
    status = np.full(len(images), FaceStatus.TRACKED, np.int8)
    track = FaceTrack(points, status, np.zeros(len(images), np.float32), np.zeros(len(images), np.int32))
    crops = stabilise(track)
    return SyntheticClip(np.stack([crops.cut(image, i) for i, image in enumerate(images)]), crops.points)


def write_shard(facekit: Path, shard: Path, cast: Cast, numbers: list[int]) -> int:
    """Draw people into one new shard; returns how many."""
    studio = CloseUp(load_facekit(facekit))
    columns = -(-cast.frames * COLUMNS_PER_S // FPS) + _TAIL_COLUMNS
    silence = mel_spectrogram(np.zeros(columns * SAMPLE_RATE // COLUMNS_PER_S, np.float32))[:, :columns].T
    with ShardWriter(shard) as writer:
        for number in numbers:
            clip = draw(studio, cast, number)
            entry = ClipEntry(
                speaker=f"synthetic-{cast.seed}-{number:05d}", name=f"{number:05d}", fps=float(FPS),
                first_frame=writer.rows["crops"], frames=len(clip.crops), first_column=writer.rows["mel"],
                columns=len(silence), source=cast.source(number),
            )  # fmt: skip
            writer.append("crops", clip.crops)
            writer.append("points", clip.points)
            writer.append("mel", silence)
            writer.finish(entry.source, [asdict(entry)])
    return len(numbers)


def prepare(facekit: Path, out: Path, cast: Cast, identities: int, workers: int) -> None:
    """Draw the people who are missing in `out`."""
    if not facekit.exists():
        raise InputNotFoundError(f"{facekit}: no such file; docs/presenter.md says where ICT-FaceKit is from")
    done = {line["source"] for shard in shard_folders(out) for line in journal_lines(shard)}
    missing = [number for number in range(identities) if cast.source(number) not in done]
    print(f"{identities} people; {len(missing)} to draw", flush=True)
    batches = [missing[i : i + PER_SHARD] for i in range(0, len(missing), PER_SHARD)]
    finished, first = identities - len(missing), next_number(out)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        waiting = [
            pool.submit(write_shard, facekit, out / "shards" / f"{number:05d}", cast, batch)
            for number, batch in enumerate(batches, start=first)
        ]
        try:
            for future in as_completed(waiting):
                finished += future.result()
                print(f"{finished}/{identities} people", flush=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("facekit", type=Path, help="ICT-FaceKit as .npz (docs/presenter.md)")
    parser.add_argument("out", type=Path, help="folder for the shards")
    parser.add_argument("--identities", type=int, default=400)
    parser.add_argument("--frames", type=int, default=16, help="of each identity")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=MAX_WORKERS, choices=range(1, MAX_WORKERS + 1))
    arguments = parser.parse_args()
    cast = Cast(arguments.seed, arguments.frames)
    try:
        prepare(arguments.facekit, arguments.out, cast, arguments.identities, arguments.workers)
    except (VoicelipError, OSError) as error:
        sys.exit(f"prepare_synthetic: {error}")


if __name__ == "__main__":
    main()
