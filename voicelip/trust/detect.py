"""Signs of synthesis in files whose credentials are gone: what each one is, and how far to trust it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Signal:
    """One thing that was looked for.

    `score` is 0 (as in recorded media) to 1; 0.5 and above counts as seen. `counts` is false for what is told
    without being held against a file. `error` says how often it is wrong, as measured (docs/trust.md).
    """

    name: str
    score: float
    meaning: str
    error: str
    counts: bool = True

    @property
    def is_seen(self) -> bool:
        return self.score >= 0.5

    @property
    def is_sign(self) -> bool:
        """Whether it makes a file suspicious."""
        return self.counts and self.is_seen

    @property
    def line(self) -> str:
        """Such as `learned detector: 0.93, the mouth looks regenerated (…)`."""
        return f"{self.name}: {self.score:.2f}, {self.meaning} ({self.error})"
