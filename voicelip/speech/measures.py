"""What can be measured of a recording to tell whether it shows a voice well; all at 16 kHz."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from voicelip.media import Audio
from voicelip.speech import waveform
from voicelip.speech.pitch import HOP_S, pitch_track

RATE = 16_000
FRAME_S = 0.03
QUIET_FRAME_S = 0.01  # short, so that the stops within words show the noise of a recording without pauses
PAUSE_S = 0.5  # shorter ones belong to the speech
SPEECH_OVER_FLOOR_DB = 9.0  # a frame counts as speech so far above the quietest ones…
SPEECH_BELOW_LOUD_DB = 32.0  # …and not farther than this below the loud ones
NEAR_FULL_SCALE = 0.985
LOUDER_DB = 25.0
SPECTRUM = 1024  # samples in a window of the spectrogram: 64 ms
SPECTRUM_HOP = 256
BANDWIDTH_DB = 62.0
TONES_HZ = (600.0, 3000.0)
TONE_DB = 12.0  # a partial stands out of its surroundings so far
TONE_S = 0.3  # and holds its frequency so long, which hardly a voice's harmonic does


@dataclass(frozen=True)
class Measures:
    """Of one recording."""

    duration_s: float
    speech_s: float
    level_dbfs: float  # of the frames that hold speech
    snr_db: float  # speech over the quietest tenth
    clipped_share: float  # of all samples
    bandwidth_hz: float  # where the spectrum ends
    steady_share: float  # of the louder frames: those with a tone that holds its frequency
    flatness_db: float  # median of the louder frames' spectra; −2.5 for white noise
    voiced_share: float  # of the frames that hold speech
    levels: int  # different sample values, which tell 8-bit sound


def measure(audio: Audio) -> Measures:
    """Measure a recording as it is, before any cleaning."""
    sound = audio.resampled(RATE).samples
    levels = waveform.frame_levels(sound, RATE, FRAME_S)
    is_speech = speech_frames(levels)
    voiced = pitch_track(sound) > 0
    spectrum = spectrogram(sound)
    return Measures(
        duration_s=audio.duration_s,
        speech_s=min(audio.duration_s, float(_with_short_pauses(is_speech).sum() * FRAME_S)),
        level_dbfs=_decibels(np.sqrt(np.mean(levels[is_speech] ** 2))) if is_speech.any() else -np.inf,
        snr_db=_snr_db(sound, levels, is_speech),
        clipped_share=clipped_share(audio.samples),
        bandwidth_hz=bandwidth_hz(audio),
        steady_share=steady_share(spectrum),
        flatness_db=_flatness_db(spectrum),
        voiced_share=float(min(1.0, voiced.sum() * HOP_S / max(is_speech.sum() * FRAME_S, FRAME_S))),
        levels=len(np.unique(audio.samples[: 20 * audio.sample_rate])),
    )


def speech_frames(levels: np.ndarray) -> np.ndarray:
    """(F,) bool for levels of frames of 30 ms: louder than the noise, and not far below the loudest."""
    if not len(levels) or levels.max() <= 1e-5:
        return np.zeros(len(levels), bool)
    decibels = 20 * np.log10(np.maximum(levels, 1e-6))
    loud = np.percentile(decibels, 95)
    floor = np.percentile(decibels, 5)
    threshold = max(loud - SPEECH_BELOW_LOUD_DB, min(floor + SPEECH_OVER_FLOOR_DB, loud - 6.0))
    result: np.ndarray = decibels > threshold
    return result


def clipped_share(samples: np.ndarray) -> float:
    """Share of samples in runs of two or more at the recording's own ceiling, if that is near full scale."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < 0.2:
        return 0.0
    at_ceiling = np.abs(samples) >= NEAR_FULL_SCALE * peak
    in_run = at_ceiling[1:] & at_ceiling[:-1] & (np.abs(samples[1:] - samples[:-1]) < 0.01 * peak)
    return float(in_run.mean())


def bandwidth_hz(audio: Audio) -> float:
    """The frequency above which nothing is left: 62 dB below the strongest part of the mean spectrum."""
    size = 2048
    if len(audio.samples) < size:
        return audio.sample_rate / 2
    frames = np.lib.stride_tricks.sliding_window_view(audio.samples, size)[:: size // 2]
    levels = np.sqrt(np.mean(frames**2, axis=1))
    loud = frames[levels >= np.percentile(levels, 50)]
    power = np.mean(np.abs(np.fft.rfft(loud * np.hanning(size), axis=1)) ** 2, axis=0)
    smooth = np.convolve(power, np.ones(9) / 9, mode="same")
    above = np.flatnonzero(smooth > smooth.max() * 10 ** (-BANDWIDTH_DB / 10))
    return float((above[-1] + 1) * audio.sample_rate / size)


def spectrogram(samples: np.ndarray) -> np.ndarray:
    """(T, 513) dB."""
    padded = np.pad(samples.astype(np.float32), (0, max(0, SPECTRUM - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, SPECTRUM)[::SPECTRUM_HOP]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(SPECTRUM).astype(np.float32), axis=1))
    result: np.ndarray = 20 * np.log10(np.maximum(magnitude, 1e-6))
    return result


def steady_share(spectrum: np.ndarray) -> float:
    """Share of the louder frames in which a partial between 600 and 3000 Hz holds still, as notes do."""
    low, high = (round(hz * SPECTRUM / RATE) for hz in TONES_HZ)
    band = spectrum[:, low - 8 : high + 9]
    around = np.stack([np.roll(band, step, axis=1) for step in (-8, -7, -6, 6, 7, 8)]).mean(axis=0)
    peak = (band > np.roll(band, 1, axis=1)) & (band >= np.roll(band, -1, axis=1)) & (band - around > TONE_DB)
    peak &= band > np.percentile(band.max(axis=1), 90) - 30
    run = round(TONE_S * RATE / SPECTRUM_HOP)
    if len(peak) < run:
        return 0.0
    wide = peak | np.roll(peak, 1, axis=1)  # a partial between two bins may flicker
    held = np.lib.stride_tricks.sliding_window_view(wide, run, axis=0).sum(axis=2) >= 0.9 * run
    anywhere = held[:, 8:-8].any(axis=1)
    covered = np.convolve(anywhere, np.ones(run)) > 0
    loudness = band.max(axis=1)
    louder = loudness > np.percentile(loudness, 95) - 35
    return float(covered[louder].mean())


def _with_short_pauses(is_speech: np.ndarray) -> np.ndarray:
    """Speech frames and the pauses between them that are shorter than half a second."""
    at = np.flatnonzero(is_speech)
    filled = is_speech.copy()
    for before, after in pairwise(at):
        if (after - before) * FRAME_S <= PAUSE_S:
            filled[before:after] = True
    return filled


def _snr_db(sound: np.ndarray, levels: np.ndarray, is_speech: np.ndarray) -> float:
    if not is_speech.any():
        return 0.0
    speech = np.sqrt(np.mean(levels[is_speech] ** 2))
    quiet = np.percentile(waveform.frame_levels(sound, RATE, QUIET_FRAME_S), 3)
    return min(80.0, _decibels(speech) - _decibels(quiet))


def _flatness_db(spectrum: np.ndarray) -> float:
    band = spectrum[:, 4:-16]
    loudness = band.max(axis=1)
    louder = band[loudness >= np.percentile(loudness, 95) - LOUDER_DB]
    power = 10 ** (louder / 10)
    return float(np.median(louder.mean(axis=1) - 10 * np.log10(np.maximum(power.mean(axis=1), 1e-12))))


def _decibels(level: float) -> float:
    return float(20 * np.log10(max(float(level), 1e-6)))
