"""Prepare talking clips for training: a folder `SPEAKER/*.mp4` becomes mouth crops, landmarks and mel
spectrograms.

    python -m recipes.prepare_lips CLIPS OUT --landmarker face_landmarker.task

The clips used for the shipped weights are those of the GRID audiovisual sentence corpus (Cooke, Barker,
Cunningham, Shao 2006, CC BY 4.0; https://zenodo.org/records/3625687), re-encoded to H.264 + AAC. Clips that
cannot serve are named with the reason and left out.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.face import stabilise
from voicelip.face.tracker import FaceTracker
from voicelip.lips.mel import SAMPLE_RATE, mel_spectrogram
from voicelip.media import Clip, read_audio
from voicelip.training.clips import ClipEntry, write_index

Prepared = tuple[np.ndarray, np.ndarray, np.ndarray, float]


def prepare_clip(path: Path, landmarker: Path) -> Prepared | str:
    """One clip: (crops, points, mel columns, fps), or the reason why it cannot serve."""
    try:
        clip = Clip(path)
        images = [frame.image for frame in clip.frames()]
        mel = mel_spectrogram(read_audio(path, SAMPLE_RATE).samples)
    except Exception as error:  # a broken file must not end a run over thousands
        return str(error)
    track = FaceTracker.from_task(landmarker).track(images)
    if not track.tracked.all():
        return f"face usable in only {track.tracked.mean():.0%} of the frames"
    crops = stabilise(track)
    pixels = np.stack([crops.cut(image, index) for index, image in enumerate(images)])
    return pixels, crops.points, mel.T, float(clip.info.fps)


def prepare(paths: list[Path], landmarker: Path, workers: int) -> Iterator[tuple[Path, Prepared | str]]:
    with ProcessPoolExecutor(workers) as pool:
        yield from zip(
            paths, pool.map(partial(prepare_clip, landmarker=landmarker), paths, chunksize=4), strict=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clips", type=Path, help="folder SPEAKER/*.mp4")
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    landmarker = hub.fetch("face-landmarker")
    entries: list[ClipEntry] = []
    crops, points, mels = [], [], []
    first_frame = first_column = 0
    paths = sorted(arguments.clips.glob("*/*.mp4"))
    for number, (path, prepared) in enumerate(prepare(paths, landmarker, arguments.workers), start=1):
        if isinstance(prepared, str):
            print(f"left out {path.parent.name}/{path.name}: {prepared}", flush=True)
            continue
        pixels, landmarks, mel, fps = prepared
        entries.append(
            ClipEntry(path.parent.name, path.stem, fps, first_frame, len(pixels), first_column, len(mel))
        )
        crops.append(pixels)
        points.append(landmarks)
        mels.append(mel)
        first_frame += len(pixels)
        first_column += len(mel)
        if number % 25 == 0:
            print(f"{number}/{len(paths)} clips", flush=True)
    np.save(arguments.out / "crops.npy", np.concatenate(crops))
    np.save(arguments.out / "points.npy", np.concatenate(points).astype(np.float32))
    np.save(arguments.out / "mel.npy", np.concatenate(mels))
    write_index(arguments.out, entries)
    print(f"{len(entries)} clips, {first_frame} frames -> {arguments.out}")


if __name__ == "__main__":
    main()
