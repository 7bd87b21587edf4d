"""What XTTS takes of a speaker: computed once from the recordings, and kept."""

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.errors import BadReferenceError
from voicelip.hashing import content_hash
from voicelip.media import Audio, read_audio, write_audio
from voicelip.progress import Progress, silent
from voicelip.speech.engine import Voice

RATE = 22_050
STOCK_TEXT = (
    "The morning was bright, and the streets were still quiet when she opened the window. "
    "Nobody had told her that the letter would arrive today, of all days."
)


def conditioning(
    model: Any, config: Any, fingerprint: str, voice: Voice, progress: Progress = silent
) -> tuple[Any, Any]:
    """XTTS's conditioning latents and speaker embedding of a voice, as tensors."""
    recordings = _recordings(voice, progress)
    file = _folder(voice) / f"xtts_{_key(fingerprint, recordings)}.npz"
    if not file.exists():
        _write(file, *_computed(model, config, recordings))
    import torch

    with np.load(file, allow_pickle=False) as kept:
        return torch.from_numpy(kept["gpt"]), torch.from_numpy(kept["speaker"])


def _computed(model: Any, config: Any, recordings: Sequence[Path]) -> tuple[Any, Any]:
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, recording in enumerate(recordings):
            # XTTS reads sound files only; ours may be videos.
            paths.append(str(Path(folder) / f"{i}.wav"))
            write_audio(paths[-1], read_audio(recording).resampled(RATE))
        gpt, speaker = model.get_conditioning_latents(
            audio_path=paths,
            max_ref_length=config.max_ref_len,
            gpt_cond_len=config.gpt_cond_len,
            gpt_cond_chunk_len=config.gpt_cond_chunk_len,
            sound_norm_refs=config.sound_norm_refs,
        )
    return gpt.cpu().numpy(), speaker.cpu().numpy()


def _recordings(voice: Voice, progress: Progress) -> tuple[Path, ...]:
    if voice.recordings:
        return voice.recordings
    if not voice.is_stock:
        raise BadReferenceError(
            f"the voice {voice.name!r} keeps no recording, which xtts listens to; "
            f"add it again with `voicelip voice add {voice.name} FILE... --keep-audio --overwrite`"
        )
    return (_stock_recording(voice, progress),)


def _stock_recording(voice: Voice, progress: Progress) -> Path:
    """A stock voice speaks for XTTS to listen to."""
    path = hub.home() / "latents" / f"{voice.name}.wav"
    if not path.exists():
        from voicelip.speech.kokoro import KokoroEngine

        path.parent.mkdir(parents=True, exist_ok=True)
        spoken = KokoroEngine().synthesize(STOCK_TEXT, voice, "en-us", progress=progress)
        write_audio(path, Audio(spoken.audio.samples, spoken.audio.sample_rate))
    return path


def _folder(voice: Voice) -> Path:
    """The profile's own folder if it is one, else the application's."""
    profile = voice.reference.parent if voice.reference and voice.reference.name == "profile.json" else None
    return profile or hub.home() / "latents"


def _key(fingerprint: str, recordings: Sequence[Path]) -> str:
    import hashlib

    hashes = [_hash(str(path), path.stat().st_mtime_ns) for path in recordings]
    return hashlib.sha256(" ".join([fingerprint, *hashes]).encode()).hexdigest()[:24]


@functools.lru_cache(64)
def _hash(path: str, changed_ns: int) -> str:
    return content_hash(Path(path))


def _write(file: Path, gpt: np.ndarray, speaker: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npz")
    np.savez(part, gpt=gpt, speaker=speaker)
    part.replace(file)
