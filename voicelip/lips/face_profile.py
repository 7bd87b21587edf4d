"""What `voicelip adapt` learned of one face, as a folder of plain data.

`face.json` says what it is, `face.npz` holds numbers, and a network that was bettered stands beside them as
ONNX. No frame and no sound of the footage is inside.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.errors import ProfileError
from voicelip.hashing import content_hash
from voicelip.lips.embedded import RENDERER_FILE, EmbeddedGenerator
from voicelip.lips.hearing import BASIS_FILE, MOTION_FILE, network_session
from voicelip.lips.motion import MOTION_POINTS
from voicelip.lips.person import Person
from voicelip.version import __version__

FORMAT = 1
FACTS, NUMBERS = "face.json", "face.npz"
NETWORKS = (MOTION_FILE, RENDERER_FILE)
_LARGEST_FACTS = 1 << 20  # bytes


@dataclass(frozen=True)
class FaceFacts:
    """What is to be read of a profile. `scores` are of the held-out part of the footage, before and after;
    `base` the hashes of the shipped files that it was learned on top of, `networks` those of the adapted
    ones, by file name.
    """

    name: str
    voicelip: str
    created: str
    file: str
    sha256: str
    seconds: float
    scores: dict[str, dict[str, float]]
    settings: dict[str, Any]
    base: dict[str, str]
    networks: dict[str, str]
    format: int = FORMAT
    consents: tuple[str, ...] = ()  # ids of the records under which it was made


@dataclass(frozen=True)
class FaceProfile:
    """A profile: `looks` (N, D) float32 are likeness descriptors of the face; `folder` holds the networks."""

    facts: FaceFacts
    person: Person | None  # none where the shipped motion did better
    looks: np.ndarray
    folder: Path

    @property
    def is_current(self) -> bool:
        """Whether what it belongs to is what ships now."""
        return self.facts.base == base_hashes(list(self.facts.base))

    def generator(self, base: EmbeddedGenerator) -> EmbeddedGenerator:
        """`base` with this person's networks; raises ProfileError for files that are not those adapted."""
        sessions = {name: self._session(name) for name in self.facts.networks}
        return EmbeddedGenerator(
            sessions.get(MOTION_FILE, base.motion),
            sessions.get(RENDERER_FILE, base.renderer),
            base.basis,
            base.donor,
            self.person,
        )

    def _session(self, name: str) -> Any:
        path = self.folder / name
        if not path.is_file() or content_hash(path) != self.facts.networks[name]:
            raise ProfileError(f"{path}: is not the network that was adapted; run `voicelip adapt` again")
        return network_session(path, keeps_memory=name == RENDERER_FILE)


def base_hashes(names: Iterable[str]) -> dict[str, str]:
    """What those of the shipped files are that the lips are made of, by name."""
    return {name: content_hash(hub.pretrained(name)) for name in names if name in (*NETWORKS, BASIS_FILE)}


def to_dict(profile: FaceProfile) -> dict[str, Any]:
    """A profile as plain values, for JSON."""
    return {**asdict(profile.facts), "is_current": profile.is_current, "folder": str(profile.folder)}


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def write(folder: Path, facts: FaceFacts, person: Person | None, looks: np.ndarray) -> None:
    """Everything but the networks, which stand in `folder` already."""
    (folder / FACTS).write_text(json.dumps(asdict(facts), indent=1, ensure_ascii=False), "utf-8")
    known = {"amplitude": np.float64(person.amplitude), "closed": person.closed} if person else {}
    np.savez(folder / NUMBERS, looks=looks.astype(np.float32), **known)  # type: ignore[arg-type]


def read(folder: Path) -> FaceProfile:
    """The profile in `folder`; raises ProfileError for what is none, damaged, or of a later version."""
    facts = read_facts(folder)
    try:
        with np.load(folder / NUMBERS, allow_pickle=False) as stored:
            looks = stored["looks"].astype(np.float32)
            person = _person(stored) if "closed" in stored else None
        if looks.ndim != 2 or not np.isfinite(looks).all():
            raise ValueError("holds no likeness")
    except Exception as error:  # damage shows in many ways
        raise ProfileError(f"{folder / NUMBERS}: is damaged ({error}); run `voicelip adapt` again") from None
    return FaceProfile(facts, person, looks, folder)


def _person(stored: Mapping[str, np.ndarray]) -> Person:
    closed = stored["closed"].astype(np.float64)
    person = Person(float(stored["amplitude"]), closed)
    if closed.shape != (len(MOTION_POINTS), 2) or not np.isfinite(closed).all():
        raise ValueError("holds no mouth")
    if not 0 < person.amplitude < 10:
        raise ValueError("amplitude out of range")
    return person


def read_facts(folder: Path) -> FaceFacts:
    """What a profile says of itself."""
    path = folder / FACTS
    try:
        if path.stat().st_size > _LARGEST_FACTS:
            raise ValueError("too large")
        values = json.loads(path.read_text("utf-8"))
        if values["format"] > FORMAT:
            raise ProfileError(
                f"{path}: was written by voicelip {values['voicelip']}, not {__version__}; update it"
            )
        facts = FaceFacts(**values)
        if not set(facts.networks) <= set(NETWORKS):
            raise ValueError("names unknown networks")
        return facts
    except ProfileError:
        raise
    except Exception as error:
        raise ProfileError(f"{path}: is no face profile ({error}); run `voicelip adapt` again") from None
