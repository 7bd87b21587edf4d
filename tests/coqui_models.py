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


def make_your_tts(folder: Path) -> Path:
    """A VITS that takes d-vectors, a speaker encoder beside it, two speakers of its own, two languages."""
    import torch
    from TTS.encoder.configs.speaker_encoder_config import SpeakerEncoderConfig
    from TTS.encoder.utils.generic_utils import setup_encoder_model
    from TTS.tts.configs.shared_configs import CharactersConfig
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits, VitsArgs

    folder.mkdir(parents=True)
    speakers = {
        f"{name}.wav": {"name": name, "embedding": [i / 32] * 32} for i, name in enumerate(("ann", "bob"))
    }
    (folder / "speakers.json").write_text(json.dumps(speakers))
    (folder / "language_ids.json").write_text(json.dumps({"en": 0, "pt-br": 1}))
    config = VitsConfig(
        model_args=VitsArgs(
            hidden_channels=16, hidden_channels_ffn_text_encoder=16, num_heads_text_encoder=2,
            num_layers_text_encoder=1, num_layers_flow=1, num_layers_posterior_encoder=1,
            upsample_initial_channel_decoder=32, use_d_vector_file=True, d_vector_dim=32,
            d_vector_file=[str(folder / "speakers.json")], use_language_embedding=True,
            embedded_language_dim=4, language_ids_file=str(folder / "language_ids.json"),
            speakers_file=str(folder / "speakers.json"), num_chars=40, use_sdp=False,
            init_discriminator=False,
        ),
        characters=CharactersConfig(characters=LETTERS[:33], punctuations=" .,!?", pad="_", blank="~",
                                    eos="&", bos="*",
                                    characters_class="TTS.tts.utils.text.characters.Graphemes"),
        text_cleaner="multilingual_cleaners", use_phonemes=False,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Vits(config)
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    config.save_json(str(folder / "config.json"))
    lstm = {"model_name": "lstm", "input_dim": 80, "proj_dim": 32, "lstm_dim": 32, "num_lstm_layers": 1,
            "use_lstm_with_projection": False}  # fmt: skip
    encoder_config = SpeakerEncoderConfig(
        model_params=lstm, num_loader_workers=0, num_classes_in_batch=2, num_utter_per_class=2
    )
    encoder = setup_encoder_model(encoder_config)
    torch.save({"model": encoder.state_dict()}, folder / "model_se.pth")
    encoder_config.save_json(str(folder / "config_se.json"))
    return folder
