"""From sound to one person's motion: how far and around which resting mouth they move, a linear correction of
the motion codes, and the network itself going on learning for a while.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from voicelip.errors import BadReferenceError
from voicelip.face.crop import PX_PER_IOD
from voicelip.face.points import LIPS
from voicelip.lips.hearing import sounding
from voicelip.lips.motion import (
    MOTION_POINTS,
    WINDOW_COLUMNS,
    MotionBasis,
    closed_mouth,
    lip_gap,
    speaker_amplitude,
)
from voicelip.lips.person import Person, placed
from voicelip.lips.reach import amplitude, prediction_gain
from voicelip.training.adapt_footage import FPS, Footage
from voicelip.training.checkpoint import Averaged
from voicelip.training.clips import PreparedClips
from voicelip.training.motion import MotionExample, MotionLoss, sample

STEPS = 300
SAME_SPEECH_R = 0.4  # a lower correlation over the whole footage: the sound is not this mouth's
MOST_LAG_FRAMES = 5
_RATE = 3e-4
_DECAY = 2.0  # towards the shipped weights, times the rate
_BATCH, _FRAMES = 8, 64
_AVERAGE = 0.98
_EVALUATE_EVERY = 50
_PATIENCE = 3  # evaluations without a better score
_RIDGE = 1000.0  # frames' worth of trust in the shipped network
_LIP_ROWS = [MOTION_POINTS.index(point) for point in LIPS]

Told = Callable[[int, float], bool]  # step and score so far → whether there is time to go on


@dataclass(frozen=True)
class Heard:
    """One stretch: mel `windows` (T, 80, 28), the mouth's `points` (T, 55, 2) in crop px, and `near` (T, 1),
    1 near sound and 0 in digital silence.
    """

    windows: np.ndarray
    mel: np.ndarray
    points: np.ndarray
    near: np.ndarray

    @property
    def closed(self) -> np.ndarray:
        return closed_mouth(self.points)


@dataclass(frozen=True)
class MotionScore:
    """On held-out speech: lip landmark distance (% of the inter-ocular one), Pearson r of the lip gap."""

    lmd: float
    r: float


def heard(data: PreparedClips) -> list[Heard]:
    """The stretches of prepared footage as the motion network hears them."""
    found = []
    for clip in data.clips:
        mel = data.clip_mel(clip)
        points = np.asarray(data.points[clip.span])[:, MOTION_POINTS].astype(np.float64)
        near = sounding(mel, clip.frames)[:, None]
        found.append(Heard(data.windows(clip, WINDOW_COLUMNS), mel, points, near))
    return found


@torch.no_grad()
def codes_of(network: nn.Module, stretch: Heard) -> np.ndarray:
    """(T, K) as the generator has them."""
    network.eval()
    return network(torch.from_numpy(stretch.windows)[None])[0].numpy() * stretch.near


def check_sound(network: nn.Module, footage: Footage, basis: MotionBasis, name: str) -> int:
    """Frames by which the mouth is late; raises BadReferenceError for sound that is not this mouth's."""
    stretches = heard(footage.learned)
    gaps = [(lip_gap(basis.decode(codes_of(network, s))), lip_gap(s.points)) for s in stretches]
    lags = range(-MOST_LAG_FRAMES, MOST_LAG_FRAMES + 1)
    r, _, lag = max((_r_at(gaps, lag), -abs(lag), lag) for lag in lags)
    if r < SAME_SPEECH_R:
        raise BadReferenceError(
            f"{name}: the sound does not go with this mouth (correlation {r:.2f}, at least {SAME_SPEECH_R} "
            "is needed); use a clip in which the person seen is the one heard"
        )
    return lag


def _r_at(gaps: list[tuple[np.ndarray, np.ndarray]], lag: int) -> float:
    values = []
    for predicted, real in gaps:
        frames = len(real) - abs(lag)
        a, b = predicted[max(-lag, 0) :][:frames], real[max(lag, 0) :][:frames]
        values.append((np.corrcoef(a, b)[0, 1] if min(a.std(), b.std()) > 1e-6 else 0.0, frames))
    return float(np.average([r for r, _ in values], weights=[frames for _, frames in values]))


def know(stretches: list[Heard], basis: MotionBasis) -> Person:
    """The person's resting mouth, averaged over stretches, and amplitude."""
    first = stretches[0].closed
    lengths = [len(stretch.points) for stretch in stretches]
    closed = np.average([placed(stretch.closed, first) for stretch in stretches], axis=0, weights=lengths)
    person = Person(1.0, closed)
    offsets = np.concatenate([stretch.points - person.rest(stretch.closed) for stretch in stretches])
    return replace(person, amplitude=speaker_amplitude(offsets) / basis.amplitude)


@dataclass(frozen=True)
class Exam:
    """Held-out speech, each stretch to be said by a mouth that was seen elsewhere in the footage: what the
    resting mouth looks like while it is spoken is not given away.
    """

    pairs: list[tuple[Heard, Heard]]  # seen, to be said

    @classmethod
    def of(cls, seen: list[Heard], held_out: list[Heard]) -> "Exam":
        """Every held-out stretch with one or two of those `seen`."""
        count = len(seen)
        picks = [(k, n) for k in range(len(held_out)) for n in sorted({k % count, (k + count // 2) % count})]
        return cls([(seen[n], held_out[k]) for k, n in picks])

    def base_score(self, network: nn.Module, basis: MotionBasis) -> MotionScore:
        """As the generator does without a profile: amplitude and gain from what is seen."""
        targets = []
        for seen, said in self.pairs:
            offsets = seen.points - seen.closed
            reach = amplitude(offsets, basis)
            own = lip_gap(reach * basis.decode(codes_of(network, seen)))
            gain = prediction_gain(own, lip_gap(offsets))
            targets.append(seen.closed + gain * reach * basis.decode(codes_of(network, said)))
        return self._score(targets)

    def person_score(self, network: nn.Module, person: Person, basis: MotionBasis) -> MotionScore:
        """As the generator does with a profile."""
        return self._score(
            [
                person.rest(seen.closed) + person.amplitude * basis.decode(codes_of(network, said))
                for seen, said in self.pairs
            ]
        )

    def _score(self, targets: list[np.ndarray]) -> MotionScore:
        wanted = np.concatenate(targets)[:, _LIP_ROWS]
        real = np.concatenate([said.points for _, said in self.pairs])[:, _LIP_ROWS]
        distance = np.linalg.norm(placed(wanted, real) - real, axis=-1).mean()
        gaps = [(lip_gap(t), lip_gap(said.points)) for t, (_, said) in zip(targets, self.pairs, strict=True)]
        return MotionScore(float(100 * distance / PX_PER_IOD), _r_at(gaps, 0))


@torch.no_grad()
def correct_linearly(network: nn.Module, examples: list[MotionExample], stretches: list[Heard]) -> None:
    """Ridge regression of the person's codes on those predicted, which shrinks towards leaving them, put into
    the network's last layer.
    """
    predicted = np.concatenate([codes_of(network, stretch) for stretch in stretches])
    wanted = np.concatenate([example.codes for example in examples])
    x = np.concatenate([predicted, np.ones((len(predicted), 1))], axis=1)
    codes = predicted.shape[1]
    price = np.diag([_RIDGE] * codes + [1.0])
    gain = np.linalg.solve(x.T @ x + price, x.T @ (wanted - predicted))
    matrix = torch.from_numpy((np.eye(codes) + gain[:codes]).T.astype(np.float32))
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    last.weight.copy_(matrix @ last.weight)
    last.bias.copy_(matrix @ last.bias + torch.from_numpy(gain[codes].astype(np.float32)))


def lessons(stretches: list[Heard], person: Person, basis: MotionBasis) -> list[MotionExample]:
    """What the network should have said, with the person's amplitude divided out."""
    return [
        MotionExample(
            "person",
            stretch.mel,
            (basis.encode(stretch.points - person.rest(stretch.closed)) / person.amplitude).astype(
                np.float32
            ),
            float(FPS),
        )
        for stretch in stretches
    ]


def learn(
    network: nn.Module, examples: list[MotionExample], basis: MotionBasis, seed: int,
    score: Callable[[nn.Module], float], told: Told,
) -> Iterator[tuple[float, dict[str, torch.Tensor]]]:  # fmt: skip
    """Train `network`; yields score and averaged weights each time they are lower than ever before."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    shares = np.array([len(example.codes) for example in examples], np.float64)
    shipped = [weight.detach().clone() for weight in network.parameters()]
    optimiser = torch.optim.Adam(network.parameters(), _RATE)
    loss, averaged = MotionLoss(basis), Averaged(network, _AVERAGE)
    best, idle = score(network), 0
    for step in range(STEPS):
        rate = _RATE * min(1, (step + 1) / 20) * (0.02 + 0.98 * np.cos(np.pi / 2 * step / STEPS) ** 2)
        optimiser.param_groups[0]["lr"] = rate
        network.train()
        chosen = rng.choice(len(examples), _BATCH, p=shares / shares.sum())
        windows, codes = zip(*(sample(examples[i], _FRAMES, rng) for i in chosen), strict=True)
        optimiser.zero_grad()
        inputs, wanted = (torch.from_numpy(np.stack(part).astype(np.float32)) for part in (windows, codes))
        loss(network(inputs), wanted).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            for weight, origin in zip(network.parameters(), shipped, strict=True):
                weight.lerp_(origin, rate * _DECAY)
        averaged.update(network, step)
        if (step + 1) % _EVALUATE_EVERY == 0:
            now = score(averaged.network)
            idle = 0 if now < best else idle + 1
            if now < best:
                best = now
                yield best, {name: value.clone() for name, value in averaged.network.state_dict().items()}
        if not told(step + 1, best) or idle == _PATIENCE:
            return
