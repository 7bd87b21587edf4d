"""The room's front door: a voice by its name or recording, and text spoken in it."""

from pathlib import Path

from voicelip.progress import Progress, silent
from voicelip.speech.engine import Speech, Voice, load_engine

STOCK = "stock:"


def resolve_voice(spec: str | Path, progress: Progress = silent) -> Voice:
    """The voice that `stock:NAME`, or the path of a recording, stands for."""
    if isinstance(spec, str) and spec.startswith(STOCK):
        from voicelip.speech.voices import check_name

        name = check_name(spec.removeprefix(STOCK))
        return Voice(name, ((name, 1.0),))
    from voicelip.speech.clone import clone_voice

    return clone_voice(Path(spec), progress)


def speak_text(
    text: str,
    voice: str | Path | Voice,
    lang: str = "en",
    speed: float = 1.0,
    engine: str = "kokoro",
    progress: Progress = silent,
) -> Speech:
    """Speak `text` in a voice given as such, as `stock:NAME` or as the path of a recording."""
    speaker = load_engine(engine)
    if not isinstance(voice, Voice):
        voice = resolve_voice(voice, progress)
    return speaker.synthesize(text, voice, lang, speed, progress)
