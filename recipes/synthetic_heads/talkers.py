"""Talking people at random, for close-ups of their mouths: who they are, their light, their takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .film import BRIGHTEST, FILM
from .head import HeadSpec
from .inner_mouth import InnerMouth
from .lighting import WRAP, Lamp, Light, irradiance, sphere_directions
from .mesh import normalised
from .motion import sway
from .people import random_light, random_spec
from .skin import Skin
from .speech import Manner, mouths
from .textures import linear
from .view import Frame

_FACING = normalised(np.array([[0, 0, 1], [-0.5, 0, 0.85], [0.5, 0, 0.85], [0, -0.4, 0.9]], np.float32))
_EXPOSURE = 0.40  # what the renderer multiplies light by


def random_talker(rng: np.random.Generator) -> HeadSpec:
    """A person in their light; the same generator state gives the same person."""
    spec = random_spec(rng)
    hairy = spec.hair.style == "long" and rng.random() < 0.6
    hair = replace(spec.hair, style="long" if hairy else "none", strands=1800, skull_rows=45)
    light = _light(rng)
    skin = _skin(spec.skin, rng)
    return replace(
        spec, skin=skin, hair=hair, light=light, mouth=_inner_mouth(rng), teeth=_enamel(rng),
        exposure=_exposure(light, skin, rng), rest=_rest(rng),
        clothing=replace(spec.clothing, collar=float(rng.uniform(-13.5, -10.2))),
    )  # fmt: skip


def takes(count: int, rng: np.random.Generator) -> list[Frame]:
    """Frames of one talker: head and camera move little and smoothly, the mouth as it likes."""
    manner = Manner.random(rng)
    still = float(rng.uniform(0.15, 1.0))
    yaw, pitch, roll = (float(rng.normal(*spread)) for spread in ((0, 0.17), (0.05, 0.10), (0, 0.04)))
    turns, nods, tilts = (still * sway(count, rng, 3) for _ in range(3))
    x, y = still * sway(count, rng, 2), still * sway(count, rng, 2)
    distance = float(np.exp(rng.uniform(np.log(45), np.log(160))))
    return [
        Frame(
            expression=mouth.weights, tongue=mouth.tongue, seal_cm=mouth.seal_cm,
            yaw=yaw + float(0.07 * turns[i]), pitch=pitch + float(0.05 * nods[i]),
            roll=roll + float(0.03 * tilts[i]), shift=(float(0.3 * x[i]), float(0.2 * y[i]), 0.0),
            distance=distance,
        )
        for i, mouth in enumerate(mouths(count, manner, rng))
    ]  # fmt: skip


def _light(rng: np.random.Generator) -> Light:
    """Studio, window or ceiling; or light from everywhere, as most video calls have it."""
    if rng.random() < 0.7:
        return random_light(rng)
    level, warmth = rng.uniform(0.5, 1.6), rng.normal(0, 0.07)
    sky = level * np.array([1 + warmth, 1, 1 - warmth])
    floor = sky * rng.uniform(0.25, 0.8)
    turn, lift = rng.normal(0, 0.5), rng.uniform(0.1, 1.2)
    key = rng.uniform(1.5, 5.0) * np.array([1 + warmth / 2, 1, 1 - warmth / 2])
    lamp = Lamp((float(np.sin(turn)), float(np.tan(lift)), float(np.cos(turn))),
                (float(key[0]), float(key[1]), float(key[2])), float(rng.uniform(1.5, 8)))  # fmt: skip
    return Light((lamp,), (float(sky[0]), float(sky[1]), float(sky[2])),
                 (float(floor[0]), float(floor[1]), float(floor[2])))  # fmt: skip


def _exposure(light: Light, skin: Skin, rng: np.random.Generator) -> float:
    """As a camera's automatic sets it: skin as bright as its tone asks for, give or take."""
    directions = sphere_directions(200)
    seen = np.ones((len(directions), len(_FACING)), np.float32)
    level = irradiance(_FACING, seen, directions, light.radiance(directions), WRAP).mean()
    albedo = float(linear(*skin.tone).mean())
    bright = np.clip(0.34 + 0.55 * np.sqrt(albedo) + rng.normal(0, 0.06), 0.28, 0.78)
    wanted = BRIGHTEST * (np.interp(bright, FILM, np.linspace(0, 1, len(FILM)))) ** 2
    return float(wanted / (albedo * level * _EXPOSURE))


def _skin(skin: Skin, rng: np.random.Generator) -> Skin:
    is_shaven = skin.stubble == 0
    grown = not is_shaven and rng.random() < 0.4
    beard = float(rng.choice([0.0, rng.uniform(0.4, 1.0)])) if grown else 0.0
    moustache = float(rng.choice([0.0, rng.uniform(0.4, 1.0)], p=[0.2, 0.8])) if grown else 0.0
    return replace(
        skin, beard=beard, moustache=moustache, stubble=skin.stubble * float(rng.uniform(0.3, 1.0)),
        folds=float(rng.choice([0.0, rng.uniform(0.1, 1.0)], p=[0.35, 0.65])),
        moles=int(rng.choice([0, 0, 0, 1, 2, 3])),
        blotchy=float(rng.uniform(0.6, 2.2)),
        lip_gloss=float(rng.uniform(0.2, 0.55)), brow_density=0.0,  # out of the picture
    )  # fmt: skip


def _enamel(rng: np.random.Generator) -> tuple[float, float, float]:
    yellow, dark = rng.uniform(0, 1) ** 1.5, rng.uniform(0.86, 1.0)
    red, green, blue = dark * np.array([204 - 6 * yellow, 195 - 18 * yellow, 181 - 36 * yellow])
    return float(red), float(green), float(blue)


def _inner_mouth(rng: np.random.Generator) -> InnerMouth:
    pale = rng.uniform(0.8, 1.15)
    return InnerMouth(
        teeth_width=float(rng.choice([1.0, rng.uniform(0.95, 1.02)])),
        teeth_length=float(rng.uniform(0.85, 1.08)),
        crooked=float(rng.choice([0.01, rng.uniform(0.01, 0.07)])),
        uneven=float(rng.uniform(0.01, 0.09)),
        missing=int(rng.integers(32)) if rng.random() < 0.08 else -1,
        rooted=float(rng.uniform(0.05, 0.3)),
        recessed=float(rng.uniform(-0.02, 0.28)),
        lowered=float(rng.uniform(-0.12, 0.15)),
        gums=(168 * pale, 84 * pale, 84 * pale),
        tongue=(float(rng.uniform(160, 196)), float(rng.uniform(84, 112)), float(rng.uniform(84, 112))),
        seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _rest(rng: np.random.Generator) -> tuple[tuple[str, float], ...]:
    """What a face does all the time, and what of its build the identity space lacks."""
    puff, frown = float(max(rng.normal(0, 0.15), 0)), float(max(rng.normal(0, 0.12), 0))
    return (
        ("cheekPuff_L", puff), ("cheekPuff_R", puff), ("mouthFrown_L", frown), ("mouthFrown_R", frown),
        ("jawForward", float(rng.normal(0, 0.12))), ("jawLeft", float(max(rng.normal(0, 0.05), 0))),
    )  # fmt: skip
