"""Dubbing: a clip and its translated subtitles to a finished dub, in a folder that it is resumed from.

from voicelip.dub import DubOptions, dub

options = DubOptions(lufs=-23)
result = dub("talk.mp4", subs="talk.es.srt", out="talk.es.mp4", lang="es", voice="alice", options=options)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voicelip.dub.options import DubOptions, DubResult
    from voicelip.dub.run import dub

__all__ = ["DubOptions", "DubResult", "dub"]
_HOMES = {
    "dub": "voicelip.dub.run",
    "DubOptions": "voicelip.dub.options",
    "DubResult": "voicelip.dub.options",
}


def __getattr__(name: str) -> Any:
    # Whoever only reads a job folder should not wait for codecs and networks.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'voicelip.dub' has no attribute {name!r}")
