"""People and moments at random: training heads that belong to nobody."""

from __future__ import annotations

import colorsys

import numpy as np

from .clothing import Clothing
from .eyes import Eyes
from .film import Backdrop
from .hair import Hair
from .head import Frame, HeadSpec
from .lighting import Lamp, Light
from .skin import Skin

Colour = tuple[float, float, float]

SKIN_TONES: tuple[Colour, ...] = (
    (232, 186, 164), (226, 176, 152), (214, 162, 132), (198, 146, 112), (176, 122, 88), (146, 96, 68),
    (112, 72, 50), (84, 54, 40),
)  # fmt: skip
HAIR_COLOURS: tuple[Colour, ...] = (
    (28, 22, 20), (44, 32, 26), (78, 50, 34), (112, 76, 48), (158, 116, 72), (196, 160, 108), (128, 62, 34),
    (150, 146, 142),
)  # fmt: skip
IRISES: tuple[tuple[Colour, Colour], ...] = (
    ((74, 48, 32), (110, 72, 42)), ((104, 74, 50), (150, 108, 66)), ((96, 104, 66), (150, 124, 70)),
    ((92, 122, 146), (142, 152, 140)), ((112, 122, 128), (146, 146, 136)),
)  # fmt: skip
# What mouths do in speech and about it: FaceKit weights at full strength.
MOUTHS: tuple[dict[str, float], ...] = (
    {},
    {"jawOpen": 0.18},
    {"jawOpen": 0.38},
    {"jawOpen": 0.62},
    {"jawOpen": 0.16, "mouthFunnel": 0.8},
    {"mouthPucker": 0.85},
    {"jawOpen": 0.10, "mouthStretch": 0.5, "mouthLowerDown": 0.4},
    {"jawOpen": 0.06, "mouthLowerDown": 0.5, "mouthUpperUp": 0.4},
    {"mouthSmile": 0.8},
    {"mouthSmile": 0.75, "jawOpen": 0.12, "mouthUpperUp": 0.45, "mouthLowerDown": 0.3},
    {"mouthRollLower": 0.8, "mouthUpperUp": 0.25, "jawOpen": 0.05},
    {"mouthRollLower": 0.4, "mouthRollUpper": 0.4, "mouthPress": 0.3},
    {"jawOpen": 0.30, "mouthClose": 0.20, "mouthShrugLower": 0.3},
)
SIDELESS = {"jawOpen", "mouthFunnel", "mouthPucker", "mouthClose", "mouthRollLower", "mouthRollUpper",
            "mouthShrugLower", "mouthShrugUpper"}  # fmt: skip


def random_spec(rng: np.random.Generator) -> HeadSpec:
    """A person in a studio; the same generator state gives the same person."""
    feminine = bool(rng.random() < 0.5)
    tone = SKIN_TONES[rng.integers(len(SKIN_TONES))]
    shade = float(np.mean(tone)) / 200
    hair_colour = HAIR_COLOURS[rng.integers(len(HAIR_COLOURS) if shade > 0.75 else 3)]
    brows = (0.75 * hair_colour[0], 0.75 * hair_colour[1], 0.75 * hair_colour[2])
    style = str(rng.choice(["long", "long", "cap", "none"] if feminine else ["cap", "none", "none", "none"]))
    return HeadSpec(
        identity=_identity(rng, feminine),
        skin=_skin(rng, feminine, tone, brows, style),
        eyes=_eyes(rng, shade),
        hair=_hair(rng, style, hair_colour),
        clothing=Clothing(_dye(rng), float(rng.uniform(-11.8, -10.4)), rib=float(rng.uniform(0, 0.2))),
        teeth=_jitter(rng, (224, 212, 192), 0.06),
        slim_neck=float(rng.uniform(0.08, 0.18)) if feminine else float(rng.uniform(-0.02, 0.06)),
        light=random_light(rng),
        exposure=float(rng.uniform(0.85, 1.2) / (0.35 + 0.65 * min(shade, 1.0))),
        backdrop=Backdrop(*(_dye(rng, 0.25) for _ in range(3))),
    )  # fmt: skip


def random_frame(rng: np.random.Generator) -> Frame:
    """A moment: a mouth, eyes, brows, a turn of the head, a framing."""
    expression: dict[str, float] = {}
    first, second = rng.integers(len(MOUTHS), size=2)
    blend = rng.random() ** 2
    for mouth, share in ((MOUTHS[first], 1 - blend), (MOUTHS[second], blend)):
        for name, weight in mouth.items():
            for full in (name,) if name in SIDELESS else (f"{name}_L", f"{name}_R"):
                expression[full] = expression.get(full, 0.0) + share * weight * float(rng.uniform(0.7, 1.15))
    for name, top in (("browInnerUp", 0.5), ("browDown", 0.5), ("cheekSquint", 0.4), ("eyeSquint", 0.4)):
        weight = float(top * rng.random() ** 2)
        expression[f"{name}_L"], expression[f"{name}_R"] = weight, weight
    blink = float(rng.choice([0.0, 0.0, 0.0, 0.4, 1.0]))
    expression["eyeBlink_L"] = expression["eyeBlink_R"] = blink
    expression["mouthLeft"] = float(max(rng.normal(0, 0.08), 0))
    return Frame(
        expression=expression,
        yaw=float(rng.normal(0, 0.22)), pitch=float(rng.normal(0, 0.12)), roll=float(rng.normal(0, 0.07)),
        frame_height=float(rng.uniform(28, 38)),
        centre=(float(rng.normal(0, 1)), float(rng.normal(0, 1))),
    )  # fmt: skip


def random_light(rng: np.random.Generator) -> Light:
    """A key from somewhere in front, a weaker fill opposite, sometimes rims, an ambient of any tint."""
    side = float(rng.choice([-1, 1]))
    turn, lift = rng.uniform(0.1, 1.1) * side, rng.uniform(0.05, 0.9)
    warmth = rng.uniform(-0.12, 0.16)
    key = rng.uniform(3.5, 7.5)
    lamps = [
        Lamp((float(np.sin(turn)), float(np.tan(lift)), float(np.cos(turn))),
             _tinted(key, warmth), float(rng.uniform(4, 14))),
        Lamp((float(-np.sin(turn)), 0.15, 0.7), _tinted(key * rng.uniform(0.1, 0.5), -warmth), 4.0),
    ]  # fmt: skip
    for rim in (-1.0, 1.0):
        if rng.random() < 0.5:
            lamps.append(Lamp((rim * 0.8, 0.4, -0.7), _tinted(rng.uniform(1, 5), rng.normal(0, 0.1)), 8.0))
    ambient = rng.uniform(0.3, 1.1)
    return Light(tuple(lamps), _tinted(ambient, rng.normal(-0.03, 0.06)), _tinted(ambient * 0.6, 0.08))


def _identity(rng: np.random.Generator, feminine: bool) -> tuple[float, ...]:
    coefficients = rng.normal(0, 0.85, 60)
    # The first component is size: women of the scans are mostly on its positive side.
    coefficients[0] = rng.normal(0.8 if feminine else -0.5, 0.6)
    return tuple(float(c) for c in np.clip(coefficients, -2, 2))


def _skin(rng: np.random.Generator, feminine: bool, tone: Colour, brows: Colour, style: str) -> Skin:
    shade = float(np.mean(tone)) / 200
    natural = (min(tone[0] * 0.90 + 4, 255), tone[1] * 0.68, tone[2] * 0.72)
    lips = _jitter(rng, (196, 84, 88) if feminine and rng.random() < 0.25 else natural, 0.06)
    freckled = shade > 0.8 and rng.random() < 0.25
    return Skin(
        tone=_jitter(rng, tone, 0.04), lips=lips, lip_gloss=float(rng.uniform(0.35, 0.7)),
        blush=float(rng.uniform(0.2, 0.8)), freckles=float(rng.uniform(0.3, 1)) if freckled else 0.0,
        stubble=0.0 if feminine else float(rng.choice([0.0, 0.25, 0.5, 0.9])),
        scalp=float(rng.choice([0.25, 0.8, 0.9, 0.95])) if style == "none" else 0.7,
        brows=brows, brow_density=float(rng.uniform(0.6, 1.1) if feminine else rng.uniform(0.9, 1.5)),
        brow_height=float(rng.normal(-0.15, 0.12)), brow_arch=float(rng.normal(0, 0.1)),
        eyeliner=float(rng.uniform(0.2, 0.7) if feminine else 0.15), seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _eyes(rng: np.random.Generator, shade: float) -> Eyes:
    iris, inner = IRISES[rng.integers(len(IRISES) if shade > 0.75 else 2)]
    return Eyes(
        iris=_jitter(rng, iris, 0.08), inner=_jitter(rng, inner, 0.08),
        iris_radius=float(rng.uniform(0.385, 0.42)), pupil_radius=float(rng.uniform(0.12, 0.2)),
        redness=float(rng.uniform(0.3, 0.8)), seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _hair(rng: np.random.Generator, style: str, colour: Colour) -> Hair:
    return Hair(
        style=style, colour=colour, cap_colour=_dye(rng), length=float(rng.uniform(-17, -7)),
        part=float(rng.uniform(-3, 3)), volume=float(rng.uniform(0.7, 1.6)), frame=float(rng.uniform(50, 66)),
        wave=float(rng.uniform(0.1, 0.6)), strands=3600, seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _jitter(rng: np.random.Generator, colour: Colour, amount: float) -> Colour:
    gain = 1 + rng.normal(0, amount) + rng.normal(0, amount / 3, 3)
    red, green, blue = np.clip(np.array(colour) * gain, 0, 255)
    return float(red), float(green), float(blue)


def _dye(rng: np.random.Generator, saturation: float = 0.55) -> Colour:
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.random() * saturation, rng.uniform(0.15, 0.9))
    return rgb[0] * 255, rgb[1] * 255, rgb[2] * 255


def _tinted(level: float, warmth: float) -> Colour:
    return float(level * (1 + warmth)), float(level), float(level * (1 - warmth))
