"""Train the detector of regenerated mouths on what recipes/prepare_detector.py made, and say how good it is.

    python -m recipes.train_detector VIDEOS RUN --held-out s3 s5 s20 s22 s23 s32 u1 u2 [--steps 1500]

Crops are taken from the videos as `voicelip verify` takes them, and kept in RUN/crops. Nobody who is held
out is seen in training. Writes RUN/mouth_detector.onnx and RUN/report.json: for each quality and kind the
area under the ROC curve and the ROC itself, over the clips of the held-out people. Run it again after it was
stopped.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from recipes.prepare_detector import KINDS, QUALITIES
from voicelip.errors import VoicelipError
from voicelip.examine import gather, same_crops
from voicelip.media import Clip
from voicelip.training.detector import REAL, MouthDetector, Take, auc, draw, logits_of, step
from voicelip.trust.detect_learned import CHANNELS, FILE, probability
from voicelip.trust.evidence import CROP_PX, FaceEvidence

_MOMENTS = 8  # in a batch, each in all kinds
_SAVED_EVERY = 100


def read_takes(videos: Path, kept: Path, held_out: list[str]) -> list[Take]:
    """All that is there, each in its kinds; what shows no face is left out.

    Faces of people who are held out are looked for in every video by itself, as `voicelip verify` does; those
    of the others only in the real one, since the copies show them at the same places.
    """
    kept.mkdir(parents=True, exist_ok=True)
    takes = []
    for last in sorted((videos / QUALITIES[-1] / KINDS[-1]).glob("*.mp4")):
        speaker = last.stem.split("-")[0]
        paths = {
            (quality, kind): videos / quality / kind / last.name for quality in QUALITIES for kind in KINDS
        }
        read = _each_crops(paths, kept) if speaker in held_out else _common_crops(paths, kept)
        for quality in QUALITIES:
            found = {kind: read[quality, kind] for kind in KINDS}
            if all(len(crops) for crops in found.values()):
                takes.append(Take(speaker, quality, last.stem, found))
    return takes


Crops = dict[tuple[str, str], np.ndarray]


def _each_crops(paths: dict[tuple[str, str], Path], kept: Path) -> Crops:
    found: Crops = {}
    for (quality, kind), path in paths.items():
        file = kept / f"{quality}-{kind}-{path.stem}.npz"
        if not file.exists():
            evidence = gather(path)
            _write(file, {} if evidence is None else _arrays(evidence))
        found[quality, kind] = _read(file).get("crops", np.zeros(0))
    return found


def _common_crops(paths: dict[tuple[str, str], Path], kept: Path) -> Crops:
    first = paths[QUALITIES[0], REAL]
    file = kept / f"all-{first.stem}.npz"
    if not file.exists():
        evidence = gather(first)
        _write(file, {} if evidence is None else _copies(paths, evidence, Clip(first).info.width))
    stored = _read(file)
    return {names: stored.get("-".join(names), np.zeros(0)) for names in paths}


def _copies(paths: dict[tuple[str, str], Path], real: FaceEvidence, width: int) -> dict[str, np.ndarray]:
    found = {
        f"{quality}-{kind}": same_crops(path, real, Clip(path).info.width / width)
        for (quality, kind), path in paths.items()
    }
    return {**found, "crop_points": real.crop_points}


def _write(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """All or nothing."""
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, **arrays)
    unfinished.replace(file)


def _read(file: Path) -> dict[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as stored:
        return dict(stored)


def _arrays(evidence: FaceEvidence) -> dict[str, np.ndarray]:
    values = {name: getattr(evidence, name) for name in evidence.__dataclass_fields__}
    return {name: np.asarray(value) for name, value in values.items() if value is not None}


def train(takes: list[Take], run: Path, steps: int, seed: int, start: Path | None = None) -> MouthDetector:
    """On the kinds that the takes hold; `start` is another run's state, whose network is trained further."""
    torch.manual_seed(seed)
    network = MouthDetector().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True)["network"])
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    done = _resumed(run / "state.pt", network, optimiser, schedule)
    began, losses = time.process_time(), []
    for number in range(done, steps):
        rng = np.random.default_rng((seed, number))
        losses.append(step(network, optimiser, *draw(takes, _MOMENTS, rng)))
        schedule.step()
        if (number + 1) % _SAVED_EVERY == 0 or number + 1 == steps:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**state, "schedule": schedule.state_dict(), "step": number + 1}, run / "state.pt")
            spent = time.process_time() - began
            print(f"step {number + 1}: loss {np.mean(losses):.3f}, {spent:.0f} s of processor", flush=True)
            losses = []
    return network


def _resumed(path: Path, network: torch.nn.Module, optimiser: object, schedule: object) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])  # type: ignore[attr-defined]
    schedule.load_state_dict(state["schedule"])  # type: ignore[attr-defined]
    return int(state["step"])


def judge(network: MouthDetector, takes: list[Take]) -> dict[str, object]:
    """By quality and kind: AUC against real clips of the same quality, and how often it is wrong at 0.5."""
    report: dict[str, object] = {}
    for quality in QUALITIES:
        own = [take for take in takes if take.quality == quality]
        scores = {kind: [probability(logits_of(network, take.crops[kind])) for take in own] for kind in KINDS}
        both = [score for kind in KINDS if kind != REAL for score in scores[kind]]
        report[quality] = {
            "clips": len(own),
            "false_alarms": round(float(np.mean(np.array(scores[REAL]) >= 0.5)), 3),
            "auc": {
                "all": round(auc(scores[REAL], both), 3),
                **{kind: round(auc(scores[REAL], scores[kind]), 3) for kind in KINDS if kind != REAL},
            },
            "found": {
                kind: round(float(np.mean(np.array(scores[kind]) >= 0.5)), 3)
                for kind in KINDS
                if kind != REAL
            },
            "roc": roc(scores[REAL], both),
            "scores": {kind: [round(score, 3) for score in values] for kind, values in scores.items()},
        }
    return report


def roc(real: list[float], other: list[float]) -> list[list[float]]:
    """Share of false alarms, share found, for each threshold that makes a difference."""
    cuts = sorted({*real, *other, 1.1}, reverse=True)
    a, b = np.array(real), np.array(other)
    points = [[round(float((a >= cut).mean()), 3), round(float((b >= cut).mean()), 3)] for cut in cuts]
    return [point for number, point in enumerate(points) if number == 0 or point != points[number - 1]]


def export(network: MouthDetector, path: Path) -> None:
    network.eval()
    torch.onnx.export(
        network,
        (torch.zeros(2, CHANNELS, CROP_PX, CROP_PX),),
        str(path),
        input_names=["planes"],
        output_names=["logits"],
        dynamic_axes={"planes": {0: "pairs"}, "logits": {0: "pairs"}},
        dynamo=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("videos", type=Path, help="folder that prepare_detector filled")
    parser.add_argument("run", type=Path, help="folder of the run; resumed if it holds one")
    parser.add_argument("--held-out", nargs="+", required=True, metavar="SPEAKER")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument(
        "--kinds", nargs="+", choices=KINDS[1:], default=KINDS[1:], help="to be told from real"
    )
    parser.add_argument("--start", type=Path, metavar="STATE", help="state.pt of a run to go on from")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        arguments.run.mkdir(parents=True, exist_ok=True)
        takes = read_takes(arguments.videos, arguments.run / "crops", arguments.held_out)
        held_out = [take for take in takes if take.speaker in arguments.held_out]
        known = [take for take in takes if take.speaker not in arguments.held_out]
        print(f"{len(known)} takes to learn from, {len(held_out)} held out", flush=True)
        wanted = (REAL, *arguments.kinds)
        learned = [replace(take, crops={kind: take.crops[kind] for kind in wanted}) for take in known]
        network = train(learned, arguments.run, arguments.steps, arguments.seed, arguments.start)
        export(network, arguments.run / FILE)
        report = {"unseen": judge(network, held_out), "seen": judge(network, known)}
        (arguments.run / "report.json").write_text(json.dumps(report, indent=1), "utf-8")
        print(json.dumps(report["unseen"], indent=1))
    except (VoicelipError, OSError) as error:
        sys.exit(f"train_detector: {error}")


if __name__ == "__main__":
    main()
