"""How fast somebody speaks."""

import numpy as np

from voicelip.media import Audio
from voicelip.speech.measures import FRAME_S, speech_frames
from voicelip.speech.waveform import frame_levels


def syllable_rate(audio: Audio) -> float | None:
    """Syllables per second of speech: peaks of the loudness that stand 2 dB out (after de Jong & Wempe
    2009).
    """
    from scipy.signal import butter, find_peaks, sosfiltfilt

    sound = audio.resampled(16_000).samples
    spoken_s = float(speech_frames(frame_levels(sound, 16_000, FRAME_S)).sum() * FRAME_S)
    if spoken_s < 1:
        return None
    voice_band = sosfiltfilt(butter(2, [300, 3000], "bandpass", fs=16_000, output="sos"), sound)
    levels = 20 * np.log10(np.maximum(frame_levels(voice_band, 16_000, 0.01), 1e-5))
    smooth = np.convolve(levels, np.hanning(9) / np.hanning(9).sum(), mode="same")
    peaks, _ = find_peaks(smooth, height=np.percentile(smooth, 95) - 25, prominence=2.0, distance=8)
    return round(len(peaks) / spoken_s, 2)
