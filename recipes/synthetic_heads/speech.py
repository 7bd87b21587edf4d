"""Mouths in speech: FaceKit weights for the shapes of sounds, varied as people vary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Weights = dict[str, float]


@dataclass(frozen=True)
class MouthShape:
    """Weights by FaceKit name, the tongue as in `Frame`, and `seal_cm`: gaps up to this close."""

    weights: Weights
    tongue: tuple[float, float] = (0.0, 0.0)
    seal_cm: float = 0.0


@dataclass(frozen=True)
class Manner:
    """How one person speaks."""

    strength: float = 1.0
    lopsided: float = 0.0  # share by which the image's left side does more
    smile: float = 0.0
    shift: float = 0.0  # of the mouth, to the image's right
    teeth: float = 0.0  # how readily they show

    @classmethod
    def random(cls, rng: np.random.Generator) -> Manner:
        return cls(
            strength=float(rng.uniform(0.5, 1.1)),
            lopsided=float(rng.normal(0, 0.12)),
            smile=float(max(rng.normal(0.03, 0.12), -0.15)),
            shift=float(rng.normal(0, 0.06)),
            teeth=float(max(rng.normal(0, 0.12), 0)),
        )


def closed(rng: np.random.Generator) -> MouthShape:
    """m, b, p and rest: lips together, the jaw a little lower behind them at times."""
    jaw = float(rng.choice([0.0, rng.uniform(0, 0.14)]))
    weights = {"jawOpen": jaw, "mouthClose": jaw}
    kind = rng.integers(5)
    if kind == 1:
        weights["mouthPress"] = rng.uniform(0.1, 0.5)
    elif kind == 2:
        weights["mouthSmile"] = rng.uniform(0.1, 0.6)
    elif kind == 3:
        weights["mouthRollLower"] = weights["mouthRollUpper"] = rng.uniform(0.1, 0.5)
    elif kind == 4:
        weights["mouthPucker"] = rng.uniform(0.1, 0.6)
    return MouthShape(weights, seal_cm=0.4)


def parted(rng: np.random.Generator) -> MouthShape:
    """Between sounds."""
    return MouthShape({"jawOpen": rng.uniform(0.03, 0.13), "mouthLowerDown": rng.uniform(0, 0.25),
                       "mouthUpperUp": rng.uniform(0, 0.2)})  # fmt: skip


def open_vowel(rng: np.random.Generator) -> MouthShape:
    """a, o: the jaw falls."""
    return MouthShape(
        {"jawOpen": rng.uniform(0.14, 0.42), "mouthStretch": rng.uniform(0, 0.35),
         "mouthFunnel": rng.uniform(0, 0.35), "mouthLowerDown": rng.uniform(0, 0.4),
         "mouthUpperUp": rng.uniform(0, 0.4)},
        tongue=(rng.uniform(-0.1, 0.3), 0.0),
    )  # fmt: skip


def wide_vowel(rng: np.random.Generator) -> MouthShape:
    """e, i, s: teeth show."""
    return MouthShape(
        {"jawOpen": rng.uniform(0.02, 0.16), "mouthStretch": rng.uniform(0.1, 0.6),
         "mouthSmile": rng.uniform(0, 0.5), "mouthLowerDown": rng.uniform(0.2, 0.65),
         "mouthUpperUp": rng.uniform(0.1, 0.55)},
        tongue=(rng.uniform(0.1, 0.6), 0.0),
    )  # fmt: skip


def round_vowel(rng: np.random.Generator) -> MouthShape:
    """u, w."""
    funnel = rng.uniform(0.1, 0.9)
    return MouthShape({"jawOpen": rng.uniform(0.04, 0.22), "mouthFunnel": funnel,
                       "mouthPucker": rng.uniform(0.1, 0.9) * (1 - 0.6 * funnel)})  # fmt: skip


def lip_to_teeth(rng: np.random.Generator) -> MouthShape:
    """f, v."""
    return MouthShape(
        {"jawOpen": rng.uniform(0.03, 0.08), "mouthRollLower": rng.uniform(0.3, 0.7),
         "mouthUpperUp": rng.uniform(0.2, 0.5), "mouthLowerDown": rng.uniform(0, 0.15)},
    )  # fmt: skip


def tongue_up(rng: np.random.Generator) -> MouthShape:
    """l, n, d, t."""
    return MouthShape(
        {"jawOpen": rng.uniform(0.1, 0.26), "mouthStretch": rng.uniform(0, 0.3),
         "mouthLowerDown": rng.uniform(0.1, 0.4), "mouthUpperUp": rng.uniform(0.1, 0.4)},
        tongue=(rng.uniform(0.6, 1.3), rng.uniform(0, 0.35)),
    )  # fmt: skip


def tongue_between(rng: np.random.Generator) -> MouthShape:
    """th."""
    return MouthShape(
        {"jawOpen": rng.uniform(0.09, 0.15), "mouthLowerDown": rng.uniform(0.1, 0.3),
         "mouthUpperUp": rng.uniform(0.1, 0.35)},
        tongue=(rng.uniform(0.45, 0.65), rng.uniform(0.7, 1.0)),
    )  # fmt: skip


def teeth_rounded(rng: np.random.Generator) -> MouthShape:
    """sh, ch."""
    return MouthShape(
        {"jawOpen": rng.uniform(0.04, 0.12), "mouthFunnel": rng.uniform(0.4, 0.8),
         "mouthUpperUp": rng.uniform(0.1, 0.4), "mouthLowerDown": rng.uniform(0.1, 0.45)},
    )  # fmt: skip


def laugh(rng: np.random.Generator) -> MouthShape:
    return MouthShape({"jawOpen": rng.uniform(0.1, 0.5), "mouthSmile": rng.uniform(0.4, 0.9),
                       "mouthUpperUp": rng.uniform(0.1, 0.5), "mouthLowerDown": rng.uniform(0, 0.3),
                       "cheekSquint": rng.uniform(0.2, 0.7)})  # fmt: skip


Sound = Callable[[np.random.Generator], MouthShape]
# Every person shows all of these, in this proportion, so that nobody lacks a closed or an open mouth.
SOUNDS: tuple[Sound, ...] = (
    closed, open_vowel, wide_vowel, parted, closed, round_vowel, tongue_up, wide_vowel,
    closed, open_vowel, lip_to_teeth, laugh, closed, teeth_rounded, tongue_between, parted,
)  # fmt: skip
_SIDED = {"mouthStretch", "mouthLowerDown", "mouthUpperUp", "mouthSmile", "mouthPress", "cheekSquint"}


def mouths(count: int, manner: Manner, rng: np.random.Generator) -> list[MouthShape]:
    """`count` mouths of one person in random order."""
    sounds = [SOUNDS[i % len(SOUNDS)] for i in range(count)]
    return [_spoken(sounds[i](rng), manner, rng) for i in rng.permutation(count)]


def _spoken(shape: MouthShape, manner: Manner, rng: np.random.Generator) -> MouthShape:
    """The shape as this person makes it, FaceKit's two-sided names written out."""
    strength = 1.0 if shape.seal_cm else manner.strength * rng.uniform(0.85, 1.15)
    combined = {name: float(weight) * strength for name, weight in shape.weights.items()}
    combined["mouthSmile"] = combined.get("mouthSmile", 0.0) + manner.smile
    if not shape.seal_cm:
        for name in ("mouthUpperUp", "mouthLowerDown"):
            combined[name] = combined.get(name, 0.0) + manner.teeth
    weights: Weights = {"mouthRight": max(-manner.shift, 0.0), "mouthLeft": max(manner.shift, 0.0)}
    for name, weight in combined.items():
        if name in _SIDED:
            lean = manner.lopsided + rng.normal(0, 0.04)
            weights[f"{name}_R"], weights[f"{name}_L"] = weight * (1 + lean), weight * (1 - lean)
        else:
            weights[name] = weight
    return MouthShape(weights, (float(shape.tongue[0]), float(shape.tongue[1])), shape.seal_cm)
