"""A voice profile: all that is kept of a person's voice, and nothing that they said.

A profile is a folder with `profile.json`, which says where the voice came from, and `voice.safetensors`,
which holds its numbers. Both are read as data: nothing in them is run, and sizes and shapes are checked.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import ProfileError
from voicelip.speech.engine import Voice
from voicelip.speech.finish import Target
from voicelip.speech.pitch import Pitch

FORMAT = 1
FACTS, NUMBERS = "profile.json", "voice.safetensors"
LARGEST_FACTS, LARGEST_NUMBERS = 1 << 20, 64 << 20  # bytes
KEPT = re.compile(r"reference-\d{1,4}\.flac")
OVERRIDE = "override/"
STYLE_SHAPES = ((256,), (510, 256))


@dataclass(frozen=True)
class Origin:
    """One recording that a voice was taken from; `file` is its name without the folder."""

    file: str
    sha256: str
    duration_s: float
    speech_s: float
    findings: tuple[str, ...] = ()
    kept: str | None = None  # the cleaned recording inside the profile, if it was asked for


@dataclass(frozen=True)
class Profile:
    """A voice as it is kept. Arrays are float32."""

    name: str
    created: str  # ISO 8601, UTC
    voicelip: str  # version that made it
    lang: str | None
    origins: tuple[Origin, ...]
    embedding: np.ndarray = field(compare=False)  # (256,) GE2E, length 1
    windows: np.ndarray = field(compare=False)  # (P, 256) GE2E of stretches of 1.6 s
    mixture: tuple[tuple[str, float], ...]
    campplus: np.ndarray | None = field(default=None, compare=False)  # (192,); older profiles have none
    pitch: Pitch | None = None
    syllables_per_s: float | None = None
    spectrum: np.ndarray | None = field(default=None, compare=False)  # (B,) dB, see finish.py
    style: np.ndarray | None = field(default=None, compare=False)  # (510, 256) or (256,)
    overrides: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)
    pace: float = 1.0
    fit: Mapping[str, Any] | None = None  # mode, seed and scores; None if it was not fitted
    consents: tuple[str, ...] = ()  # ids of the records under which it was made

    @property
    def seconds(self) -> float:
        """Of speech that it was made from."""
        return sum(origin.speech_s for origin in self.origins)

    def voice(self, folder: Path) -> Voice:
        """What engines take; the profile in `folder` is its reference: it counts as a real person's."""
        spectrum = self.spectrum
        target = None if spectrum is None else Target(spectrum, self.pitch, self.fit is not None)
        return Voice(
            self.name,
            self.mixture,
            reference=folder / FACTS,
            embedding=self.embedding,
            style=self.style,
            overrides=self.overrides,
            pace=self.pace,
            target=target,
            recordings=tuple(folder / origin.kept for origin in self.origins if origin.kept),
        )


def write_profile(profile: Profile, folder: Path) -> None:
    """Both files of a profile, readable by their owner only."""
    from safetensors.numpy import save

    facts = json.dumps(to_dict(profile), indent=1, ensure_ascii=False)
    for name, content in ((NUMBERS, save(_tensors(profile))), (FACTS, facts.encode())):
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def read_profile(folder: Path) -> Profile:
    """The profile in `folder`; raises ProfileError for one that is damaged or newer than this program."""
    facts = read_facts(folder)
    tensors = _read_tensors(folder / NUMBERS)
    try:
        return _profile(facts, tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from None


def read_facts(folder: Path) -> dict[str, Any]:
    """What `profile.json` says, as plain values."""
    path = folder / FACTS
    try:
        if path.stat().st_size > LARGEST_FACTS:
            raise _damaged(folder, f"{FACTS} is too large")
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        raise _damaged(folder, f"{FACTS} cannot be read ({type(error).__name__})") from None
    if not isinstance(facts, dict) or not isinstance(facts.get("format"), int):
        raise _damaged(folder, f"{FACTS} is no voice profile")
    if facts["format"] > FORMAT:
        raise ProfileError(
            f"{folder.name}: made by voicelip {facts.get('voicelip', '?')}, whose profiles this version "
            "cannot read; update voicelip"
        )
    return facts


def to_dict(profile: Profile) -> dict[str, Any]:
    """All that is not an array, as plain values for JSON."""
    arrays = ("embedding", "windows", "campplus", "spectrum", "style", "overrides")
    plain = {f.name: getattr(profile, f.name) for f in fields(profile) if f.name not in arrays}
    return {
        "format": FORMAT,
        **plain,
        "origins": [asdict(origin) for origin in profile.origins],
        "pitch": asdict(profile.pitch) if profile.pitch else None,
        "fit": dict(profile.fit) if profile.fit is not None else None,
    }


def _profile(facts: dict[str, Any], tensors: dict[str, np.ndarray]) -> Profile:
    plain = {f.name: facts[f.name] for f in fields(Profile) if f.name in facts}
    origins = tuple(Origin(**{**one, "findings": tuple(one["findings"])}) for one in facts["origins"])
    profile = Profile(
        **{
            **plain,
            "origins": origins,
            "pitch": Pitch(**facts["pitch"]) if facts["pitch"] else None,
            "mixture": tuple((str(name), float(weight)) for name, weight in facts["mixture"]),
            "consents": tuple(map(str, facts.get("consents", ()))),
        },
        embedding=tensors["embedding"],
        windows=tensors["windows"],
        campplus=tensors.get("campplus"),
        spectrum=tensors.get("spectrum"),
        style=tensors.get("style"),
        overrides={
            key.removeprefix(OVERRIDE): value for key, value in tensors.items() if key.startswith(OVERRIDE)
        },
    )
    _check(profile)
    return profile


def _check(profile: Profile) -> None:
    """Raise ValueError for numbers that no voice has."""
    from voicelip.speech.finish import BANDS_HZ
    from voicelip.speech.voices import stock_voices

    if profile.embedding.shape != (256,) or profile.windows.ndim != 2 or profile.windows.shape[1] != 256:
        raise ValueError("its embeddings have another shape")
    if profile.campplus is not None and profile.campplus.shape != (192,):
        raise ValueError("its CAM++ embedding has another shape")
    if profile.style is not None and profile.style.shape not in STYLE_SHAPES:
        raise ValueError("its style has another shape")
    if profile.spectrum is not None and profile.spectrum.shape != (len(BANDS_HZ),):
        raise ValueError("its spectrum has another shape")
    if any(origin.kept and not KEPT.fullmatch(origin.kept) for origin in profile.origins):
        raise ValueError("it names a file that no profile keeps")
    if any(value.ndim > 2 for value in profile.overrides.values()):
        raise ValueError("its overrides have another shape")
    if not 0.25 <= profile.pace <= 4:
        raise ValueError("its pace is out of range")
    strangers = {name for name, _ in profile.mixture} - set(stock_voices().names)
    if strangers:
        raise ValueError(f"it mixes unknown voices ({', '.join(sorted(strangers))})")
    arrays = {"embedding": profile.embedding, "windows": profile.windows, **profile.overrides}
    _check_finite(arrays if profile.campplus is None else {**arrays, "campplus": profile.campplus})


def _check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    for name, value in arrays.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{name} holds values that are no numbers")


def _tensors(profile: Profile) -> dict[str, np.ndarray]:
    arrays = {
        "embedding": profile.embedding,
        "windows": profile.windows,
        "campplus": profile.campplus,
        "spectrum": profile.spectrum,
        "style": profile.style,
        **{f"{OVERRIDE}{name}": value for name, value in profile.overrides.items()},
    }
    return {
        name: np.array(value, np.float32, order="C") for name, value in arrays.items() if value is not None
    }


def _read_tensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        if path.stat().st_size > LARGEST_NUMBERS:
            raise _damaged(path.parent, f"{NUMBERS} is too large")
        tensors = load(path.read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise _damaged(path.parent, f"{NUMBERS} cannot be read ({type(error).__name__})") from None
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def _damaged(folder: Path, why: str) -> ProfileError:
    return ProfileError(
        f"voice profile {folder.name}: {why}; import it again, or `voicelip voice add` it anew"
    )
