"""The loop of every training: settings, resuming, precision, pieces of a batch, processes, folders."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from training_samples import FRAMES, make_prepared

from voicelip.errors import InputNotFoundError, OptionError
from voicelip.training import loop, motion, renderer
from voicelip.training.clips import PreparedClips
from voicelip.training.config import RunConfig, load_config, make_config
from voicelip.training.distributed import Ranks
from voicelip.training.mouths import Lessons, draw_batch, draw_runs
from voicelip.training.sampling import clip_weights
from voicelip.training.stage import Call, Loss, Player, Scores, Stateless

CONFIGS = Path(__file__).parent.parent / "recipes" / "configs"


@dataclass(frozen=True)
class Pairs:
    x: torch.Tensor
    y: torch.Tensor


class Line(Stateless):
    """Learns y = 3x - 1 with dropout, without norms; notes every loss and the samples that it saw."""

    name = "line"

    def __init__(self, config: RunConfig, dropout: float = 0.0) -> None:
        self._batch = config.batch
        network = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))
        optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate)
        self.players = {"line": Player(network, optimiser, config.average)}
        self.losses: list[float] = []

    def draw(self, rng: np.random.Generator) -> Pairs:
        x = torch.from_numpy(rng.uniform(-1, 1, (self._batch, 1)).astype(np.float32))
        return Pairs(x, 3 * x - 1)

    def loss(self, player: str, batch: Pairs, call: Mapping[str, Call]) -> Loss:
        value = ((call["line"](batch.x) - batch.y) ** 2).mean()
        self.losses.append(value.item())
        return value, {}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> Scores:
        x = torch.linspace(-1, 1, 50)[:, None]
        error = float((networks["line"](x) - (3 * x - 1)).abs().mean())
        return Scores({"error": error}, f"error {error:.3f}", np.zeros((8, 8, 3), np.uint8))


def run(out: Path, dropout: float = 0.0, **settings: object) -> tuple[Line, dict[str, torch.Tensor]]:
    config = make_config(RunConfig, {"steps": 40, "learning_rate": 0.02, "device": "cpu", **settings})
    stage = loop.train(config, lambda ranks: Line(config, dropout), out)
    assert isinstance(stage, Line)
    return stage, stage.players["line"].network.state_dict()


def test_settings_come_from_yaml_and_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("steps: 70\nlearning_rate: 1e-4\nshares: [1, 0.5]\n")
    config = load_config(RunConfig, path, ["steps=90", "stop=null", "precision=bfloat16"])
    assert (config.steps, config.learning_rate, config.shares) == (90, 1e-4, (1.0, 0.5))
    assert (config.stop, config.precision) == (None, "bfloat16")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lerning_rate=1", "did you mean 'learning_rate'"),
        ("steps=many", "is not of the type int"),
        ("steps=0", "at least 1"),
        ("precision=half", "none of float32, bfloat16, float16"),
        ("accumulate=99", "no 99 pieces"),
        ("steps", "key=value"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(word: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        load_config(RunConfig, None, [word])


def test_a_config_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError):
        load_config(RunConfig, tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("steps: [1")
    with pytest.raises(OptionError, match="not YAML"):
        load_config(RunConfig, tmp_path / "bad.yaml")


def test_the_configs_that_come_along_are_those_of_the_shipped_runs() -> None:
    assert load_config(motion.MotionConfig, CONFIGS / "motion.yaml") == motion.MotionConfig()
    assert load_config(renderer.RendererConfig, CONFIGS / "renderer.yaml") == renderer.RendererConfig()


def test_a_run_learns_and_leaves_state_curves_and_a_picture(tmp_path: Path) -> None:
    stage, _ = run(tmp_path, steps=200, batch=32)
    assert stage.losses[-1] < 0.05 * stage.losses[0]
    assert (tmp_path / "line.pt").exists()
    assert (tmp_path / "line_samples.png").exists()


def test_curves_are_kept_for_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(tmp_path, evaluate_every=10)
    events = EventAccumulator(str(tmp_path / "curves"))
    events.Reload()
    assert [event.step for event in events.Scalars("held_out/error")] == [10, 20, 30, 40]
    assert events.Tags()["images"] == ["samples"]


def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, weights = run(tmp_path / "whole", dropout=0.3)
    first, _ = run(tmp_path / "killed", dropout=0.3, stop=15)
    rest, resumed = run(tmp_path / "killed", dropout=0.3)
    assert first.losses + rest.losses == whole.losses
    assert all(torch.equal(weights[key], resumed[key]) for key in weights)


def test_samples_drawn_ahead_are_the_same_samples(tmp_path: Path) -> None:
    alone, _ = run(tmp_path / "alone", dropout=0.3, steps=8)
    helped, _ = run(tmp_path / "helped", dropout=0.3, steps=8, workers=1)
    assert helped.losses == alone.losses


def test_pieces_of_a_batch_make_the_same_step(tmp_path: Path) -> None:
    _, whole = run(tmp_path / "whole", batch=16)
    _, pieces = run(tmp_path / "pieces", batch=16, accumulate=2)
    assert all(torch.allclose(whole[key], pieces[key], atol=1e-5) for key in whole)


def test_low_precision_learns_too(tmp_path: Path) -> None:
    stage, weights = run(tmp_path, steps=200, batch=32, precision="bfloat16")
    assert stage.losses[-1] < 0.05 * stage.losses[0]
    assert weights["0.weight"].dtype == torch.float32


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="learning_rate"):
        run(tmp_path, learning_rate=float("inf"), schedule="constant")


@pytest.mark.slow
def test_two_processes_learn_from_both_their_samples(tmp_path: Path) -> None:
    code = (
        "import os, sys, torch; from pathlib import Path; from test_training_loop import run\n"
        "rank, out = os.environ['RANK'], Path(sys.argv[1])\n"
        "stage, weights = run(out, steps=3, batch=8, schedule='constant')\n"
        "torch.save({'weights': weights, 'losses': stage.losses}, out / f'rank{rank}.pt')\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    root = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}", "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(script), str(tmp_path)], cwd=root, env=environment, check=True, timeout=120)
    first, second = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["losses"] != second["losses"]  # each sees its own samples …
    for key, value in first["weights"].items():  # … and both learn the same
        assert torch.equal(value, second["weights"][key])
    assert torch.load(tmp_path / "line.pt", weights_only=True)["step"] == 3
    alone = _both_at_once(tmp_path / "alone")
    assert all(torch.allclose(first["weights"][key], alone[key], atol=1e-5) for key in alone)


def _both_at_once(out: Path) -> dict[str, torch.Tensor]:
    """One process that sees what two would have seen."""
    config = RunConfig(steps=3, batch=8, learning_rate=0.02, schedule="constant", device="cpu")

    class Both(Line):
        def draw(self, rng: np.random.Generator) -> Pairs:
            step = len(self.losses)
            parts = [Line.draw(self, np.random.default_rng((0, step, rank))) for rank in (0, 1)]
            return Pairs(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]))

    stage = loop.train(config, lambda ranks: Both(config), out)
    return stage.players["line"].network.state_dict()


def test_real_stages_run_alike_after_a_kill(tmp_path: Path) -> None:
    prepared = make_prepared(tmp_path / "prepared")
    for name, stops in (("whole", [2]), ("killed", [1, 2])):
        for stop in stops:
            config = renderer.RendererConfig(steps=2, batch=2, precision="float32", stop=stop)
            renderer.train(config, prepared, prepared, tmp_path / name)
    whole, killed = (
        torch.load(tmp_path / name / "renderer.pt", weights_only=True)["network"]
        for name in ("whole", "killed")
    )
    for key, value in whole.items():
        assert torch.allclose(value, killed[key], atol=1e-6), key


def test_folders_are_joined_and_sampled_by_share(tmp_path: Path) -> None:
    parts = [make_prepared(tmp_path / name, seed=seed) for seed, name in enumerate(("a", "b"))]
    both = PreparedClips.join(parts)
    assert {clip.speaker for clip in both.clips} == {"0/p0", "0/p1", "1/p0", "1/p1"}
    last = both.clips[-1]
    assert np.array_equal(both.crops[last.span], parts[1].crops[parts[1].clips[-1].span])
    assert np.array_equal(both.clip_mel(last), parts[1].clip_mel(parts[1].clips[-1]))
    weights = clip_weights(both, (0.8, 0.2))
    assert weights[:4].sum() == pytest.approx(0.8)
    with pytest.raises(OptionError, match="one for each of 2"):
        clip_weights(both, (1.0,))


def test_a_renderer_trains_on_two_folders(tmp_path: Path) -> None:
    parts = [make_prepared(tmp_path / name, seed=seed) for seed, name in enumerate(("a", "b"))]
    config = renderer.RendererConfig(steps=2, batch=4, precision="float32", shares=(0.5, 0.5))
    renderer.train(config, PreparedClips.join(parts), parts[0], tmp_path / "run")
    assert (tmp_path / "run" / "renderer.pt").exists()


def test_frames_of_a_run_share_references_and_follow_one_another(tmp_path: Path) -> None:
    lessons = Lessons.of(make_prepared(tmp_path))
    batch = draw_runs(lessons, [(1, range(7, 12)), (2, range(0, 5))], np.random.default_rng(0))
    assert batch.target.shape == (10, 3, 96, 96)
    assert torch.equal(batch.references[0], batch.references[4])
    assert not torch.equal(batch.references[4], batch.references[5])
    plain = draw_runs(lessons, [(1, range(7, 12))], np.random.default_rng(0), augment=False)
    truth = torch.from_numpy(lessons.data.crops[FRAMES + 7 : FRAMES + 12].copy()).permute(0, 3, 1, 2) / 255
    assert torch.allclose(plain.target, truth)


def test_one_person_alone_can_be_trained_on(tmp_path: Path) -> None:
    lessons = Lessons.of(make_prepared(tmp_path, speakers=1))
    for seed in range(10):
        draw_batch(lessons, [0], np.random.default_rng(seed))


def test_ranks_alone_are_the_first() -> None:
    ranks = Ranks(0, 1, torch.device("cpu"))
    assert ranks.is_first
    assert ranks.gather(5) == [5]
