"""Who is heard when."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """A stretch in which one speaker of the dub is heard, in seconds of the output."""

    speaker: str
    start_s: float
    end_s: float
