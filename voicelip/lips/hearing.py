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
_NEARBY_FRAMES = 75
_ROOM_SHARE = 0.1  # of the way from the room's level to the loudest; breath parts lips too, and is above it
_SOFTEST = 1.6  # below the loudest, 20 dB: softer stretches of 0.4 s and more are no speech
_ROOM_SWAY = 0.5  # 6 dB: how much louder than its quietest a room may get
_DIGITAL_SILENCE = 0.1
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
    """1 near speech and 0 in its pauses, eased in between; (80, M) → (frames,) at 25 frames a second.

    Lips part a little before the first sound, so the ease begins there; deep in a pause nothing moves them,
    whatever the room or the microphone adds: what is heard there says nothing about a mouth.
    """
    columns = mel.mean(axis=0, keepdims=True)
    level = frame_windows(columns, frames, MOTION_FPS, 4).max(axis=(1, 2)) - SILENCE
    near = filters.maximum((level > _least_speech(level)).astype(np.float32), 2 * _ANTICIPATION_FRAMES + 1)
    return filters.gaussian(near, 1.0)


def _least_speech(level: np.ndarray) -> np.ndarray:
    """Above which level a frame belongs to speech; (T,) mean of the mel bands above silence → (T,).

    That lies between the room's level and the loudest nearby, so that a soft speaker after a loud one is
    heard, and well below the latter, so that where noise is as loud as soft speech nothing is cut off.
    """
    room, loudest = np.quantile(level, [0.05, 0.95])
    nearby = filters.maximum(level, 2 * _NEARBY_FRAMES + 1)
    between = np.minimum(room + _ROOM_SHARE * (nearby - room), nearby - _SOFTEST)
    only_room = min(room + _ROOM_SWAY, loudest - _SOFTEST)
    return np.maximum(np.maximum(between, only_room), _DIGITAL_SILENCE)


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
