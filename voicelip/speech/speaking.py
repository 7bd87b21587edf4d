"""The room's front door: a voice by its name or recording, and text spoken in it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from voicelip.errors import UnknownNameError
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech.engine import EngineOptions, Speech, Voice, load_engine

STOCK = "stock:"


@dataclass(frozen=True)
class VoiceSpec:
    """What the user names: a stock voice, a voice profile, or a recording (`name` is then its path)."""

    kind: Literal["stock", "profile", "recording"]
    name: str

    @classmethod
    def parse(cls, spec: str | Path) -> "VoiceSpec":
        """A profile is preferred to a file of the same name; ./NAME means the file."""
        if isinstance(spec, Path):
            return cls("recording", str(spec))
        if spec.startswith(STOCK):
            return cls("stock", spec.removeprefix(STOCK))
        from voicelip.speech import profile_store

        if profile_store.has_profile(spec):
            return cls("profile", spec)
        if Path(spec).exists() or _looks_like_path(spec):
            return cls("recording", spec)
        raise UnknownNameError(f"no voice is called {spec!r}, and no file either; {_suggestion(spec)}")


def resolve_voice(spec: str | Path, progress: Progress = silent, engine: str = "kokoro") -> Voice:
    """The voice that `stock:NAME`, the name of a profile, or the path of a recording, stands for.

    Models of coqui-tts have stock voices of their own, which only they know.
    """
    named = VoiceSpec.parse(spec)
    if named.kind == "stock" and engine.partition(":")[0] == "coqui":
        return Voice(named.name, ())
    if named.kind == "stock":
        from voicelip.speech.voices import check_name

        name = check_name(named.name)
        return Voice(name, ((name, 1.0),))
    if named.kind == "profile":
        from voicelip.speech.profile_store import load_profile, profile_folder

        return load_profile(named.name).voice(profile_folder(named.name))
    from voicelip.speech.clone import clone_voice

    return clone_voice(Path(named.name), progress)


def speak_text(
    text: str,
    voice: str | Path | Voice,
    lang: str = "en",
    speed: float = 1.0,
    engine: str = "kokoro",
    progress: Progress = silent,
    finish: bool = True,
    options: EngineOptions | None = None,
) -> Speech:
    """Speak `text` in a voice given as such, as `stock:NAME`, as a profile's name or as a recording's path.

    With `finish` the speech of a real person's voice is brought to the colour of the reference, unless the
    voice was fitted: a fit has learned it, and filtering again was measured to cost likeness.
    """
    speaker = load_engine(engine, options)
    if not isinstance(voice, Voice):
        voice = resolve_voice(voice, progress, engine)
    speech = speaker.synthesize(text, voice, lang, speed, progress)
    if not finish or voice.target is None or voice.target.is_fitted or engine != "kokoro":
        return speech
    from voicelip.speech.finish import finished
    from voicelip.speech.loudness import levelled

    audio = finished(speech.audio, voice.target)
    return replace(speech, audio=Audio(levelled(audio.samples, audio.sample_rate), audio.sample_rate))


def _looks_like_path(spec: str) -> bool:
    return "/" in spec or "\\" in spec or Path(spec).suffix != ""


def _suggestion(spec: str) -> str:
    """Near names of profiles and of stock voices."""
    import difflib

    from voicelip.speech.profile_store import profile_names, suggestion
    from voicelip.speech.voices import stock_voices

    stock = {name: f"{STOCK}{name}" for name in stock_voices().names}
    if spec in stock:
        return f"did you mean {stock[spec]}?"
    if not difflib.get_close_matches(spec, profile_names(), cutoff=0.5):
        close = difflib.get_close_matches(spec, stock, n=2, cutoff=0.7)
        if close:
            return f"did you mean {' or '.join(stock[name] for name in close)}?"
    return suggestion(spec)
