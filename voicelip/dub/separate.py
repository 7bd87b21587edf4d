"""The clip's own sound without its speech, by Demucs (Rouard, Massa, Défossez 2023), where that is installed.

The model hears a minute at a time, with some seconds around it, so memory does not grow with the clip.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import ArtifactError, OptionError
from voicelip.media.output import temporary_beside
from voicelip.media.sound_stream import SoundReader
from voicelip.progress import Progress

MODEL = "htdemucs"
_BLOCK_S, _AROUND_S, _FADE_S = 60, 5, 1
_FAINTEST = 1e-5  # full scale


def check() -> None:
    """Refuse what could not be done later, before any work."""
    try:
        import demucs.apply  # noqa: F401
    except ImportError:
        raise OptionError(
            "taking the speech out needs Demucs; run: pip install 'voicelip[separate]', or use --bed duck"
        ) from None


def background(clip: Path, seconds: float, out: Path, device: str, progress: Progress) -> Path:
    """`out`, a WAV file of all that is no voice in the clip's sound; what is there already is not made again.

    Raises ArtifactError if the model's weights cannot be had.
    """
    import soundfile

    if out.is_file():
        return out
    model = _model()
    rate = int(model.samplerate)
    total = round(seconds * rate)
    temporary = temporary_beside(out)
    try:
        with soundfile.SoundFile(str(temporary), "w", rate, 2, "PCM_16") as file:
            done = 0
            for block in without_voice(SoundReader(clip, rate, 2), total, _separator(model, device)):
                file.write(block.T)
                done += block.shape[1]
                progress("separating", done / rate, seconds, "s")
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return out


def without_voice(
    reader: SoundReader, total: int, separate: Callable[[np.ndarray], np.ndarray]
) -> Iterator[np.ndarray]:
    """(2, N) blocks, `total` samples in all, of what `separate` leaves of the sound; it hears each block with
    what is around it, and two neighbours are faded into each other.
    """
    rate = reader.rate
    block, around, fade = _BLOCK_S * rate, _AROUND_S * rate, _FADE_S * rate
    heard = np.zeros((2, around), np.float32)  # before the first block there is silence
    tail: np.ndarray | None = None
    for start in range(0, total, block):
        count = min(block, total - start)
        heard = np.concatenate([heard, reader.read(around + count + around - heard.shape[1])], axis=1)
        left = separate(heard)
        part = left[:, around : around + count].copy()
        if tail is not None:
            ramp = np.linspace(0, 1, fade, dtype=np.float32)[: part.shape[1]]
            part[:, : len(ramp)] = part[:, : len(ramp)] * ramp + tail[:, : len(ramp)] * (1 - ramp)
        tail = left[:, around + count : around + count + fade]
        heard = heard[:, count:]
        yield part


def _separator(model: Any, device: str) -> Callable[[np.ndarray], np.ndarray]:
    import torch
    from demucs.apply import apply_model

    from voicelip.device import choose

    place = choose(device).name
    voices = model.sources.index("vocals")

    def separate(sound: np.ndarray) -> np.ndarray:
        middle, spread = float(sound.mean()), float(sound.std())
        if spread < _FAINTEST:
            return sound
        mixture = torch.from_numpy((sound - middle) / spread)[None]
        with torch.inference_mode():
            parts = apply_model(model, mixture, shifts=0, split=True, overlap=0.25, device=place)[0]
        voice = parts[voices].cpu().numpy() * spread
        return np.asarray(sound - voice, np.float32)

    return separate


def _model() -> Any:
    from demucs.pretrained import get_model

    try:
        model = get_model(MODEL)
    except (Exception, SystemExit) as failure:  # whatever its downloader raises
        reason = " ".join(str(failure).split())[:120]
        raise ArtifactError(
            f"Demucs' weights ({MODEL}) could not be had ({reason}); see its own help"
        ) from None
    return model.eval()
