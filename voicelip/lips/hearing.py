"""What a sound asks of a mouth, by the audio network alone: codes, and how far it opens."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import filters, hub
from voicelip.lips.mel import SAMPLE_RATE, SILENCE, frame_windows, mel_spectrogram
from voicelip.lips.motion import MOTION_FPS, WINDOW_COLUMNS, MotionBasis, lip_gap

MOTION_FILE, BASIS_FILE = "lips_motion.onnx", "lips_basis.npz"
_ANTICIPATION_FRAMES = 4  # 160 ms, by how much lips may be ahead of their sound
BLOCK = 60 * SAMPLE_RATE  # what `expected_opening` hears at once
_CHUNK_FRAMES = 1500  # a minute: what the recurrent network hears at once
_OVERLAP_FRAMES = 250


def network_session(path: Path, keeps_memory: bool = False) -> Any:
    """One of the networks, loaded. One that `keeps_memory` between its runs suits inputs of one size; what a
    long sound needed would be kept to the end.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # Threads that wait busily take the cores from compositing and encoding, which run beside this.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = keeps_memory
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


def expected_opening(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """How far a mouth that makes this sound is open: (T,) float32 at 25 frames a second, crop px of the lip
    gap.

    `blocks` are the sound at 16 kHz, one after the other, each of `BLOCK` samples but the last.
    """
    network = network_session(hub.pretrained(MOTION_FILE))
    basis = MotionBasis.load(hub.pretrained(BASIS_FILE))
    context = _OVERLAP_FRAMES * SAMPLE_RATE // MOTION_FPS
    gaps = [np.zeros(0, np.float32)]
    before, block = np.zeros(0, np.float32), np.zeros(0, np.float32)
    for following in chain(blocks, [np.zeros(0, np.float32)]):
        if len(block):
            heard = np.concatenate([before, block, following[:context]])
            first = len(before) * MOTION_FPS // SAMPLE_RATE
            gap = lip_gap(basis.decode(motion_codes(network, heard)))
            gaps.append(gap[first : first - (-len(block) * MOTION_FPS // SAMPLE_RATE)].astype(np.float32))
        before, block = block[-context:], following
    return np.concatenate(gaps)
