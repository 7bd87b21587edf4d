"""Any coqui-tts model by its folder: VITS, YourTTS and others that take a speaker, or a recording of one."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import OptionError, UnknownNameError, UnsupportedLanguageError
from voicelip.media import read_audio, write_audio
from voicelip.progress import Progress, silent
from voicelip.speech import coqui_loading
from voicelip.speech.engine import EngineOptions, Speech, Voice
from voicelip.speech.latents import RATE
from voicelip.speech.parts import Part, parts
from voicelip.speech.piecewise import speak_parts

LIMIT = 250  # characters in one go
_READ_AS = {"en": "en-us", "fr": "fr-fr", "pt": "pt-br"}


class CoquiEngine:
    """`coqui:FOLDER`; the folder holds config.json and model.pth, and what these name."""

    name = "coqui"
    languages: tuple[str, ...] = ()  # as the model says

    def __init__(self, options: EngineOptions | None = None) -> None:
        options = options or EngineOptions()
        if options.model_dir is None:
            raise OptionError("the engine coqui needs a model: --engine coqui:FOLDER")
        self._folder, self._device = options.model_dir, options.device

    @property
    def sample_rate(self) -> int:
        """Of the model's sound, in Hz."""
        return int(self._synthesizer.output_sample_rate)

    def synthesize(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Speech:
        """Speak `text`; what babbles or breaks off is spoken again, then reported."""
        if speed != 1.0:
            raise OptionError("the engine coqui has one pace; leave the speed at 1")
        synthesizer = self._synthesizer
        short = lang.strip().lower().replace("_", "-")
        pieces, warnings = parts(text, _READ_AS.get(short, short), LIMIT)
        with tempfile.TemporaryDirectory() as folder:
            chosen = {**self._speaker(voice, Path(folder)), **self._language(short)}

            def generate(part: Part, seed: int) -> np.ndarray:
                import torch

                torch.manual_seed(seed)
                wave = synthesizer.tts(part.text, split_sentences=False, **chosen)
                return np.asarray(wave, np.float32)

            speech = speak_parts(pieces, generate, self.sample_rate, short, speed, progress)
        from dataclasses import replace

        return replace(speech, warnings=voice.warnings + warnings + speech.warnings)

    @functools.cached_property
    def _synthesizer(self) -> Any:
        coqui_loading.require_coqui()
        weights, config, _ = coqui_loading.model_files(self._folder)
        from TTS.utils.synthesizer import Synthesizer

        from voicelip.device import choose

        encoder = {
            "encoder_checkpoint": self._folder / "model_se.pth",
            "encoder_config": self._folder / "config_se.json",
        }
        found = {key: str(path) for key, path in encoder.items() if path.is_file()}
        with coqui_loading.load_failures(self._folder):
            made = Synthesizer(tts_checkpoint=str(weights), tts_config_path=str(config), **found)
            return made.to(choose(self._device).name)

    def _speaker(self, voice: Voice, folder: Path) -> dict[str, Any]:
        """The person's recordings, or the model's own speaker of that name."""
        manager = getattr(self._synthesizer.tts_model, "speaker_manager", None)
        names = list(manager.speaker_names) if manager is not None else []
        if voice.name in names:
            return {"speaker_name": voice.name}
        if voice.recordings and manager is not None and manager.encoder is not None:
            paths = [str(folder / f"{i}.wav") for i in range(len(voice.recordings))]
            for path, recording in zip(paths, voice.recordings, strict=True):
                write_audio(path, read_audio(recording).resampled(RATE))
            # Without a name nothing is kept: coqui-tts would write the voice into the model's folder.
            return {"speaker_wav": paths, "speaker_name": None}
        if len(names) > 1:
            raise UnknownNameError(
                f"this model has no speaker {voice.name!r} and cannot listen to a recording; "
                f"its own are {', '.join(names[:20])}"
            )
        return {"speaker_name": names[0]} if names else {}

    def _language(self, lang: str) -> dict[str, str]:
        manager = getattr(self._synthesizer.tts_model, "language_manager", None)
        names = list(manager.language_names) if manager is not None else []
        if len(names) < 2:
            return {"language_name": names[0]} if names else {}
        for name in (lang, lang.split("-")[0]):
            for known in names:
                if known.lower() == name or known.lower().split("-")[0] == name:
                    return {"language_name": known}
        raise UnsupportedLanguageError(f"this model does not speak {lang!r}; it speaks {', '.join(names)}")
