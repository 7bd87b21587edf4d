"""What a voice or a face is known again by: a small vector that a network made of a recording.

Which network, and how, is not known here. Vectors are kept in 8 bits: enough to compare, too little to hear
or see anything. They are biometric data of the person all the same.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Kind = Literal["voice", "face"]

NETWORKS: Mapping[str, tuple[str, int]] = {"voice": ("campplus-zh-en", 192), "face": ("dlib-resnet-v1", 128)}
# Above these, two recordings are taken to be of two people: 1 - cosine for voices, the Euclidean distance for
# faces. Measured errors: docs/trust.md.
LIMITS: Mapping[str, float] = {"voice": 0.57, "face": 0.45}


@dataclass(frozen=True)
class Likeness:
    """`values` (D,) int8, times `scale`, is the network's vector."""

    kind: Kind
    values: np.ndarray = field(compare=False)
    scale: float

    @classmethod
    def of(cls, kind: Kind, vector: np.ndarray) -> "Likeness":
        """From what the network gave, (D,)."""
        largest = float(np.abs(vector).max())
        if vector.shape != (NETWORKS[kind][1],) or not np.isfinite(largest) or largest == 0:
            raise ValueError(f"no {kind} can be known again by that")
        scale = largest / 127
        return cls(kind, np.rint(vector / scale).astype(np.int8), scale)

    @property
    def vector(self) -> np.ndarray:
        """(D,) float64."""
        return self.values.astype(np.float64) * self.scale

    def distance(self, other: "Likeness") -> float:
        """How unlike two are; `LIMITS` says what is too much."""
        a, b = self.vector, other.vector
        if self.kind == "face":
            return float(np.linalg.norm(a - b))
        return float(1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    def is_same(self, other: "Likeness") -> bool:
        """Whether both are likely to be of one person."""
        return self.kind == other.kind and self.distance(other) <= LIMITS[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        values = base64.b64encode(self.values.tobytes()).decode()
        return {"network": NETWORKS[self.kind][0], "scale": self.scale, "values": values}

    @classmethod
    def from_dict(cls, kind: Kind, plain: Mapping[str, Any]) -> "Likeness":
        """Raises ValueError for what is none, or of another network."""
        network, size = NETWORKS[kind]
        if not isinstance(plain, Mapping) or plain.get("network") != network:
            raise ValueError(f"a {kind} of another network than {network}")
        try:
            values = np.frombuffer(base64.b64decode(str(plain["values"]), validate=True), np.int8)
            scale = float(plain["scale"])
        except (KeyError, TypeError, binascii.Error) as error:
            raise ValueError(f"a {kind} that cannot be read") from error
        if len(values) != size or not 1e-6 < scale < 1e3 or not values.any():
            raise ValueError(f"a {kind} of another shape")
        return cls(kind, values, scale)
