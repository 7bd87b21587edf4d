"""XTTS-v2 (Casanova et al. 2024) through coqui-tts: a voice from seconds of speech, in 17 languages.

The weights are under the Coqui Public Model License; they are loaded only after its terms were accepted.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import hub, terms
from voicelip.errors import ArtifactError, ModelFileError, OptionError, UnsupportedLanguageError
from voicelip.hashing import content_hash
from voicelip.progress import Progress, silent
from voicelip.speech import coqui_loading, latents
from voicelip.speech.engine import EngineOptions, Speech, Voice
from voicelip.speech.parts import Part, parts
from voicelip.speech.piecewise import speak_parts, stream_parts

TERMS = "xtts-v2"
HUB_NAME = "tts_models/multilingual/multi-dataset/xtts_v2"
SLOWEST, FASTEST = 0.5, 2.0
SEED_STEP = 7919

# Characters that the model was made for in one go; beyond them it drops or repeats words.
LIMITS = {
    "en": 250, "es": 239, "fr": 273, "de": 253, "it": 213, "pt": 203, "pl": 224, "tr": 226, "ru": 182,
    "nl": 251, "cs": 186, "ar": 166, "zh-cn": 82, "hu": 224, "ko": 95, "ja": 71, "hi": 150,
}  # fmt: skip
_READ_AS = {"en": "en-us", "fr": "fr-fr", "pt": "pt-br"}  # the names that reading.read knows


class XttsEngine:
    """The model is loaded at the first word, and kept."""

    name = "xtts"
    languages = tuple(LIMITS)
    sample_rate = 24_000

    def __init__(self, options: EngineOptions | None = None) -> None:
        self._options = options or EngineOptions()
        self._loaded: tuple[Any, Any, str] | None = None

    def synthesize(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Speech:
        """Speak `text`; what babbles or breaks off is spoken again, then reported."""
        lang, pieces, warnings = self._prepared(text, lang, speed)
        model, config, fingerprint = self._model(progress)
        speaker = latents.conditioning(model, config, fingerprint, voice, progress)

        def generate(part: Part, seed: int) -> np.ndarray:
            _seed(pieces.index(part), seed)
            spoken = model.inference(part.text, lang, *speaker, speed=speed, **_settings(config))
            return np.asarray(spoken["wav"], np.float32)

        speech = speak_parts(pieces, generate, self.sample_rate, lang, speed, progress)
        return _with_warnings(speech, voice.warnings + warnings)

    def stream(
        self, text: str, voice: Voice, lang: str, speed: float = 1.0, progress: Progress = silent
    ) -> Iterator[Speech]:
        """Speak `text` as it is generated, about a second at a time."""
        lang, pieces, warnings = self._prepared(text, lang, speed)
        model, config, fingerprint = self._model(progress)
        speaker = latents.conditioning(model, config, fingerprint, voice, progress)

        def chunks(part: Part) -> Iterator[np.ndarray]:
            _seed(pieces.index(part), 0)
            for chunk in model.inference_stream(part.text, lang, *speaker, speed=speed, **_settings(config)):
                yield chunk.detach().cpu().numpy()

        yield from stream_parts(pieces, chunks, self.sample_rate, lang, speed, voice.warnings + warnings)

    def _prepared(self, text: str, lang: str, speed: float) -> tuple[str, list[Part], tuple[str, ...]]:
        if not SLOWEST <= speed <= FASTEST:
            raise OptionError(f"speed {speed:g} is out of range; choose {SLOWEST:g} to {FASTEST:g}")
        lang = resolve_language(lang)
        pieces, warnings = parts(text, _READ_AS.get(lang, lang), LIMITS[lang])
        return lang, pieces, warnings

    def _model(self, progress: Progress) -> tuple[Any, Any, str]:
        if self._loaded is None:
            terms.require(TERMS)
            coqui_loading.require_coqui()
            folder = self._options.model_dir or _from_hub(progress)
            self._loaded = _load(folder, self._options.device)
        return self._loaded


def resolve_language(lang: str) -> str:
    """XTTS's name of a language as users write it."""
    wanted = lang.strip().lower().replace("_", "-")
    for name in (wanted, wanted.split("-")[0]):
        name = "zh-cn" if name == "zh" else name
        if name in LIMITS:
            return name
    raise UnsupportedLanguageError(
        f"language {lang!r} is not spoken by xtts; choose one of {', '.join(LIMITS)}"
    )


def _load(folder: Path, device: str) -> tuple[Any, Any, str]:
    """The model, its configuration, and what tells it from other models."""
    weights, config_path, facts = coqui_loading.model_files(folder)
    if facts.get("model") != "xtts":
        raise ModelFileError(
            f"{folder}: holds a {facts.get('model')!r} model, not xtts; try --engine coqui:{folder}"
        )
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    from voicelip.device import choose

    with coqui_loading.load_failures(folder):
        config = XttsConfig()
        config.load_json(str(config_path))
        model = Xtts(config)
        model.load_checkpoint(config, checkpoint_dir=str(folder), checkpoint_path=str(weights), eval=True)
        # Full precision everywhere: half overflows in its vocoder.
        model.to(choose(device).name).eval()
    return model, config, f"{content_hash(config_path)} {weights.stat().st_size}"


def _from_hub(progress: Progress) -> Path:
    """The weights from coqui-tts's own download, which checks them."""
    advice = "give the folder with config.json, model.pth and vocab.json by --model-dir"
    if hub.offline():
        raise ArtifactError(f"VOICELIP_OFFLINE forbids downloads of XTTS-v2 (1.9 GB); {advice}")
    from TTS.utils.manage import ModelManager

    # The terms were accepted by `voicelip models accept`; coqui-tts would ask again, on the terminal.
    os.environ["COQUI_TOS_AGREED"] = "1"
    progress("fetch xtts-v2", 0, None)
    try:
        path, _, _ = ModelManager(progress_bar=False).download_model(HUB_NAME)
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ArtifactError(f"XTTS-v2 (1.9 GB) could not be fetched ({reason}); {advice}") from error
    progress("fetch xtts-v2", 1, 1)
    return Path(path)


def _settings(config: Any) -> dict[str, Any]:
    names = ("temperature", "length_penalty", "repetition_penalty", "top_k", "top_p")
    return {name: getattr(config, name) for name in names}


def _seed(part: int, attempt: int) -> None:
    import torch

    torch.manual_seed(part + SEED_STEP * attempt)


def _with_warnings(speech: Speech, warnings: tuple[str, ...]) -> Speech:
    from dataclasses import replace

    return replace(speech, warnings=warnings + speech.warnings)
