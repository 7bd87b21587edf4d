"""Measure the published Wav2Lip generator as used here against a plain PyTorch loop over it.

    python -m recipes.benchmark_wav2lip                    # made-up weights: the cost is the same
    python -m recipes.benchmark_wav2lip wav2lip_gan.pth
    python -m recipes.benchmark_wav2lip --clip CLIP --sound SPEECH   # needs the extra face-alignment

Both draw the same frames with the same weights in one run, in turns, so that other work on the machine meets
both alike. "CPU" counts the processor's seconds, which such work disturbs least.

With a clip, `lipsync --lips wav2lip:…` on it, as a whole, is measured against what the published pipeline
spends on S3FD and the generator alone for the same frames, worked out from a few of them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from voicelip import hub
from voicelip.lips.wav2lip.checkpoint import load_network
from voicelip.lips.wav2lip.generator import Wav2LipGenerator
from voicelip.lips.wav2lip.generator_net import MEL_COLUMNS, Generator
from voicelip.lips.wav2lip.layouts import PUBLISHED
from voicelip.media import Clip

FACE_PX = PUBLISHED.px
Draw = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass
class Measured:
    """Seconds of each round, and what the last one drew."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    drawn: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def run(self, draw: Draw, windows: np.ndarray, faces: np.ndarray) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.drawn = draw(windows, faces)
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)


def plain_loop(network: Generator, batch: int) -> Draw:
    """What the published inference does with each batch, in PyTorch as it comes."""

    @torch.no_grad()
    def draw(windows: np.ndarray, faces: np.ndarray) -> np.ndarray:
        seen = faces[..., ::-1] / 255.0
        masked = seen.copy()
        masked[:, FACE_PX // 2 :] = 0
        both = torch.FloatTensor(np.concatenate((masked, seen), axis=3).transpose(0, 3, 1, 2))
        heard = torch.FloatTensor(windows[:, None])
        parts = [network(heard[i : i + batch], both[i : i + batch]) for i in range(0, len(both), batch)]
        return torch.cat(parts).numpy().transpose(0, 2, 3, 1)[..., ::-1]

    return draw


def made_up_weights(folder: Path) -> Path:
    """A checkpoint whose activations keep their size, as trained ones do; it draws noise."""
    network = Generator()
    torch.manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            torch.nn.init.normal_(parameter, std=(1.3 / parameter[0].numel()) ** 0.5)
    torch.save({"state_dict": network.state_dict()}, folder / "made_up.pth")
    return folder / "made_up.pth"


def report(name: str, each: Measured, loop: Measured, frames: int) -> None:
    """Best rounds; differences over the lower half, the only one that every way draws."""
    wall, cpu = min(each.wall_s), min(each.cpu_s)
    far = np.abs(each.drawn - loop.drawn)[:, FACE_PX // 2 :].max()
    print(f"{name:26}{frames / wall:6.2f} frames/s ({min(loop.wall_s) / wall:.2f}x)", end="  ")
    print(f"{1000 * cpu / frames:6.1f} ms CPU a frame ({min(loop.cpu_s) / cpu:.2f}x)  difference {far:.1e}")


def whole_cpu_s(clip: Path, sound: Path, checkpoint: Path, folder: Path) -> tuple[float, int]:
    """CPU seconds of one `voicelip lipsync`, start and all, without a stored track; and its frames."""
    command = [sys.executable, "-m", "voicelip", "lipsync", "--face", str(clip), "--audio", str(sound)]
    command += ["--lips", f"wav2lip:{checkpoint}", "-o", str(folder / "out.mp4"), "--json"]
    (folder / "tracks").mkdir()
    (folder / "models").symlink_to(hub.home() / "models")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "VOICELIP_HOME": str(folder)}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return spent, int(json.loads(done.stdout)["frames"])


@torch.no_grad()
def s3fd_cpu_s(clip: Path, frames: int = 3) -> float:
    """CPU seconds that S3FD's network takes for a frame; its weights do not matter for that."""
    from face_alignment.detection.sfd.net_s3fd import s3fd

    network, spent = s3fd().eval(), []
    for frame in Clip(clip).frames(0, frames + 1):
        image = torch.from_numpy(frame.picture.rgb()).permute(2, 0, 1)[None].float()
        began = time.process_time()
        network(image - 110)
        spent.append(time.process_time() - began)
    return min(spent)


def report_whole(clip: Path, sound: Path, checkpoint: Path, folder: Path, generator_cpu_s: float) -> None:
    """Our whole run against the published pipeline's two networks."""
    ours, frames = whole_cpu_s(clip, sound, checkpoint, folder)
    detector = s3fd_cpu_s(clip)
    published = frames * (detector + generator_cpu_s)
    print(f"whole lipsync, {frames} frames: {ours:.0f} s CPU ({1000 * ours / frames:.0f} ms a frame)")
    print(
        f"published: S3FD {1000 * detector:.0f} ms + generator {1000 * generator_cpu_s:.0f} ms CPU a frame",
        end="",
    )
    print(f" = {published:.0f} s; ratio {published / ours:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path, nargs="?", help="a published generator; default: made up")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clip", type=Path, help="measure a whole run on this clip, too")
    parser.add_argument("--sound", type=Path, help="the speech for it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (arguments.checkpoint or made_up_weights(Path(folder))).resolve()
        loop = compare(path, arguments.batch, arguments.rounds)
        if arguments.clip and arguments.sound:
            generator_cpu_s = min(loop.cpu_s) / arguments.batch
            report_whole(arguments.clip, arguments.sound, path, Path(folder), generator_cpu_s)


def compare(path: Path, batch: int, rounds: int) -> Measured:
    """Draw with all ways in turns and report; the plain loop's figures."""
    plain, ours = load_network(path, Generator), Wav2LipGenerator.load(path)
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (batch, FACE_PX, FACE_PX, 3), np.uint8)
    windows = rng.uniform(-4, 4, (batch, 80, MEL_COLUMNS)).astype(np.float32)
    ways: dict[str, Draw] = {
        f"plain PyTorch, batch {batch}": plain_loop(plain, batch),
        "here, whole face": ours.draw,
        "here, lower half": partial(ours.draw, whole=False),
    }
    measured = {name: Measured() for name in ways}
    for turn in range(rounds + 1):
        for name, draw in ways.items():
            target = measured[name] if turn else Measured()  # the first turn only warms up
            target.run(draw, windows, faces)
    loop = next(iter(measured.values()))
    for name, each in measured.items():
        report(name, each, loop, batch)
    return loop


if __name__ == "__main__":
    main()
