"""Measure the published Wav2Lip generator as used here against a plain PyTorch loop over it.

    python recipes/benchmark_wav2lip.py                    # made-up weights: the cost is the same
    python recipes/benchmark_wav2lip.py wav2lip_gan.pth

Both draw the same frames with the same weights in one run, in turns, so that other work on the machine meets
both alike. "CPU" counts the processor's seconds, which such work disturbs least.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from voicelip.lips.wav2lip.checkpoint import load_network
from voicelip.lips.wav2lip.generator import Wav2LipGenerator
from voicelip.lips.wav2lip.generator_net import FACE_PX, MEL_COLUMNS, Generator

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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path, nargs="?", help="a published generator; default: made up")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.checkpoint or made_up_weights(Path(folder))
        plain, ours = load_network(path, Generator), Wav2LipGenerator.load(path)
    rng, batch = np.random.default_rng(0), arguments.batch
    faces = rng.integers(0, 256, (batch, FACE_PX, FACE_PX, 3), np.uint8)
    windows = rng.uniform(-4, 4, (batch, 80, MEL_COLUMNS)).astype(np.float32)
    ways: dict[str, Draw] = {
        f"plain PyTorch, batch {batch}": plain_loop(plain, batch),
        "here, whole face": ours.draw,
        "here, lower half": partial(ours.draw, whole=False),
    }
    measured = {name: Measured() for name in ways}
    for turn in range(arguments.rounds + 1):
        for name, draw in ways.items():
            target = measured[name] if turn else Measured()  # the first turn only warms up
            target.run(draw, windows, faces)
    loop = next(iter(measured.values()))
    for name, each in measured.items():
        report(name, each, loop, batch)


if __name__ == "__main__":
    main()
