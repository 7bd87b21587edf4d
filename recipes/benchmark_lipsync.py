"""Time `voicelip lipsync` as a whole process, without a stored face track, and its peak memory.

python -m recipes.benchmark_lipsync CLIP.mp4 [--seconds 10 60] [--size 1280x720]

CLIP, a talking face with sound, is scaled to the size and repeated back and forth to each length.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from voicelip import hub
from voicelip.media import Audio, Clip, VideoWriter, paced_frames, read_audio, write_audio


def lengthened(source: Path, seconds: int, size: tuple[int, int], folder: Path) -> tuple[Path, Path]:
    """(clip, sound) of `seconds` made from a shorter clip; the picture keeps its shape, in grey borders."""
    clip, audio = Clip(source), read_audio(source)
    width, height = size
    scale = min(width / clip.info.width, height / clip.info.height)
    inner = (round(clip.info.width * scale), round(clip.info.height * scale))
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    face = folder / f"face-{seconds}.mp4"
    with VideoWriter(face, width, height, clip.info.fps, colour=clip.info.colour) as writer:
        for frame in paced_frames(clip, round(seconds * clip.info.fps)):
            canvas = np.full((height, width, 3), 128, np.uint8)
            picture = cv2.resize(frame.image, inner, interpolation=cv2.INTER_CUBIC)
            canvas[top : top + inner[1], left : left + inner[0]] = picture
            writer.write_frame(canvas)
    sound = folder / f"sound-{seconds}.wav"
    samples = np.resize(audio.samples, seconds * audio.sample_rate)
    write_audio(sound, Audio(samples, audio.sample_rate))
    return face, sound


def run(face: Path, sound: Path, folder: Path) -> tuple[float, float]:
    """(wall seconds, peak MB) of one process with an empty track store."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    models = hub.fetch("face-landmarker").parents[1]
    (home / models.name).symlink_to(models)
    command = [sys.executable, "-m", "voicelip", "lipsync", "--face", face, "--audio", sound]
    environment = {**os.environ, "VOICELIP_HOME": str(home)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [*map(str, command), "-o", str(folder / "out.mp4"), "--overwrite", "-q"], env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"lipsync failed with status {status}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=int, nargs="+", default=[10, 60])
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    for seconds in arguments.seconds:
        with tempfile.TemporaryDirectory() as temporary:
            face, sound = lengthened(arguments.clip, seconds, (width, height), Path(temporary))
            runs = [run(face, sound, Path(temporary)) for _ in range(arguments.runs)]
            frames = Clip(face).info.frame_count
        wall = float(np.median([wall for wall, _ in runs]))
        peak = float(np.median([peak for _, peak in runs]))
        print(
            f"{seconds:3} s {arguments.size}: {wall:6.1f} s, {frames / wall:5.1f} fps, peak {peak:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
