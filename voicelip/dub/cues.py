"""A cue: what one person says between two moments, as the subtitles have it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cue:
    """One subtitle. Times are seconds from the clip's first picture, whole milliseconds."""

    number: int  # from 1, in order of time
    start_s: float
    end_s: float
    text: str  # plain, without tags and the speaker's name; lines joined by spaces
    speaker: str = ""  # "" where the subtitles name nobody
    line: int = 0  # of the subtitle file, where the cue begins, from 1

    @property
    def slot_s(self) -> float:
        """How long the subtitle stands."""
        return self.end_s - self.start_s
