"""The int8 graph as onnxruntime sessions: one for all stock voices, and one for each fitted voice in use."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.progress import Progress, silent
from voicelip.speech import kokoro_quick
from voicelip.speech.accent import accented
from voicelip.speech.background import begun
from voicelip.speech.engine import Voice
from voicelip.speech.voices import ROWS, stock_voices

KEPT = 3  # sessions, of 0.2 GB each: the stock one and those of two people in dialogue
DURATIONS = "/encoder/Clip_output_0"  # of each token, in frames

_sessions: "OrderedDict[tuple[str, str], Any]" = OrderedDict()
_lock = threading.Lock()


def session_of(voice: Voice, progress: Progress = silent) -> Any:
    """The session that speaks as `voice`, made once and kept while it is among the latest few."""
    path = hub.fetch("kokoro", progress)
    key = (str(path), _fingerprint(voice.overrides))
    with _lock:
        if key not in _sessions:
            _sessions[key] = _load(path, voice.overrides)
        _sessions.move_to_end(key)
        while len(_sessions) > KEPT:
            _sessions.popitem(last=False)
        return _sessions[key]


def session_ahead(voice: Voice, progress: Progress = silent) -> Callable[[], Any]:
    """`session_of`, begun while the caller does other work and waited for when called.

    What would have to be downloaded is not begun: the caller may yet find that there is nothing to speak.
    """
    if not hub.is_present("kokoro"):
        return lambda: session_of(voice, progress)
    return begun(session_of, voice).result


def style_of(voice: Voice, lang: str) -> np.ndarray:
    """(510, 256) float32: the voice's own style, or the mixture of stock ones; a real person's with as much
    of a native's as the language needs.
    """
    if voice.style is None:
        style = stock_voices().mixture(voice.mixture)
    else:
        style = np.broadcast_to(np.asarray(voice.style, np.float32), (ROWS, voice.style.shape[-1]))
    if voice.is_stock or voice.embedding is None:
        return style
    return accented(style, voice.mixture, voice.embedding, lang)


def _load(path: Path, overrides: Mapping[str, np.ndarray]) -> Any:
    import onnxruntime

    options = kokoro_quick.options()
    # onnxruntime borrows these arrays, so they must outlive the session's making.
    values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in overrides.items()}
    for name, value in values.items():
        options.add_initializer(name, value)
    graph = kokoro_quick.quick_graph(path, hub.entries()["kokoro"].files[0].sha256, [DURATIONS])
    return _Session(kokoro_quick.session(graph, options), values)


class _Session:
    """A session and the constants that it borrows."""

    def __init__(self, session: Any, values: Mapping[str, Any]) -> None:
        self._session, self._values = session, values
        self.run = session.run


def _fingerprint(overrides: Mapping[str, np.ndarray]) -> str:
    import hashlib

    digest = hashlib.sha256()
    for name in sorted(overrides):
        digest.update(name.encode() + np.ascontiguousarray(overrides[name]).tobytes())
    return digest.hexdigest()
