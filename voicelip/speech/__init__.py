"""Speech: text to waveform in a stock voice or in one derived from a recording."""

from voicelip.speech.engine import Engine, EngineOptions, Segment, Speech, Voice, engine_names, load_engine
from voicelip.speech.speaking import resolve_voice, speak_text

__all__ = [
    "Engine",
    "EngineOptions",
    "Segment",
    "Speech",
    "Voice",
    "engine_names",
    "load_engine",
    "resolve_voice",
    "speak_text",
]
