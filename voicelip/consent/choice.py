"""Who is meant, where a clip shows several people."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FaceChoice:
    """Which of several faces: counted from the left, or the one in a photo; neither: the largest."""

    index: int | None = None
    photo: Path | None = None


WHOEVER = FaceChoice()  # is the largest
