"""What each kind of run has to declare: the files that went into its output, and the models that made it."""

import functools
from collections.abc import Sequence
from pathlib import Path

from voicelip import hub
from voicelip.hashing import content_hash
from voicelip.trust import Claim, Model, Source

_ENGINES: dict[str, tuple[str, ...]] = {"kokoro": ("kokoro", "kokoro_voices.npz")}
_CLONING = ("ge2e",)
_DETECTORS: dict[str, tuple[str, ...]] = {"mesh": ("face-landmarker", "face_mesh.onnx")}
_LIPS: dict[str, tuple[str, ...]] = {
    "embedded": ("lips_motion.onnx", "lips_renderer.onnx", "lips_basis.npz", "lips_donor.npz")
}


def spoken(engine: str, reference: Path | None, hashes: Sequence[str] = ()) -> Claim:
    """Speech made from text; `reference` is the recording of the person whose voice it is to be.

    The recordings behind a voice profile are known by their `hashes`.
    """
    models = _models(_ENGINES, engine)
    sources = [Source(None, "inputTo", "voice reference", digest) for digest in hashes]
    if reference is not None:
        sources.append(Source(reference, "inputTo", "voice reference"))
    return Claim(tuple(sources), models + (_named(_CLONING) if sources else ()))


def recorded(audio: Path) -> Claim:
    """Speech that was recorded."""
    return Claim((Source(audio, "componentOf", "speech"),))


def animated(footage: Path | None, lips: str, detector: str = "mesh") -> Claim:
    """A face made to speak; `footage` is None for one that is nobody's."""
    sources = () if footage is None else (Source(footage, "parentOf", "footage"),)
    return Claim(sources, _models(_DETECTORS, detector) + _models(_LIPS, lips))


def _models(tables: dict[str, tuple[str, ...]], name: str) -> tuple[Model, ...]:
    """Those of a built-in engine or generator, `KIND:FILE` being one with the user's own model file.

    Another package's is known by its name alone. No path is ever declared.
    """
    if name in tables:
        return _named(tables[name])
    kind, _, path = name.partition(":")
    file = Path(path).expanduser()
    return (Model(kind, content_hash(file) if path and file.is_file() else None),)


def _named(names: tuple[str, ...]) -> tuple[Model, ...]:
    return tuple(model for name in names for model in _model(name))


@functools.cache
def _model(name: str) -> tuple[Model, ...]:
    """One for each file, of the registry or of pretrained/."""
    artifact = hub.entries().get(name)
    if artifact:
        return tuple(Model(f"{name}/{file.name}", file.sha256) for file in artifact.files)
    return (Model(name, content_hash(hub.pretrained(name))),)
