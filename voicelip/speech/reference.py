"""Recordings of a person as references of their voice: what speaks against one, and how one is cleaned.

The thresholds stand where 301 recordings of LibriSpeech and the faults made on purpose part; docs/voices.md
has the figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from voicelip.errors import BadReferenceError
from voicelip.hashing import content_hash
from voicelip.media import Audio, read_audio
from voicelip.progress import Progress, silent
from voicelip.speech import encoder, measures, waveform
from voicelip.speech.measures import Measures

SHORTEST_S, ENOUGH_S, PLENTY_S, LONGEST_S = 2.0, 6.0, 120.0, 300.0
QUIETEST_DBFS = -60.0
LEAST_SPEECH = 0.25  # of the whole
LEAST_SAMPLE_RATE, PHONE_RATE = 8_000, 11_025
LEVEL_DBFS, PEAK = -25.0, 0.95
LONGEST_PAUSE_S = 0.4
NOISE_FLATNESS_DB = -4.5  # speech at most −12, white noise −2.4
PHONE_BANDWIDTH_HZ = 4_600.0
MUSIC_SHARE, SOME_MUSIC_SHARE = 0.28, 0.18  # speech alone at most 0.17
LEAST_VOICED = 0.15
CLIPPED_SHARE, CLIPPED_BADLY = 0.001, 0.02
GOOD_SNR_DB, LEAST_SNR_DB = 12.0, 6.0
HISS_FLATNESS_DB = -7.0  # flatter than any speech: without pauses, only this tells noise from loud speech
TWO_SPEAKERS = 0.77  # cosine of the two halves that embeddings fall into
OTHER_SPEAKER = 0.70  # cosine of a recording with the rest of them
LEAST_PART = 0.12  # of the windows, for the smaller half to count as a second speaker


@dataclass(frozen=True)
class Finding:
    """Something that speaks against a recording; `refuses` if it cannot serve."""

    kind: str
    text: str
    refuses: bool = False


@dataclass(frozen=True)
class Reference:
    """A recording that can serve, cleaned: trimmed, long pauses shortened, at −25 dBFS."""

    path: Path
    sha256: str
    audio: Audio
    duration_s: float  # of the recording as it came
    speech_s: float
    windows: np.ndarray  # (P, 256) GE2E of stretches of 1.6 s
    findings: tuple[Finding, ...]
    bandwidth_hz: float

    @property
    def embedding(self) -> np.ndarray:
        """(256,) GE2E, length 1."""
        return encoder.middle(self.windows)


def read_reference(path: Path, progress: Progress = silent) -> Reference:
    """The recording at `path`, checked and cleaned; raises BadReferenceError with what is wrong."""
    audio = read_audio(path)
    found = measures_of(path, audio)
    findings = examine(found, audio.sample_rate)
    _refuse(path, findings)
    cleaned = clean(audio)
    windows = encoder.embed_windows(cleaned, progress)
    findings += examine_speakers(windows)
    _refuse(path, findings)
    return Reference(
        path, content_hash(path), cleaned, audio.duration_s, found.speech_s, windows, tuple(findings),
        found.bandwidth_hz,
    )  # fmt: skip


def read_references(paths: Sequence[Path], progress: Progress = silent) -> list[Reference]:
    """Several recordings of one person, 2 s of speech or more in all."""
    references = [read_reference(path, progress) for path in paths]
    hashes = [reference.sha256 for reference in references]
    for i, digest in enumerate(hashes):
        if digest in hashes[:i]:
            raise BadReferenceError(
                f"{paths[i]}: the same recording as {paths[hashes.index(digest)]}; give it once"
            )
    _refuse_strangers(references)
    if sum(reference.speech_s for reference in references) < ENOUGH_S:
        return references
    return [_not_short(reference) for reference in references]


def _not_short(reference: Reference) -> Reference:
    """The same, not blamed for its length, since together the recordings are long enough."""
    return replace(reference, findings=tuple(one for one in reference.findings if one.kind != "short"))


def measures_of(path: Path, audio: Audio) -> Measures:
    """Measure a recording of a length that can be measured."""
    if not np.isfinite(audio.samples).all():
        raise BadReferenceError(
            f"{path}: holds samples that are no numbers; its sample format is wrong, export it as 16-bit WAV"
        )
    if audio.duration_s > LONGEST_S:
        raise BadReferenceError(
            f"{path}: the recording lasts {audio.duration_s / 60:.1f} min, over 5; cut out a clear minute"
        )
    if waveform.dbfs(audio.samples) < QUIETEST_DBFS:
        raise BadReferenceError(f"{path}: the recording is silent; give 2 s to 5 min of one person speaking")
    return measures.measure(audio)


def examine(found: Measures, sample_rate: int) -> list[Finding]:
    """What the sound itself says, the worst first."""
    checks = [*_format_faults(found, sample_rate), *_content_faults(found)]
    too_brief = found.duration_s < SHORTEST_S  # of a moment of sound nothing else can be told
    checks = [*_length_faults(found), *checks] if too_brief else [*checks, *_length_faults(found)]
    return sorted([*checks, *_quality_faults(found)], key=lambda finding: not finding.refuses)


def examine_speakers(windows: np.ndarray) -> list[Finding]:
    """Whether (P, 256) embeddings of one recording are those of one person."""
    cosine, part = two_halves(windows)
    if cosine < TWO_SPEAKERS and part >= LEAST_PART:
        return [
            Finding(
                "two speakers",
                f"two voices are heard ({part:.0%} of it is the second); cut out the parts of one person",
                refuses=True,
            )
        ]
    return []


def two_halves(windows: np.ndarray) -> tuple[float, float]:
    """Embeddings parted in two by likeness: the cosine of the parts' middles, and the smaller part's share.

    Each window is averaged with its neighbours first, since one window of 1.6 s wavers.
    """
    if len(windows) < 5:
        return 1.0, 0.0
    smooth = windows[:-2] + windows[1:-1] + windows[2:]
    smooth = smooth / np.linalg.norm(smooth, axis=1, keepdims=True)
    i, j = np.unravel_index((smooth @ smooth.T).argmin(), (len(smooth), len(smooth)))
    one, other = smooth[i], smooth[j]
    for _ in range(10):
        is_one = smooth @ one >= smooth @ other
        if is_one.all() or not is_one.any():
            return 1.0, 0.0
        one, other = encoder.middle(smooth[is_one]), encoder.middle(smooth[~is_one])
    return float(one @ other), float(min(is_one.mean(), 1 - is_one.mean()))


def clean(audio: Audio) -> Audio:
    """Without silence around it or long pauses in it, free of hum below speech, at a common level."""
    samples = _above_hum(audio.samples, audio.sample_rate)
    samples = _shorter_pauses(samples, audio.sample_rate)
    levels = waveform.frame_levels(samples, audio.sample_rate, measures.FRAME_S)
    spoken = levels[measures.speech_frames(levels)]
    gain = 10 ** (LEVEL_DBFS / 20) / max(float(np.sqrt(np.mean(spoken**2))), 1e-6) if len(spoken) else 1.0
    gain = min(gain, PEAK / max(float(np.abs(samples).max(initial=0.0)), 1e-6))
    return Audio((samples * gain).astype(np.float32), audio.sample_rate)


def _format_faults(found: Measures, sample_rate: int) -> list[Finding]:
    faults = []
    if sample_rate < LEAST_SAMPLE_RATE:
        faults.append(
            Finding(
                "sample rate",
                f"has only {sample_rate} samples a second; record it with 16000 or more",
                refuses=True,
            )
        )
    if found.flatness_db > NOISE_FLATNESS_DB:
        faults.append(
            Finding(
                "noise",
                "sounds like noise throughout: either it is, or its header names the wrong sample format; "
                "export it again as 16-bit WAV",
                refuses=True,
            )
        )
    if found.levels <= 256 and found.flatness_db <= NOISE_FLATNESS_DB:
        faults.append(Finding("8 bit", "has only 8 bits a sample, which hiss; 16 give a better likeness"))
    if LEAST_SAMPLE_RATE <= sample_rate <= PHONE_RATE or found.bandwidth_hz < PHONE_BANDWIDTH_HZ:
        faults.append(
            Finding(
                "telephone",
                f"ends at {min(found.bandwidth_hz, sample_rate / 2) / 1000:.1f} kHz, as a telephone "
                "does; the voice will be duller and less alike than from a recording of 16 kHz or more",
            )
        )
    return faults


def _content_faults(found: Measures) -> list[Finding]:
    if found.steady_share > MUSIC_SHARE:
        return [
            Finding(
                "music",
                f"music is heard in {found.steady_share:.0%} of it; give speech without music",
                refuses=True,
            )
        ]
    if found.steady_share > SOME_MUSIC_SHARE:
        return [Finding("some music", "tones as of music are heard; speech alone gives a better likeness")]
    if found.voiced_share < LEAST_VOICED and found.flatness_db <= NOISE_FLATNESS_DB:
        return [
            Finding("no voice", "hardly a voice is heard in it; give one person speaking aloud", refuses=True)
        ]
    return []


def _length_faults(found: Measures) -> list[Finding]:
    if found.speech_s < SHORTEST_S:
        return [
            Finding(
                "too short",
                f"holds only {found.speech_s:.1f} s of speech; give 6 s to 2 min of one person speaking",
                refuses=True,
            )
        ]
    faults = []
    if found.speech_s < ENOUGH_S:
        faults.append(
            Finding(
                "short", f"is short ({found.speech_s:.1f} s of speech); 6 s to 2 min give a better likeness"
            )
        )
    if found.speech_s < LEAST_SPEECH * found.duration_s:
        faults.append(
            Finding(
                "pauses", f"is mostly silent ({found.speech_s:.0f} of {found.duration_s:.0f} s are speech)"
            )
        )
    if found.speech_s > PLENTY_S:
        faults.append(
            Finding("long", "is longer than 2 min, which only takes time; a clear minute does as well")
        )
    return faults


def _quality_faults(found: Measures) -> list[Finding]:
    faults = []
    if found.clipped_share > CLIPPED_BADLY:
        faults.append(
            Finding(
                "clipped",
                f"is overdriven: {found.clipped_share:.0%} of it is cut off at full scale; record it "
                "more quietly",
                refuses=True,
            )
        )
    elif found.clipped_share > CLIPPED_SHARE:
        faults.append(
            Finding("clipped", "is overdriven in places; record it more quietly for a better likeness")
        )
    if found.snr_db < LEAST_SNR_DB and found.flatness_db > HISS_FLATNESS_DB:
        faults.append(
            Finding(
                "noisy",
                f"drowns in noise (speech is {found.snr_db:.0f} dB above it); record it in a quiet room",
                refuses=True,
            )
        )
    elif found.snr_db < GOOD_SNR_DB:
        faults.append(
            Finding(
                "noisy",
                f"is noisy (speech is {found.snr_db:.0f} dB above the noise); quiet rooms serve better",
            )
        )
    return faults


def _refuse(path: Path, findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.refuses:
            raise BadReferenceError(f"{path}: {finding.text}")


def _refuse_strangers(references: Sequence[Reference]) -> None:
    """Recordings of different people do not make one voice."""
    if len(references) < 2:
        return
    each = np.stack([reference.embedding for reference in references])
    for i, reference in enumerate(references):
        cosine = float(each[i] @ encoder.middle(np.delete(each, i, axis=0)))
        if cosine < OTHER_SPEAKER:
            rest = "the other recording" if len(references) == 2 else "the other recordings"
            raise BadReferenceError(
                f"{reference.path}: sounds like somebody else than {rest} (likeness {cosine:.2f}); "
                f"give recordings of one person"
            )


def _above_hum(samples: np.ndarray, rate: int) -> np.ndarray:
    from scipy.signal import butter, sosfiltfilt

    if len(samples) < rate // 2:
        return samples - samples.mean()
    result: np.ndarray = sosfiltfilt(butter(2, 50.0, "highpass", fs=rate, output="sos"), samples)
    return result.astype(np.float32)


def _shorter_pauses(samples: np.ndarray, rate: int) -> np.ndarray:
    levels = waveform.frame_levels(samples, rate, measures.FRAME_S)
    reach = round(LONGEST_PAUSE_S / measures.FRAME_S / 2)
    near_speech = np.convolve(measures.speech_frames(levels), np.ones(2 * reach + 1), mode="same") > 0
    return samples[np.repeat(near_speech, round(rate * measures.FRAME_S))[: len(samples)]]
