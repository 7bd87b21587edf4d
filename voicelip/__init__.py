"""voicelip: speech in a consenting person's voice, and their own footage with the lips to match.

import voicelip

result = voicelip.say("Welcome.", voice="alice.wav", face="alice.mp4", out="welcome.mp4")
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from voicelip.errors import VoicelipError
from voicelip.version import __version__ as __version__

if TYPE_CHECKING:
    from voicelip.consent.asking import Agreement
    from voicelip.pipeline import LipsyncOptions, Result, lipsync, say, speak

# onnxruntime's wheels report usage to their maker unless told not to, at load.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["Agreement", "LipsyncOptions", "Result", "VoicelipError", "lipsync", "say", "speak"]


def __getattr__(name: str) -> Any:
    # The pipeline pulls in codecs and arrays; whoever only wants the version should not wait for them.
    if name in __all__:
        return getattr(import_module("voicelip.pipeline"), name)
    raise AttributeError(f"module 'voicelip' has no attribute {name!r}")
