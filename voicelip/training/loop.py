"""The loop of every training: draw, learn, average, evaluate, save; a killed run goes on where it was."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from voicelip.errors import OptionError
from voicelip.training import checkpoint, distributed
from voicelip.training.config import RunConfig
from voicelip.training.curves import Curves
from voicelip.training.distributed import Ranks
from voicelip.training.stage import Call, Means, Stage, on_device, pieces

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_FREE_TO_CHANGE = {"stop", "threads", "workers", "device", "evaluate_every", "log_every"}

Build = Callable[[Ranks], Stage]


def train(config: RunConfig, build: Build, out: Path) -> Stage:
    """Run or resume a training; leaves NAME.pt (all state) in `out`. `build` makes the stage in each process.

    Under `torchrun` every process draws samples of its own, and gradients are averaged over all.
    """
    out.mkdir(parents=True, exist_ok=True)
    with distributed.joined(config.device) as ranks:
        torch.manual_seed(config.seed)  # the same first weights in every process
        torch.set_num_threads(config.threads)
        stage = build(ranks)
        if not ranks.is_first:
            torch.manual_seed(config.seed + ranks.rank)  # other neurons dropped
        _Run(config, stage, ranks, out).run()
        return stage


class _Run:
    def __init__(self, config: RunConfig, stage: Stage, ranks: Ranks, out: Path) -> None:
        self.config, self.stage, self.ranks = config, stage, ranks
        self.path = out / f"{stage.name}.pt"
        self.players = stage.players
        self.learned = {
            name: [weight for weight in player.network.parameters() if weight.requires_grad]
            for name, player in self.players.items()
        }
        self.averages = {
            name: checkpoint.Averaged(player.network, player.average, player.is_trained)
            for name, player in self.players.items()
            if player.average is not None
        }
        self.scaler = torch.amp.GradScaler(ranks.device.type, enabled=config.precision == "float16")
        self.first_step, seconds = self._resume()
        self.shared = {name: ranks.share(player.network) for name, player in self.players.items()}
        self.calls = {name: self._calls(name) for name in self.players}
        self.means = Means()
        self.curves = Curves(out, stage.name, self.first_step, seconds) if ranks.is_first else None

    def run(self) -> None:
        last = self.config.steps if self.config.stop is None else min(self.config.stop, self.config.steps)
        for step, batch in self._batches(last):
            self.means.add(self._learn(step, on_device(batch, self.ranks.device)))
            done = step + 1
            if self.curves and (done % self.config.log_every == 0 or done == last):
                self.curves.losses(done, self.means.take(), learning_rate(self.config, step))
            if done % self.config.evaluate_every == 0 or done == last:
                self._evaluate(done)
                self._save(done)
        if self.curves:
            self.curves.close()

    def _learn(self, step: int, batch: Any) -> dict[str, float]:
        """One step of every player; returns their losses and the parts of them."""
        for player in self.players.values():
            player.network.train()
            player.optimiser.zero_grad()
            for group in player.optimiser.param_groups:
                group["lr"] = learning_rate(self.config, step) * group.get("pace", 1.0)
        parts = pieces(batch, self.config.accumulate)
        losses = Means()
        for number, (piece, share) in enumerate(parts):
            for name in self.players:
                losses.add(self._backward(name, piece, share, is_last=number == len(parts) - 1))
        values = losses.take()
        if not all(np.isfinite(value) for value in values.values()):
            raise OptionError(
                f"the loss is not finite at step {step + 1}: {values}; lower learning_rate and run it again "
                "(it goes on from what was saved last)"
            )
        for name, player in self.players.items():
            self.scaler.unscale_(player.optimiser)
            if player.clip is not None:
                nn.utils.clip_grad_norm_(player.network.parameters(), player.clip)
            self.scaler.step(player.optimiser)
            if name in self.averages:
                self.averages[name].update(player.network, step)
        self.scaler.update()
        return values

    def _backward(self, name: str, piece: Any, share: float, is_last: bool) -> dict[str, float]:
        for other, weights in self.learned.items():
            for weight in weights:
                weight.requires_grad_(other == name)
        with nullcontext() if is_last else distributed.without_exchange(self.shared[name]):
            value, parts = self.stage.loss(name, piece, self.calls[name])
            self.scaler.scale(value * share).backward()
        label = "loss" if len(self.players) == 1 else name
        return {label: value.item(), **{part: figure.item() for part, figure in parts.items()}}

    def _calls(self, active: str) -> dict[str, Call]:
        """The networks as `active` calls them in its turn: only its own exchanges gradients."""
        return {
            name: _in_precision(
                self.shared[name] if name == active else player.network,
                self.ranks.device,
                _DTYPES[self.config.precision],
            )
            for name, player in self.players.items()
        }

    def _batches(self, last: int) -> Iterator[tuple[int, Any]]:
        draws = _Draws(self.stage, self.config.seed, self.ranks.rank)
        steps = range(self.first_step, last)
        if not self.config.workers:
            return ((step, draws[step]) for step in steps)
        loader = torch.utils.data.DataLoader(
            draws,
            batch_size=None,
            sampler=steps,
            num_workers=self.config.workers,
            generator=torch.Generator(),  # its own: the run's goes on as without workers
            collate_fn=_unchanged,
        )
        return zip(steps, loader, strict=True)

    def _evaluate(self, step: int) -> None:
        if self.curves:
            networks = self._shown()
            for network in networks.values():
                network.eval()
            with torch.no_grad():
                self.curves.scores(step, self.stage.evaluate(networks, step))
        if self.ranks.count > 1:  # what the first process learnt of it, all should know
            self.stage.resume(self.ranks.gather(self.stage.state())[0])

    def _shown(self) -> dict[str, nn.Module]:
        """The networks as they would ship."""
        return {
            name: self.averages[name].network if name in self.averages else player.network
            for name, player in self.players.items()
        }

    def _save(self, step: int) -> None:
        chances = self.ranks.gather(_chance(self.ranks.device))
        if not self.curves:
            return
        main, *others = (self._player_state(name) for name in self.players)
        checkpoint.save(
            self.path,
            **main,
            others=dict(zip(list(self.players)[1:], others, strict=True)),
            step=step,
            seconds=self.curves.seconds,
            chances=chances,
            scaler=self.scaler.state_dict(),
            stage=self.stage.state(),
            config=asdict(self.config),
        )
        self.stage.publish(self._shown(), step, self.path.parent)

    def _player_state(self, name: str) -> dict[str, Any]:
        player = self.players[name]
        state = {"network": player.network.state_dict(), "optimiser": player.optimiser.state_dict()}
        if name in self.averages:
            state["averaged"] = self.averages[name].network.state_dict()
        return state

    def _resume(self) -> tuple[int, float]:
        """Take up a saved run; the step to go on with and the seconds spent."""
        state = checkpoint.load(self.path, self.ranks.device)
        if state is None:
            return 0, 0.0
        if "chances" not in state:
            raise OptionError(f"{self.path}: saved by an older version; train into another folder")
        if self.ranks.is_first:
            _tell_changes(state["config"], asdict(self.config))
        for name in self.players:
            self._resume_player(name, state if name == next(iter(self.players)) else state["others"][name])
        if state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        self.stage.resume(state["stage"])
        if self.ranks.rank < len(state["chances"]):
            _take_chance(state["chances"][self.ranks.rank], self.ranks.device)
        return state["step"], state["seconds"]

    def _resume_player(self, name: str, state: dict[str, Any]) -> None:
        player = self.players[name]
        player.network.load_state_dict(state["network"])
        player.optimiser.load_state_dict(state["optimiser"])
        if name in self.averages:
            self.averages[name].network.load_state_dict(state["averaged"])


class _Draws(torch.utils.data.Dataset):
    """The samples of every step; which they are depends on seed, step and process alone."""

    def __init__(self, stage: Stage, seed: int, rank: int) -> None:
        self._stage, self._seed, self._rank = stage, seed, rank

    def __getitem__(self, step: int) -> Any:
        return self._stage.draw(np.random.default_rng((self._seed, step, self._rank)))


def learning_rate(config: RunConfig, step: int) -> float:
    """Of a step, counted from 0: warm-up over a fortieth of the run, then half a cosine down to 2 %."""
    if config.schedule == "constant":
        return config.learning_rate
    rate = min(1, (step + 1) / (config.steps // 40 + 1)) * (
        0.02 + 0.98 * np.cos(np.pi / 2 * step / config.steps) ** 2
    )
    return float(config.learning_rate * rate)


def _in_precision(network: nn.Module, device: torch.device, dtype: torch.dtype) -> Call:
    """`network` computing in `dtype` where that is safe; what it gives is float32."""

    def call(*inputs: torch.Tensor) -> Any:
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            outputs = network(*inputs)
        return _float(outputs)

    return call


def _float(outputs: Any) -> Any:
    if isinstance(outputs, torch.Tensor):
        return outputs.float()
    return type(outputs)(_float(output) for output in outputs)


def _chance(device: torch.device) -> list[torch.Tensor]:
    """The state of PyTorch's random numbers, which dropout draws from."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return states


def _take_chance(states: list[torch.Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0].cpu())
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1].cpu(), device)


def _tell_changes(before: dict[str, Any], now: dict[str, Any]) -> None:
    changed = [
        f"{key} {before.get(key)} -> {value}"
        for key, value in now.items()
        if key not in _FREE_TO_CHANGE and before.get(key) != value
    ]
    if changed:
        print(f"resumed with other settings: {', '.join(changed)}", flush=True)


def _unchanged(batch: Any) -> Any:
    return batch
