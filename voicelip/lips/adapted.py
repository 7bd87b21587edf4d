"""Which face profile serves a clip: the one asked for, the one made of this very clip, or that of the person
whom it shows.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from voicelip.errors import OptionError, ProfileError
from voicelip.face.likeness import difference
from voicelip.hashing import content_hash
from voicelip.lips import face_store
from voicelip.lips.embedded import EmbeddedGenerator
from voicelip.lips.face_profile import FaceProfile
from voicelip.lips.generator import LipGenerator

SAME_PERSON = 0.65  # median likeness difference; strangers differ by 0.79 and more (docs/lips.md)
_log = logging.getLogger(__name__)

Looks = Callable[[], Sequence[np.ndarray]]


def adapted(
    generator: LipGenerator, wanted: str, clip: Path | None, looks: Looks
) -> tuple[LipGenerator, str | None]:
    """`generator` as adapted to the person in `clip`, and the profile's name; unchanged, and None, if there
    is none.

    `wanted` is "auto", "none" or a name. A `clip` that shows somebody else as well is left out. `looks`
    gives likeness descriptors of the face and is called only if they are needed.
    """
    is_named = wanted not in (face_store.AUTO, face_store.NONE)
    if not isinstance(generator, EmbeddedGenerator):
        if is_named:
            raise OptionError(f"the face {wanted} was adapted for the embedded lips; leave --lips out")
        return generator, None
    if wanted == face_store.NONE:
        return generator, None
    if is_named:
        profile = face_store.load_face(wanted)
        if not profile.is_current:
            raise ProfileError(_outdated(profile))
        return profile.generator(generator), wanted
    chosen = _matching(clip, looks)
    return (generator, None) if chosen is None else (chosen.generator(generator), chosen.facts.name)


def likeness_to(profile: FaceProfile, looks: Sequence[np.ndarray]) -> float:
    """Median over `looks` of the difference to the nearest look of the profile: small for the same person."""
    return float(np.median([min(difference(look, own) for own in profile.looks) for look in looks]))


def _matching(clip: Path | None, looks: Looks) -> FaceProfile | None:
    profiles = _readable()
    if not profiles:
        return None
    sha256 = None if clip is None else content_hash(clip)
    found = [profile for profile in profiles if profile.facts.sha256 == sha256]
    if not found:
        seen = looks()
        near = sorted((likeness_to(profile, seen), n) for n, profile in enumerate(profiles)) if seen else []
        found = [profiles[n] for distance, n in near if distance <= SAME_PERSON]
    current = [profile for profile in found if profile.is_current]
    if found and not current:
        _log.warning("%s", _outdated(found[0]))
    return current[0] if current else None


def _readable() -> list[FaceProfile]:
    profiles = []
    for name in face_store.face_names():
        try:
            profiles.append(face_store.load_face(name))
        except ProfileError as error:  # one damaged profile does not stop a run that may not need it
            _log.warning("%s", error)
    return profiles


def _outdated(profile: FaceProfile) -> str:
    name = profile.facts.name
    return (
        f"the face {name} was adapted from other lip networks than these; "
        f"run `voicelip adapt CLIP --name {name} --overwrite` again"
    )
