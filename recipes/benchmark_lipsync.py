"""Time `voicelip lipsync` as a whole process and its lip stage, without a stored face track, and peak memory.

python -m recipes.benchmark_lipsync CLIP.mp4 [--seconds 10 60] [--size 1280x720]

CLIP, a talking face with sound whose consent is kept here (`voicelip consent new`), is scaled to the size
and repeated back and forth to each length. The lip stage is all but starting up and reading the sound:
faces, listening, lips. "CPU" is the processor's time of the whole process, which other work on the machine
disturbs least.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np

from voicelip import hub
from voicelip.media import Audio, Clip, VideoWriter, paced_frames, read_audio, write_audio
from voicelip.trust import consent_key, consent_store


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
            canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
                frame.image, inner, interpolation=cv2.INTER_CUBIC
            )
            writer.write_frame(canvas)
    sound = folder / f"sound-{seconds}.wav"
    samples = np.resize(audio.samples, seconds * audio.sample_rate)
    write_audio(sound, Audio(samples, audio.sample_rate))
    return face, sound


@dataclass(frozen=True)
class Run:
    """One process with an empty track store: seconds by the clock, of the lip stage, of CPU; peak memory."""

    wall_s: float
    lips_s: float
    cpu_s: float
    peak_mb: float


def run(face: Path, sound: Path, folder: Path) -> Run:
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    kept = {
        "models": hub.fetch("face-landmarker").parents[1],
        "consents": consent_store.folder(),
        "keys": consent_key.folder(),
    }
    for name, path in kept.items():
        (home / name).symlink_to(path)
    command = [sys.executable, "-m", "voicelip", "lipsync", "--face", face, "--audio", sound]
    environment = {**os.environ, "VOICELIP_HOME": str(home)}
    began = time.perf_counter()
    command += ["-o", folder / "out.mp4", "--overwrite", "--json"]
    with (folder / "result.json").open("w") as result:
        process = subprocess.Popen([*map(str, command)], env=environment, stdout=result)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"lipsync failed with status {status}")
    wall = time.perf_counter() - began
    stages = json.loads((folder / "result.json").read_text())["timings_s"]
    lips = sum(stages[name] for name in ("faces", "listening", "lips"))
    return Run(wall, lips, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


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
        middle = Run(*(float(np.median(values)) for values in zip(*map(astuple, runs), strict=True)))
        print(
            f"{seconds:3} s {arguments.size}: whole process {middle.wall_s:.1f} s, "
            f"{frames / middle.wall_s:.1f} fps; "
            f"lip stage {middle.lips_s:.1f} s, {frames / middle.lips_s:.1f} fps; "
            f"CPU {1000 * middle.cpu_s / frames:.1f} ms a frame; peak {middle.peak_mb:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
