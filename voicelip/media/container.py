"""Opening a file to read it, the same way for pictures and for sound."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any


def open_container(path: Path, options: dict[str, str] | None = None) -> AbstractContextManager[Any]:
    """The file as PyAV sees it. Tags in another encoding than UTF-8, as old recorders write, do not matter."""
    import av

    return av.open(str(path), options=options or {}, metadata_errors="replace")
