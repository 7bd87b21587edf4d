"""Signs of synthesis in files whose credentials are gone: what each one is, and how far to trust it."""

import math
from dataclasses import dataclass
from pathlib import Path

from voicelip.trust import detect_container, detect_learned, detect_movement, detect_seam, detect_texture
from voicelip.trust.evidence import FaceEvidence

_SHORTEST_S, _SHORTEST_FOR_BLINKS_S = 2.0, 10.0  # of a face, to judge its movement by
_FLICKER, _SHARPNESS, _COLOUR, _SEAM = 0.33, 0.17, 9.5, 1.45
_LEARNED = 0.97  # what the network says of no recorded clip it was judged on
_STILL = 0.2  # % of the distance of the eyes
_IN_STEP, _SLACK_S, _OUT_OF_STEP_S = 0.6, 0.045, 0.1
_FEW_BLINKS = 2.0

# Measured by recipes/train_detector.py and on its clips: 115 recorded ones, and as many of each kind of fake.
_ERROR = {
    "learned": "seen in none of 48 recorded clips of unknown people, in 17 of 48 enlarged mouths; "
    "voicelip's own are not told apart",
    "flicker": "seen in 3 % of recorded mouths, 18 % of enlarged ones, 4 % of voicelip's",
    "sharpness": "seen in 5 % of recorded mouths, 16 % of enlarged ones, 5 % of voicelip's",
    "colour": "no better than chance: seen in 3 % of recorded mouths, 3 % of others",
    "seam": "no better than chance: seen in 2 % of recorded mouths, 2 % of others",
    "head": "seen in none of 42 recorded clips; a photograph that is filmed has it too",
    "lips and sound": "seen in none of 42 recorded clips, in 81 % with another's sound; dubbing has it too",
    "blinks": "many people blink less for some seconds",
}


@dataclass(frozen=True)
class Signal:
    """One thing that was looked for.

    `score` is 0 (as in recorded media) to 1; 0.5 and above counts as seen. `counts` is false for what is told
    without being held against a file. `error` says how often it is wrong, as measured (docs/trust.md).
    """

    name: str
    score: float
    meaning: str
    error: str
    counts: bool = False

    @property
    def is_seen(self) -> bool:
        return self.score >= 0.5

    @property
    def is_sign(self) -> bool:
        """Whether it makes a file suspicious."""
        return self.counts and self.is_seen

    @property
    def line(self) -> str:
        """Such as `learned detector: 0.93, the mouth looks regenerated (…)`."""
        return f"{self.name}: {self.score:.2f}, {self.meaning} ({self.error})"


def judge(path: Path, face: FaceEvidence | None) -> tuple[Signal, ...]:
    """All signals of a file; those of the face where one could be followed."""
    signals = [_history(path)]
    if face is not None:
        seconds = len(face.points) / face.fps
        signals += [_learned(face), _flicker(face), _sharpness(face), _colour(face), _seam(face)]
        signals += [_head(face)] if seconds >= _SHORTEST_S else []
        signals += _lips_and_sound(face) if seconds >= _SHORTEST_S else []
        signals += [_blinks(face)] if seconds >= _SHORTEST_FOR_BLINKS_S else []
    return tuple(signals)


def _graded(value: float, half: float, width: float) -> float:
    """0 to 1, 0.5 at `half`; rising with the value where `width` is positive, else falling."""
    return round(1 / (1 + math.exp(-max(-50.0, min(50.0, (value - half) / width)))), 3)


def _history(path: Path) -> Signal:
    past = detect_container.history(path)
    twice = ", encoded at least twice" if past.times_encoded > 1 else ""
    score = 0.4 if past.is_edited else 0.0
    return Signal("file", score, past.text + twice, "easily forged and lost; proves nothing by itself")


def _learned(face: FaceEvidence) -> Signal:
    sure = detect_learned.regenerated(face)
    score = 0.5 * sure / _LEARNED if sure < _LEARNED else 0.5 + 0.5 * (sure - _LEARNED) / (1 - _LEARNED)
    said = "it looks drawn small and pasted" if score >= 0.5 else "it does not look drawn small and pasted"
    return Signal("mouth, learned detector", round(score, 3), said, _ERROR["learned"], counts=True)


def _flicker(face: FaceEvidence) -> Signal:
    value = detect_texture.flicker(face)
    said = "has less noise than" if value < _FLICKER else "is as noisy as"
    meaning = f"it {said} mouths have beside their faces"
    return Signal("mouth, noise", _graded(value, _FLICKER, -0.06), meaning, _ERROR["flicker"])


def _sharpness(face: FaceEvidence) -> Signal:
    value = detect_texture.sharpness(face)
    said = "softer than" if value < _SHARPNESS else "as sharp as"
    meaning = f"it is {said} mouths are beside their faces"
    return Signal("mouth, sharpness", _graded(value, _SHARPNESS, -0.1), meaning, _ERROR["sharpness"])


def _colour(face: FaceEvidence) -> Signal:
    value = detect_texture.colour(face)
    meaning = f"the skin around the lips is {value:.1f} CIELAB units off that of the cheeks"
    return Signal("mouth, colour", _graded(value, _COLOUR, 1.0), meaning, _ERROR["colour"])


def _seam(face: FaceEvidence) -> Signal:
    value = detect_seam.seam(face)
    said = "a straight line runs" if value > _SEAM else "no straight line runs"
    return Signal("mouth, seam", _graded(value, _SEAM, 0.15), f"{said} around it", _ERROR["seam"])


def _head(face: FaceEvidence) -> Signal:
    value = detect_movement.head_movement(face)
    said = "stands still, as a photograph" if value < _STILL else "moves"
    return Signal("head", _graded(value, _STILL, -0.05), f"it {said}", _ERROR["head"], counts=True)


def _lips_and_sound(face: FaceEvidence) -> list[Signal]:
    found = detect_movement.synchrony(face)
    if found is None:
        return []
    late = f"{abs(found.lag_s) * 1000:.0f} ms {'late' if found.lag_s > 0 else 'early'}"
    if found.r < _IN_STEP:
        said = "lips do not go with the sound: one of them may come from elsewhere"
    else:
        said = "lips go with the sound" + (f", {late}" if abs(found.lag_s) > _SLACK_S else "")
    score = max(_graded(found.r, _IN_STEP, -0.08), _graded(abs(found.lag_s), _OUT_OF_STEP_S, 0.03))
    return [Signal("lips and sound", score, said, _ERROR["lips and sound"])]


def _blinks(face: FaceEvidence) -> Signal:
    value = detect_movement.blinks_per_minute(face)
    score = 0.5 if value < _FEW_BLINKS else 0.0
    return Signal(
        "blinks", score, f"{value:.0f} a minute; people at rest blink 10 to 20 times", _ERROR["blinks"]
    )
