"""References made ready for quick reading, and how many are kept so."""

from threading import Lock

from voicelip.lips.compositor import ReferenceView

_KEPT_BYTES = 16 << 20  # some openings of the mouth at 720p
_KEPT_AT_LEAST = 2  # the closed view and the open one


class EnlargedViews:
    """Enlarges references; those asked for last are kept. Safe to use from any thread, where now and then two
    enlarge the same one.
    """

    def __init__(self) -> None:
        self._kept: dict[ReferenceView, ReferenceView] = {}
        self._lock = Lock()

    def of(self, views: tuple[ReferenceView, ...]) -> tuple[ReferenceView, ...]:
        """`views`, enlarged."""
        return tuple(self._enlarged(view) for view in views)

    def _enlarged(self, view: ReferenceView) -> ReferenceView:
        with self._lock:
            kept = self._kept.pop(view, None)
        enlarged = kept or view.enlarged()
        with self._lock:
            self._kept[view] = enlarged  # as the last one
            most = max(_KEPT_AT_LEAST, _KEPT_BYTES // enlarged.image.nbytes)
            while len(self._kept) > most:
                del self._kept[next(iter(self._kept))]
        return enlarged
