"""How far a dub is as a whole, from how far its stages are."""

from voicelip.progress import Progress

STAGE = "dub"
# What each stage costs of a whole run, in the order that they come in; a stage left out is passed over.
_SHARES = {
    "first takes": 0.0, "speech": 0.3, "faces": 0.15, "separating": 0.0, "picture": 0.4, "listening": 0.02,
    "mixing": 0.03, "writing": 0.1,
}  # fmt: skip


class WholeProgress:
    """Passes on what it hears of stages, and tells of the dub as a whole, which never goes back."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0.0

    def __call__(self, stage: str, done: float, total: float | None, unit: str = "") -> None:
        """Hear of a stage."""
        self._progress(stage, done, total, unit)
        if stage in _SHARES and total:
            names = list(_SHARES)
            before = sum(_SHARES[name] for name in names[: names.index(stage)])
            self._tell(before + _SHARES[stage] * min(1.0, done / total))

    def end(self) -> None:
        """The dub is written."""
        self._tell(1.0)

    def _tell(self, done: float) -> None:
        self._done = max(self._done, done)
        self._progress(STAGE, self._done, 1.0)
