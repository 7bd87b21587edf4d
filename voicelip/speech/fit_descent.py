"""The descent of a fit: which numbers change, what is asked of the sound, and the loop, which can be resumed.

A speaker is an offset on each of the decoder's 58 modulations. Offsets are counted in units of what they
differ by among the stock voices, so that one learning rate and one prior suit all layers; a common part
moves all layers together, along the directions in which stock styles differ.
"""

import hashlib
import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from voicelip.errors import ModelFileError
from voicelip.progress import Progress
from voicelip.speech import campplus, fit_target
from voicelip.speech.decoder import STYLE, Decoder
from voicelip.speech.decoder_front import Phrase
from voicelip.speech.decoder_source import source_spectrum
from voicelip.speech.fit_target import Target


@dataclass(frozen=True)
class Plan:
    """How long and how hard to fit."""

    steps: int
    rate: float = 0.06
    style_rate: float = 0.1
    statistics: float = 0.1
    closeness: float = 0.2
    second_encoder: float = 0.2
    prior: float = 0.01
    check_every: int = 20
    stretch: int = 72  # frames of 25 ms that are heard in one step: a little more than the encoder's window
    least_spread: float = 0.3  # of a layer's mean, so that channels in which stock voices agree can move too


@dataclass(frozen=True)
class SourceMix:
    """How the decoder mixes its nine sines into one source."""

    weight: np.ndarray  # (1, 9)
    bias: np.ndarray  # (1,)


@dataclass(frozen=True)
class Rehearsal:
    """A phrase ready for the decoder, and its unfitted sound's log mel."""

    text: Tensor
    pitch: Tensor
    energy: Tensor
    source: Tensor
    style: Tensor
    plain: Tensor  # (80, 2T + 1)

    def part(self, start: int, frames: int) -> "Rehearsal":
        """From frame `start` on, so many frames, or fewer if the phrase ends."""
        end = min(start + frames, self.text.shape[1])
        return Rehearsal(
            self.text[:, start:end],
            self.pitch[2 * start : 2 * end],
            self.energy[2 * start : 2 * end],
            self.source[:, 120 * start : 120 * end + 1],
            self.style,
            self.plain[:, 2 * start : 2 * end + 1],
        )

    @property
    def frames(self) -> int:
        """The length, in frames of 25 ms."""
        return self.text.shape[1]


class Speaker(torch.nn.Module):
    """The numbers that are fitted."""

    def __init__(self, decoder: Decoder, styles: np.ndarray, plan: Plan) -> None:
        """`styles` are (V, 256), one of each stock voice."""
        super().__init__()
        timbres = torch.from_numpy(styles[:, :STYLE].astype(np.float32))
        self.layers = decoder.modulations()
        self.units = {
            name: _unit(layer.fc.weight.cpu(), timbres, plan) for name, layer in self.layers.items()
        }
        _, sizes, directions = torch.linalg.svd(timbres - timbres.mean(dim=0), full_matrices=False)
        self.directions = directions * (sizes / len(timbres) ** 0.5)[:, None]
        self.common = torch.nn.Parameter(torch.zeros(len(self.directions)))
        self.own = torch.nn.Parameter(torch.zeros(sum(len(unit) for unit in self.units.values())))

    def offsets(self) -> dict[str, Tensor]:
        """Offset of each layer's gains and shifts, (2C,)."""
        style = self.common @ self.directions
        parts = self.own.split([len(unit) for unit in self.units.values()])
        return {
            name: layer.fc.weight @ style.to(layer.fc.weight) + (unit * part).to(layer.fc.weight)
            for (name, layer), unit, part in zip(self.layers.items(), self.units.values(), parts, strict=True)
        }

    def apply_to_decoder(self) -> None:
        """Let the decoder speak as this speaker."""
        for name, offset in self.offsets().items():
            self.layers[name].offset = offset

    def prior(self) -> Tensor:
        """Mean square of the numbers: how far this is from the stock voice."""
        return self.own.square().mean() + 0.1 * self.common.square().mean()


def _unit(weight: Tensor, timbres: Tensor, plan: Plan) -> Tensor:
    spread = (timbres @ weight.T).std(dim=0)
    return spread.clamp_min(plan.least_spread * float(spread.mean()))


class Descent:
    """Fits a speaker to a target."""

    def __init__(
        self, decoder: Decoder, styles: np.ndarray, target: Target, plan: Plan, seed: int, network: Any
    ) -> None:
        self.decoder, self.target, self.plan, self.network = decoder, target, plan, network
        self.device = next(decoder.parameters()).device
        self.speaker = Speaker(decoder, styles, plan)
        self.optimizer = torch.optim.Adam(
            [
                {"params": [self.speaker.own], "lr": plan.rate, "full": plan.rate},
                {"params": [self.speaker.common], "lr": plan.style_rate, "full": plan.style_rate},
            ],
            betas=(0.8, 0.99),
        )
        self.seed = seed
        self.order = np.random.default_rng(seed)
        self.step = 0
        self.best = float("inf")
        self.best_numbers = self._numbers()
        self.best_similarity = 0.0

    def rehearse(self, phrase: Phrase, style: np.ndarray, mix: SourceMix) -> Rehearsal:
        """Prepare a phrase; `style` (256,) is the row that it is spoken in."""
        spectrum = source_spectrum(phrase.pitch, mix.weight, mix.bias)
        parts = [phrase.text, phrase.pitch, phrase.energy, spectrum, style[:STYLE]]
        inputs = [torch.from_numpy(np.ascontiguousarray(part)).float().to(self.device) for part in parts]
        text, pitch, energy, source, timbre = inputs
        with torch.no_grad():
            plain = fit_target.log_mel(self.decoder(text, pitch, energy, timbre, source))
        return Rehearsal(text, pitch, energy, source, timbre, plain)

    def run(
        self,
        training: Sequence[Rehearsal],
        held_out: Sequence[Rehearsal],
        progress: Progress,
        keep: Path | None,
    ) -> None:
        """Descend to the end of the plan, then return to the best numbers seen."""
        held_out = [self._middle(item) for item in held_out]
        self.plain_mean = torch.stack([self._statistics(item.plain)[0] for item in training]).mean(dim=0)
        while self.step < self.plan.steps:
            if self.step % self.plan.check_every == 0:
                self._check(held_out)
                if keep is not None:
                    self._keep(keep)
            progress("fit", self.step, self.plan.steps, f"steps, similarity {self.best_similarity:.2f}")
            self._descend(self._next(training))
        self._check(held_out)
        self._restore(self.best_numbers)
        self.speaker.apply_to_decoder()
        progress("fit", self.step, self.plan.steps, f"steps, similarity {self.best_similarity:.2f}")

    def resume(self, file: Path) -> None:
        """Go on where the state in `file` was taken, if there is one."""
        if not file.exists():
            return
        try:
            state = torch.load(file, weights_only=True)
            same = state["fit"] == self._fingerprint()
        except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
            raise ModelFileError(f"{file}: not the state of a fit; delete it to start anew") from error
        if not same:
            raise ModelFileError(f"{file}: the state of another speaker's fit; delete it to start anew")
        self.order.bit_generator.state = state["order"]
        self.step, self.best = state["step"], state["best"]
        self.best_numbers, self.best_similarity = state["best_numbers"], state["best_similarity"]
        self._restore(state["numbers"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _keep(self, file: Path) -> None:
        """Write what `resume` needs; a kill at any moment leaves the old file or the new one."""
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(file.name + ".part")
        state = {
            "fit": self._fingerprint(),
            "step": self.step,
            "order": self.order.bit_generator.state,
            "numbers": self._numbers(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "best_numbers": self.best_numbers,
            "best_similarity": self.best_similarity,
        }
        torch.save(state, temporary)
        os.replace(temporary, file)

    def _fingerprint(self) -> str:
        """Of what must be the same for a resumed fit to end as an unbroken one."""
        facts = f"{self.plan} {self.seed}".encode() + np.round(self.target.centroid, 3).tobytes()
        return hashlib.sha256(facts).hexdigest()

    def _next(self, training: Sequence[Rehearsal]) -> Rehearsal:
        """A stretch of one of the phrases."""
        item = training[int(self.order.integers(len(training)))]
        start = int(self.order.integers(max(1, item.frames - self.plan.stretch + 1)))
        return item.part(start, self.plan.stretch)

    def _descend(self, item: Rehearsal) -> None:
        share = self.step / self.plan.steps
        for group in self.optimizer.param_groups:
            group["lr"] = group["full"] * min(1.0, (self.step + 1) / 5) * (0.05 + 0.95 * (1 - share))
        self.speaker.apply_to_decoder()
        loss, _ = self.loss(item)
        self.optimizer.zero_grad()
        (loss + self.plan.prior * self.speaker.prior()).backward()
        self.optimizer.step()
        self.step += 1

    def _middle(self, item: Rehearsal) -> Rehearsal:
        return item.part(max(0, (item.frames - self.plan.stretch) // 2), self.plan.stretch)

    def _check(self, held_out: Sequence[Rehearsal]) -> None:
        with torch.no_grad():
            self.speaker.apply_to_decoder()
            found = [self.loss(item) for item in held_out]
            loss = float(np.mean([float(loss) for loss, _ in found]))
        if loss < self.best:
            self.best, self.best_numbers = loss, self._numbers()
            self.best_similarity = float(np.mean([similarity for _, similarity in found]))

    def loss(self, item: Rehearsal) -> tuple[Tensor, float]:
        """How far the sound is from the speaker, and its GE2E similarity."""
        wave = self.decoder(item.text, item.pitch, item.energy, item.style, item.source)
        loss, similarity = self._unlikeness(wave)
        mel = fit_target.log_mel(wave)
        loss = loss + self.plan.statistics * self._statistics_distance(mel, item).cpu()
        return loss + self.plan.closeness * _modulation_distance(mel, item.plain).cpu(), similarity

    def _unlikeness(self, wave: Tensor) -> tuple[Tensor, float]:
        """By both encoders, and the GE2E similarity."""
        prepared = fit_target.as_encoders_hear(wave)
        windows = fit_target.ge2e_windows(prepared, self.network)
        centroid = torch.from_numpy(self.target.centroid)
        each = (windows @ centroid).mean()
        middle = torch.nn.functional.normalize(windows.mean(dim=0), dim=0) @ centroid
        second = campplus.embedding(prepared.cpu(), fit_target.RATE) @ torch.from_numpy(self.target.campplus)
        loss = 0.5 * (1 - each) + 0.5 * (1 - middle) + self.plan.second_encoder * (1 - second)
        return loss, float(middle.detach())

    def _statistics_distance(self, mel: Tensor, item: Rehearsal) -> Tensor:
        """From the references' spectrum, given that this phrase's sounds are not average."""
        mean, spread = self._statistics(mel)
        plain_mean, plain_spread = self._statistics(item.plain)
        wanted = torch.from_numpy(self.target.mel_mean).to(mel) + plain_mean - self.plain_mean
        # Bands of a noisy recording vary less, which is not the voice: stock depth is the least.
        wanted_spread = torch.maximum(torch.from_numpy(self.target.mel_spread).to(mel), plain_spread)
        return (mean - wanted).abs().mean() + 0.5 * (spread - wanted_spread).abs().mean()

    @staticmethod
    def _statistics(mel: Tensor) -> tuple[Tensor, Tensor]:
        return fit_target.speech_statistics(mel[:, fit_target.speech_mask(mel)])

    def _numbers(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.speaker.named_parameters()}

    def _restore(self, numbers: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in self.speaker.named_parameters():
                value.copy_(numbers[name])


def _modulation_distance(mel: Tensor, plain: Tensor) -> Tensor:
    """How the bands rise and fall over time must stay, for it is what is said; their level and depth are the
    voice's.
    """
    return (_standard(mel) - _standard(plain)).abs().mean()


def _standard(mel: Tensor) -> Tensor:
    return (mel - mel.mean(dim=1, keepdim=True)) / (mel.std(dim=1, keepdim=True) + 0.1)
