"""Metrics of synthesised speech: word error rate, and cosine of speaker embeddings (SECS)."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from voicelip.errors import VoicelipError
from voicelip.media import Audio

# Without a hint the recogniser may write Hindi in Arabic or Latin letters.
SCRIPT_PROMPTS = {"hi": "यह हिन्दी में लिखा है।"}


def secs(audio: Audio, centroid: np.ndarray) -> float:
    """Cosine of the GE2E embedding of `audio` with a (256,) centroid of other recordings."""
    from voicelip.speech.encoder import embed

    return float(embed(audio) @ centroid)


def centroid(embeddings: Sequence[np.ndarray]) -> np.ndarray:
    """(256,) float32 of length 1: the direction in the middle of several embeddings."""
    mean = np.mean(embeddings, axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def words(text: str) -> list[str]:
    """Words as they are compared: lower case, no punctuation; marks of Indic scripts stay."""
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" or c in "'’" else " " for c in text.lower())
    return re.sub(r"['’]", "", unicodedata.normalize("NFC", kept)).split()


def edit_distance(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest substitutions, deletions and insertions that turn one into the other."""
    row = list(range(len(heard) + 1))
    for i, one in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]


def word_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Errors, and words that there should be; sum both over texts before dividing."""
    return edit_distance(words(wanted), words(heard)), len(words(wanted))


def letter_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Errors in letters, spaces left out, and letters that there should be."""
    letters = ["".join(words(text)) for text in (wanted, heard)]
    return edit_distance(*letters), len(letters[0])


def dnsmos(audio: Audio) -> float:
    """Overall quality, 1 to 5, as the DNSMOS P.835 network hears it."""
    try:
        from speechmos import dnsmos as network
    except ImportError:
        raise VoicelipError(
            "DNSMOS needs speechmos; run `pip install voicelip[evaluate]`, or leave it out with --no-dnsmos"
        ) from None
    samples = audio.resampled(16_000).samples.astype(np.float64)
    return float(network.run(np.clip(samples, -1, 1), sr=16_000, return_df=False)["ovrl_mos"])


def transcribe(audio: Audio, lang: str) -> str:
    """What faster-whisper base hears; `lang` is the two-letter code."""
    samples = audio.resampled(16_000).samples
    from voicelip.speech.recognise import recogniser

    pieces, _ = recogniser().transcribe(
        samples,
        language=lang,
        beam_size=5,
        condition_on_previous_text=False,
        initial_prompt=SCRIPT_PROMPTS.get(lang),
    )
    return " ".join(piece.text.strip() for piece in pieces)
