"""Opening a file to read it, the same way for pictures and for sound."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any


def open_container(path: Path, options: dict[str, str] | None = None) -> AbstractContextManager[Any]:
    """The file as PyAV sees it. Tags may be in any encoding: old recorders do not write UTF-8."""
    import av

    return av.open(str(path), options=options or {}, metadata_errors="replace")
