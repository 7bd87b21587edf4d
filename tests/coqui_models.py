"""Tiny models with random weights, in the files that coqui-tts's real ones come in."""

import functools
import json
from pathlib import Path

import pytest

from voicelip import compat

LETTERS = "abcdefghijklmnopqrstuvwxyzáéíóúñç'.,!?-"
LANGUAGES = (
    "en",
    "es",
    "fr",
    "de",
    "it",
    "pt",
    "pl",
    "tr",
    "ru",
    "nl",
    "cs",
    "ar",
    "zh-cn",
    "hu",
    "ko",
    "ja",
    "hi",
)


def require_coqui() -> None:
    """Skip where the package is not installed."""
    compat.torchaudio()
    pytest.importorskip("TTS", reason="coqui-tts is not installed (pip install 'voicelip[xtts]')")


def shrink_vocoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """XTTS's vocoder has its size in code, not in the configuration: 92 MB and seconds for each word."""
    from TTS.tts.models import xtts

    small = functools.partial(xtts.HifiDecoder, upsample_initial_channel_decoder=32)
    monkeypatch.setattr(xtts, "HifiDecoder", small)


def make_xtts(folder: Path) -> Path:
    """An XTTS with two small layers."""
    import torch
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts, XttsArgs

    folder.mkdir(parents=True)
    vocabulary = _vocabulary()
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    count = len(vocabulary["model"]["vocab"])
    config = XttsConfig(
        model_args=XttsArgs(
            gpt_layers=2, gpt_n_model_channels=64, gpt_n_heads=2, gpt_max_audio_tokens=40,
            gpt_max_text_tokens=120, gpt_num_audio_tokens=66, gpt_start_audio_token=64,
            gpt_stop_audio_token=65, gpt_use_perceiver_resampler=True, decoder_input_dim=64,
            gpt_number_text_tokens=count, gpt_start_text_token=3, gpt_stop_text_token=0,
        ),
    )  # fmt: skip
    torch.manual_seed(0)
    model = Xtts(config)
    model.init_models()
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    config.save_json(str(folder / "config.json"))
    return folder


def _vocabulary() -> dict:
    """Byte-pair encoding without merges: special tokens, languages, letters."""
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", *(f"[{name}]" for name in LANGUAGES)]
    vocab = {token: i for i, token in enumerate([*special, *LETTERS])}
    return {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "post_processor": None,
        "decoder": None, "pre_tokenizer": {"type": "Whitespace"},
        "added_tokens": [
            {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True}
            for i, token in enumerate(special)
        ],
        "model": {"type": "BPE", "dropout": None, "unk_token": "[UNK]", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "vocab": vocab, "merges": []},
    }  # fmt: skip
