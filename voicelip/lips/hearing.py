"""What a sound asks of a mouth, by the audio network alone: codes, and how far it opens."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import filters, hub
from voicelip.lips.mel import SAMPLE_RATE, SILENCE, frame_windows, mel_spectrogram
from voicelip.lips.motion import MOTION_FPS, WINDOW_COLUMNS, MotionBasis, lip_gap

MOTION_FILE, BASIS_FILE = "lips_motion.onnx", "lips_basis.npz"
_ANTICIPATION_FRAMES = 4  # 160 ms, by how much lips may be ahead of their sound
_CHUNK_FRAMES = 1500  # a minute: what the recurrent network hears at once
_OVERLAP_FRAMES = 250


def network_session(path: Path) -> Any:
    """One of the networks, loaded."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # Threads that wait busily take the cores from compositing and encoding, which run beside this.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What a long sound needed would be kept to the end; freeing it costs nothing that can be measured.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def motion_codes(network: Any, samples: np.ndarray) -> np.ndarray:
    """(N,) sound at 16 kHz → (T, K) codes at 25 frames a second; long sound is heard in overlapping
    pieces.
    """
    frames = max(1, -(-len(samples) * MOTION_FPS // SAMPLE_RATE))
    mel = mel_spectrogram(np.pad(samples, (0, max(0, 801 - len(samples)))))
    parts = []
    for start in range(0, frames, _CHUNK_FRAMES):
        before = max(0, start - _OVERLAP_FRAMES)
        stop = min(frames, start + _CHUNK_FRAMES)
        after = min(frames, stop + _OVERLAP_FRAMES)
        heard = frame_windows(mel, after - before, MOTION_FPS, WINDOW_COLUMNS, first=before)
        codes = network.run(None, {"windows": heard[None]})[0][0]
        parts.append(codes[start - before : stop - before])
    return np.concatenate(parts) * sounding(mel, frames)[:, None]


def sounding(mel: np.ndarray, frames: int) -> np.ndarray:
    """1 near sound and 0 in digital silence, eased in between; (80, M) → (frames,) at 25 frames a second.

    Lips part a little before the first sound, so the ease begins there; deep in silence nothing moves them.
    """
    loud = frame_windows(mel, frames, MOTION_FPS, 4).mean(axis=1).max(axis=1) > SILENCE + 0.1
    near = filters.maximum(loud.astype(np.float32), 2 * _ANTICIPATION_FRAMES + 1)
    return filters.gaussian(near, 1.0)


def at_rate(codes: np.ndarray, frames: int, fps: Fraction) -> np.ndarray:
    """(T, K) codes at 25 fps → (frames, K) at `fps`, each at its frame's middle."""
    middles = (np.arange(frames) + 0.5) / float(fps) * MOTION_FPS - 0.5
    return np.stack([np.interp(middles, np.arange(len(codes)), column) for column in codes.T], axis=1)


def expected_opening(samples: np.ndarray, frames: int, fps: Fraction) -> np.ndarray:
    """How far a mouth that says `samples` (N,), 16 kHz, is open: (frames,) float32, crop px of the lip gap.

    Heard a minute at a time, so `samples` may lie on disk.
    """
    network, basis = (
        network_session(hub.pretrained(MOTION_FILE)),
        MotionBasis.load(hub.pretrained(BASIS_FILE)),
    )
    step = _CHUNK_FRAMES * SAMPLE_RATE // MOTION_FPS
    context = _OVERLAP_FRAMES * SAMPLE_RATE // MOTION_FPS
    gaps = []
    for start in range(0, max(1, len(samples)), step):
        first = max(0, start - context)
        heard = np.asarray(samples[first : start + step + context], np.float32)
        gap = lip_gap(basis.decode(motion_codes(network, heard)))
        offset = (start - first) * MOTION_FPS // SAMPLE_RATE
        gaps.append(gap[offset : offset + _CHUNK_FRAMES])
    return at_rate(np.concatenate(gaps)[:, None], frames, fps)[:, 0].astype(np.float32)
