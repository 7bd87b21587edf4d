"""The voices of a job: checked before the work, loaded when one first has to speak."""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

from voicelip.dub.takes import Wish, voice_hash
from voicelip.errors import InputNotFoundError, TextError
from voicelip.hashing import content_hash
from voicelip.progress import Progress, silent
from voicelip.speech import EngineOptions, Speech, Voice, resolve_voice, speak_text
from voicelip.speech.speaking import VoiceSpec

PRESENTER = "stock:presenter"
_PRESENTER_VOICE = Path(__file__).parents[1] / "assets" / "presenter.wav"


class Voices:
    """Speaks wishes; an engine and a voice are loaded once."""

    def __init__(self, options: EngineOptions, progress: Progress = silent) -> None:
        self._options, self._progress = options, progress
        self._hash = functools.cache(lambda voice: voice_hash(self.files(voice)))
        self._voice = functools.cache(self._resolved)

    def check(self, voices: Iterable[str], langs: Iterable[str], engine: str) -> None:
        """Refuse voices that are not there, and languages that the embedded engine does not speak."""
        for voice in sorted(set(voices)):
            spec = VoiceSpec.parse(self._meant(voice))
            if spec.kind == "recording" and not Path(spec.name).is_file():
                raise InputNotFoundError(f"{spec.name}: no such recording; check the name and the folder")
            if spec.kind == "stock" and engine.partition(":")[0] != "coqui":
                from voicelip.speech.voices import check_name

                check_name(spec.name)
        if engine == "kokoro":
            from voicelip.speech.phonemes import resolve_language

            for lang in sorted(set(langs)):
                resolve_language(lang)

    def check_text(self, texts: Mapping[int, str], engine: str) -> None:
        """Refuse cues of which the embedded engine could say nothing; `texts` go by the cue's number."""
        if engine != "kokoro":
            return
        from voicelip.speech.text import clean

        mute = [
            number for number, text in texts.items() if not any(char.isalnum() for char in clean(text)[0])
        ]
        if mute:
            cues = ", ".join(map(str, mute[:10])) + (" and more" if len(mute) > 10 else "")
            raise TextError(f"cue {cues}: nothing in it can be spoken in its language; mend the text")

    def files(self, voice: str) -> list[Path]:
        """The files that a voice is made of: a recording, or a profile's; none for a stock voice."""
        spec = VoiceSpec.parse(self._meant(voice))
        if spec.kind == "recording":
            return [Path(spec.name)]
        if spec.kind == "profile":
            from voicelip.speech.profile_store import profile_folder

            return sorted(path for path in profile_folder(spec.name).iterdir() if path.is_file())
        return []

    def origins(self, voice: str) -> list[str]:
        """Hashes of the recordings that a person's voice was taken from."""
        spec = VoiceSpec.parse(self._meant(voice))
        if spec.kind == "profile":
            from voicelip.speech.profile_store import load_profile

            return [origin.sha256 for origin in load_profile(spec.name).origins]
        return [content_hash(path) for path in self.files(voice) if voice != PRESENTER]

    def sha256(self, voice: str) -> str:
        """What tells a voice from a later one of the same name; empty for a stock voice."""
        return self._hash(voice)

    def speak(self, wish: Wish) -> Speech:
        """Speak a wish."""
        return speak_text(
            wish.text,
            self._voice(wish.voice, wish.engine),
            wish.lang,
            wish.speed,
            wish.engine,
            self._progress,
            wish.finish,
            self._options,
        )

    def _resolved(self, voice: str, engine: str) -> Voice:
        return resolve_voice(self._meant(voice), self._progress, engine)

    def _meant(self, voice: str) -> str | Path:
        return _PRESENTER_VOICE if voice == PRESENTER else voice
