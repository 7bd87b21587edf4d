"""What there is to declare of an output, before it is written into the file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DIGITAL_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SYNTHETIC = DIGITAL_SOURCE_TYPES + "trainedAlgorithmicMedia"
COMPOSITE = DIGITAL_SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"

Relationship = Literal["parentOf", "componentOf", "inputTo"]


@dataclass(frozen=True)
class Source:
    """A file that went into the output.

    `relationship` is C2PA's: the output is an edit of its parent, contains its components, and a model
    was given its inputs. `role` is what the credentials call it; the file's own name may name a person
    and is not written. A file that is not here is known by its `sha256` alone, its `path` being None.
    """

    path: Path | None
    relationship: Relationship
    role: str
    sha256: str | None = None


@dataclass(frozen=True)
class Model:
    """A model that made the output; one of another package may come without a hash."""

    name: str
    sha256: str | None = None


@dataclass(frozen=True)
class Claim:
    """What an output was made from, and with; `a + b` is made from both. `consents` are ids of records, which
    name nobody.
    """

    sources: tuple[Source, ...] = ()
    models: tuple[Model, ...] = ()
    consents: tuple[str, ...] = ()

    def __add__(self, other: "Claim") -> "Claim":
        return Claim(self.sources + other.sources, self.models + other.models, self.consents + other.consents)

    @property
    def parent(self) -> Source | None:
        """The file that the output is an edit of."""
        return next((each for each in self.sources if each.relationship == "parentOf"), None)

    @property
    def digital_source_type(self) -> str:
        """IPTC's term: wholly synthetic, or with recorded media in it."""
        recorded = any(each.relationship != "inputTo" for each in self.sources)
        return COMPOSITE if recorded else SYNTHETIC
