"""Prepared clips of made speakers, whose drawn mouths open as loudly as their sound is."""

from pathlib import Path

import numpy as np

from voicelip.lips.mel import mel_spectrogram
from voicelip.training.clips import ClipEntry, PreparedClips, write_index

FRAMES = 40


def make_prepared(folder: Path, speakers: int = 2, clips: int = 4, seed: int = 0) -> PreparedClips:
    """Write and open a prepared folder with `clips` clips of `FRAMES` frames."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    crops, points, mels, entries = [], [], [], []
    for number in range(clips):
        speaker = number % speakers
        loudness = np.clip(
            np.interp(np.arange(FRAMES), np.arange(0, FRAMES, 5), rng.uniform(-0.3, 1, 8)), 0, 1
        )
        sound = np.repeat(loudness, 640) * rng.uniform(-0.5, 0.5, FRAMES * 640)
        mel = mel_spectrogram(sound.astype(np.float32)).T
        faces = np.stack([face(opening) for opening in loudness])
        entries.append(
            ClipEntry(
                f"p{speaker}", f"c{number}", 25.0, number * FRAMES, FRAMES, sum(map(len, mels)), len(mel)
            )
        )
        crops.append(np.stack([drawing(points, tone=90 + 60 * speaker) for points in faces]))
        points.append(faces)
        mels.append(mel)
    np.save(folder / "crops.npy", np.concatenate(crops))
    np.save(folder / "points.npy", np.concatenate(points).astype(np.float32))
    np.save(folder / "mel.npy", np.concatenate(mels))
    write_index(folder, entries)
    return PreparedClips.open(folder)


def face(opening: float) -> np.ndarray:
    """(478, 2) landmarks in crop px of a mouth that is open by 0 to 1."""
    from voicelip.face.points import INNER_LIP, JAW, NOSE_BASE, OUTER_LIP

    points = np.full((478, 2), 48.0)
    for ring, width, height in ((OUTER_LIP, 20, 7 + 5 * opening), (INNER_LIP, 15, 0.3 + 5 * opening)):
        turn = np.pi + 2 * np.pi * np.arange(20) / 20
        points[list(ring)] = np.stack([47.5 + width * np.cos(turn), 40 - height * np.sin(turn)], axis=1)
    along = np.linspace(np.pi, 0, len(JAW))
    points[list(JAW)] = np.stack([47.5 + 44 * np.cos(along), 38 + (44 + 4 * opening) * np.sin(along)], axis=1)
    points[list(NOSE_BASE)] = [[38, 24], [47.5, 26], [57, 24]]
    return points


def drawing(points: np.ndarray, tone: int) -> np.ndarray:
    """(96, 96, 3) uint8: skin of that tone, lips, a dark inner mouth."""
    from voicelip.lips.motion import MOTION_POINTS
    from voicelip.lips.region import outlines

    lip, inside, _ = outlines(points[list(MOTION_POINTS)], 96).astype(np.float32) / 255
    image = np.full((96, 96, 3), tone, np.float32)
    image = image * (1 - lip[..., None]) + np.array([170, 70, 70]) * lip[..., None]
    return (image * (1 - inside[..., None]) + 20 * inside[..., None]).astype(np.uint8)
