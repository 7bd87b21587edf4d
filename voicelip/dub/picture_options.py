"""What may be chosen about the picture of a dub."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PictureOptions:
    """How faces are found and mouths are made; as in LipsyncOptions."""

    detector: str = "mesh"
    lips: str = "embedded"
    lips_options: object | None = None
    adapted: str = "auto"
    device: str = "auto"
    strength: float = 1.0
