"""Measure the lip network on rendered videos: drive each clip with the sound of another clip of the same
speaker.

    python -m recipes.evaluate_lips CLIPS [--pairs 8] [--json out.json]

CLIPS holds SPEAKER/*.mp4. A speaker with one clip is driven with their own sound while their picture plays
backwards.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import voicelip
from voicelip import hub
from voicelip.evaluation import lips
from voicelip.face.tracker import FaceTracker
from voicelip.media import Audio, Clip, VideoWriter, write_audio


@dataclass(frozen=True)
class Row:
    """One driven clip: ours beside the bounds."""

    speaker: str
    r: float
    lag: int
    r_mismatched: float
    lmd: float
    lmd_static: float
    lip_leak: float
    sharpness: float


class Bench:
    """Renders, tracks and compares; everything goes through the public `lipsync`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
        self._known: dict[Path, np.ndarray] = {}

    def points(self, path: Path) -> np.ndarray:
        if path not in self._known:
            self._known[path] = self._tracker.track(frame.image for frame in Clip(path).frames()).points
        return self._known[path]

    def drive(self, face: Path, audio: Path, name: str) -> Path:
        return voicelip.lipsync(face=face, audio=audio, out=self._folder / f"{name}.mp4", overwrite=True).path

    def row(self, speaker: str, face: Path, sound: Path, other: Path | None) -> Row:
        result = self.drive(face, sound, f"{speaker}-{face.stem}-{sound.stem}")
        silence = self._folder / "silence.wav"
        if not silence.exists():
            write_audio(silence, Audio(np.zeros(48_000, np.float32), 16_000))
        quiet = self.drive(face, silence, f"{speaker}-{face.stem}-silence")
        moved, real = self.points(result), self.points(sound)
        sync = lips.synchrony(moved, real)
        mismatched = lips.synchrony(moved, self.points(other)).r if other else float("nan")
        return Row(
            speaker,
            sync.r,
            sync.lag,
            mismatched,
            lips.landmark_distance(moved, real),
            lips.static_landmark_distance(real),
            lips.lip_leak(self.points(quiet), self.points(face)),
            lips.sharpness((f.image for f in Clip(result).frames()), moved)
            / lips.sharpness((f.image for f in Clip(face).frames()), self.points(face)),
        )


def backwards(path: Path, folder: Path) -> Path:
    """The picture of a clip played backwards, without sound."""
    clip = Clip(path)
    out = folder / f"{path.parent.name}-{path.stem}-backwards.mp4"
    with VideoWriter(
        out, clip.info.width, clip.info.height, clip.info.fps, colour=clip.info.colour, crf=12, overwrite=True
    ) as writer:
        for frame in clip.frames_backwards(clip.info.frame_count - 1):
            writer.write_frame(frame.image)
    return out


def pairs(clips: list[Path], most: int, folder: Path) -> list[tuple[Path, Path, Path | None]]:
    """(face, sound, another sound) for one speaker."""
    if len(clips) == 1:
        return [(backwards(clips[0], folder), clips[0], None)]
    count = len(clips)
    return [(clips[i], clips[(i + 1) % count], clips[(i + 2) % count]) for i in range(min(most, count))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--pairs", type=int, default=8, help="at most this many a speaker")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="folder to keep the rendered videos in")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder)
        print("speaker  pairs      r margin |lag|    LMD static    leak  sharp")
        for speaker in sorted(path for path in arguments.clips.iterdir() if path.is_dir()):
            chosen = pairs(sorted(speaker.glob("*.mp4")), arguments.pairs, folder)
            here = [bench.row(speaker.name, *trio) for trio in chosen]
            rows += here
            mean = {
                key: np.mean([asdict(row)[key] for row in here])
                for key in asdict(here[0])
                if key != "speaker"
            }
            print(
                f"{speaker.name:8} {len(here):5} {mean['r']:6.3f} {mean['r'] - mean['r_mismatched']:6.3f} "
                f"{max(abs(row.lag) for row in here):5} {mean['lmd']:6.2f} {mean['lmd_static']:6.2f} "
                f"{mean['lip_leak']:7.4f} {mean['sharpness']:6.2f}",
                flush=True,
            )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
