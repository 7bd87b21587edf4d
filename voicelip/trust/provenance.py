"""How a file came to be, as its credentials tell it: a tree of manifests, read with distrust.

Whoever signs a file chooses what is in it: any value may be of any type, and text may hold anything.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from voicelip.trust.claim import Model
from voicelip.trust.credentials import CONSENT_LABEL, MINING_LABEL, MODELS_LABEL

_DEEPEST = 20
_LONGEST_TEXT = 200
_MOST = 100  # of a kind in one manifest
_MOST_MANIFESTS = 200


@dataclass(frozen=True)
class Action:
    """Something that was done, by C2PA's name (c2pa.edited), and what it brought in, by IPTC's term."""

    name: str
    digital_source_type: str | None = None
    software: str | None = None


@dataclass(frozen=True)
class Ingredient:
    """A file that went into another; `problems` are codes of what was wrong with its credentials then."""

    title: str
    relationship: str
    identity: str
    provenance: "Provenance | None" = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """One manifest and, through its ingredients, those before it."""

    title: str
    software: str
    signer: str
    signed_at: str | None
    actions: tuple[Action, ...]
    ingredients: tuple[Ingredient, ...]
    models: tuple[Model, ...]
    training_allowed: bool | None  # None: nothing is said about it
    consents: tuple[str, ...] = ()  # ids of consent records

    @property
    def digital_source_types(self) -> tuple[str, ...]:
        """What the actions say that they brought in."""
        return tuple(each.digital_source_type for each in self.actions if each.digital_source_type)

    def walk(self) -> Iterator["Provenance"]:
        """This and all before it."""
        yield self
        for ingredient in self.ingredients:
            if ingredient.provenance:
                yield from ingredient.provenance.walk()


def read_provenance(store: dict[str, Any]) -> Provenance | None:
    """The tree that starts at the active manifest of what c2pa's reader gives."""
    manifests = _dict(store.get("manifests"))
    return _Tree(manifests).read(store.get("active_manifest"), 0)


class _Tree:
    """Reads manifests, never more than some, whatever refers to what."""

    def __init__(self, manifests: dict[str, Any]) -> None:
        self._manifests = manifests
        self._left = _MOST_MANIFESTS

    def read(self, label: Any, depth: int) -> Provenance | None:
        if not isinstance(label, str) or label not in self._manifests or depth > _DEEPEST or not self._left:
            return None
        self._left -= 1
        manifest = _dict(self._manifests[label])
        assertions = _dicts(manifest.get("assertions"))
        signature = _dict(manifest.get("signature_info"))
        signer = [_text(signature.get(key)) for key in ("issuer", "common_name")]
        return Provenance(
            title=_text(manifest.get("title")),
            software=", ".join(_software(each) for each in _dicts(manifest.get("claim_generator_info"))),
            signer=" / ".join(part for part in signer if part),
            signed_at=_text(signature.get("time")) or None,
            actions=tuple(_actions(assertions)),
            ingredients=tuple(self._ingredient(each, depth) for each in _dicts(manifest.get("ingredients"))),
            models=tuple(_models(assertions)),
            training_allowed=_training_allowed(assertions),
            consents=tuple(dict.fromkeys(_consents(assertions))),
        )

    def _ingredient(self, ingredient: dict[str, Any], depth: int) -> Ingredient:
        results = _dict(_dict(ingredient.get("validation_results")).get("activeManifest"))
        return Ingredient(
            title=_text(ingredient.get("title")),
            relationship=_text(ingredient.get("relationship")),
            identity=_text(ingredient.get("instance_id")),
            provenance=self.read(ingredient.get("active_manifest"), depth + 1),
            problems=tuple(_text(each.get("code")) for each in _dicts(results.get("failure"))),
        )


def _actions(assertions: list[dict[str, Any]]) -> Iterator[Action]:
    for data in _data(assertions, "c2pa.actions"):
        for action in _dicts(data.get("actions")):
            agent = action.get("softwareAgent")
            yield Action(
                name=_text(action.get("action")),
                digital_source_type=_text(action.get("digitalSourceType")) or None,
                software=(_software(agent) if isinstance(agent, dict) else _text(agent)) or None,
            )


def _models(assertions: list[dict[str, Any]]) -> Iterator[Model]:
    for data in _data(assertions, MODELS_LABEL):
        for model in _dicts(data.get("models")):
            yield Model(_text(model.get("name")), _text(model.get("sha256")) or None)


def _consents(assertions: list[dict[str, Any]]) -> Iterator[str]:
    for data in _data(assertions, CONSENT_LABEL):
        ids = data.get("consents")
        yield from (_text(each) for each in ids[:_MOST] if _text(each)) if isinstance(ids, list) else ()


def _training_allowed(assertions: list[dict[str, Any]]) -> bool | None:
    said = [
        _dict(entry).get("use") == "allowed"
        for label in (MINING_LABEL, "c2pa.training-mining")
        for data in _data(assertions, label)
        for entry in _dict(data.get("entries")).values()
    ]
    return all(said) if said else None


def _data(assertions: list[dict[str, Any]], label: str) -> Iterator[dict[str, Any]]:
    """Contents of the assertions of a kind; versions (.v2) and counts (__1) are appended to its label."""
    for assertion in assertions:
        found = str(assertion.get("label")).split("__")[0]
        if found == label or found.startswith(f"{label}.v"):
            yield _dict(assertion.get("data"))


def _software(agent: dict[str, Any]) -> str:
    return " ".join(part for part in (_text(agent.get("name")), _text(agent.get("version"))) if part)


def _text(value: Any) -> str:
    """Printable, of one line, of some length: text from a stranger must not steer a terminal."""
    if not isinstance(value, str):
        return ""
    letters = (" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in value[:_LONGEST_TEXT])
    return " ".join("".join(letters).split())


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)][:_MOST] if isinstance(value, list) else []
