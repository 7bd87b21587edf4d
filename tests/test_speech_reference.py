"""Each fault of a reference recording gets its own clear answer; clean recordings get none."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from voice_samples import RATE, voice

from voicelip.errors import BadReferenceError
from voicelip.media import Audio, read_audio, write_audio
from voicelip.speech import measures, reference
from voicelip.speech.pitch import HIGHEST_HZ, pitch_of, pitch_track
from voicelip.speech.reference import read_reference, read_references

RECORDINGS = Path(__file__).parent.parent.parent / "shared" / "data" / "librispeech"
PRESENTER = Path(__file__).parent.parent / "voicelip" / "assets" / "presenter.wav"


def music(seconds: float) -> np.ndarray:
    """A chord of a new root every half second."""
    t = np.arange(round(seconds * RATE)) / RATE
    root = 220 * 2 ** (np.array([0, 5, 7, 3])[(t * 2).astype(int) % 4] / 12)
    chord = sum(np.sin(2 * np.pi * root * step * h * t) / h for step in (1, 1.25, 1.5) for h in range(1, 8))
    return (0.1 * chord).astype(np.float32)


def noise(seconds: float, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (level * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def sine_of_bits(samples: np.ndarray) -> np.ndarray:
    """The bytes of floating-point samples taken for 16-bit ones."""
    return (np.frombuffer(samples.astype("<f4").tobytes(), "<i2") / 32768).astype(np.float32)


def two_people() -> np.ndarray:
    presenter = read_audio(PRESENTER, RATE).samples
    return np.concatenate([voice(6).samples, presenter])


REFUSED = {
    "music": (music(8), "music is heard"),
    "speech over music": (voice(8).samples + music(8), "music is heard"),
    "two speakers": (two_people(), "two voices are heard"),
    "one second": (voice(1).samples, r"1\.0 s of speech"),
    "a word in silence": (np.concatenate([voice(1).samples, np.zeros(8 * RATE)]), r"1\.\d s of speech"),
    "clipped badly": (np.clip(voice(8).samples * 12, -1, 1), "overdriven"),
    "wrong sample format": (sine_of_bits(voice(4).samples), "wrong sample format"),
    "noise": (noise(8), "like noise throughout"),
    "silence": (np.zeros(8 * RATE), "is silent"),
    "far too long": (np.tile(voice(10).samples, 31), "over 5"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_serve_is_refused_with_the_reason(tmp_path: Path, fault: str) -> None:
    samples, said = REFUSED[fault]
    path = tmp_path / "me.wav"
    write_audio(path, Audio(samples.astype(np.float32), RATE))
    with pytest.raises(BadReferenceError, match=said) as caught:
        read_reference(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def telephone(seconds: float) -> Audio:
    return voice(seconds).resampled(8_000)


WARNED = {
    "telephone": (telephone(8), "telephone"),
    "telephone, stored at a higher rate": (telephone(8).resampled(RATE), "telephone"),
    "short": (voice(3), "short"),
    "clipped a little": (Audio(np.clip(voice(8).samples * 5, -1, 1), RATE), "clipped"),
    "noisy": (Audio(voice(12).samples + noise(12, 0.019), RATE), "noisy"),
    "mostly silent": (Audio(np.concatenate([voice(7).samples, noise(30, 1e-4)]), RATE), "pauses"),
}


@pytest.mark.parametrize("fault", WARNED)
def test_what_serves_badly_is_named(tmp_path: Path, fault: str) -> None:
    audio, kind = WARNED[fault]
    path = tmp_path / "me.wav"
    write_audio(path, audio)
    assert [finding.kind for finding in read_reference(path).findings] == [kind]


def test_eight_bits_and_impossible_numbers_are_told_apart(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "8.wav", voice(8).samples, RATE, subtype="PCM_U8")
    assert "8 bit" in [finding.kind for finding in read_reference(tmp_path / "8.wav").findings]
    broken = voice(8).samples.copy()
    broken[1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, RATE, subtype="FLOAT")
    with pytest.raises(BadReferenceError, match="no numbers"):
        read_reference(tmp_path / "nan.wav")


def test_a_sample_rate_below_a_telephone_s_is_refused(tmp_path: Path) -> None:
    write_audio(tmp_path / "slow.wav", voice(8).resampled(6_000))
    with pytest.raises(BadReferenceError, match="only 6000 samples a second"):
        read_reference(tmp_path / "slow.wav")


def test_a_clean_recording_is_cleaned_and_not_blamed(tmp_path: Path) -> None:
    quiet = np.zeros(2 * RATE, np.float32)
    spoken = 0.2 * voice(8).samples + 0.01  # soft, and off the middle
    write_audio(tmp_path / "me.wav", Audio(np.concatenate([quiet, spoken, quiet, spoken, quiet]), RATE))
    found = read_reference(tmp_path / "me.wav")
    assert found.findings == ()
    assert found.duration_s == pytest.approx(22)
    assert found.audio.duration_s == pytest.approx(16.5, abs=0.8)
    assert abs(found.audio.samples.mean()) < 1e-4
    levels = np.abs(found.audio.samples)
    assert 0.05 < levels.max() < 0.96


def test_recordings_of_two_people_or_one_given_twice_make_no_voice(tmp_path: Path) -> None:
    for name, audio in (("a", voice(6)), ("b", voice(6, seed=3)), ("copy", voice(6))):
        write_audio(tmp_path / f"{name}.wav", audio)
    a, b, copy = (tmp_path / f"{name}.wav" for name in ("a", "b", "copy"))
    assert len(read_references([a, b])) == 2
    with pytest.raises(BadReferenceError, match=r"copy\.wav: the same recording as .*a\.wav"):
        read_references([a, b, copy])
    with pytest.raises(BadReferenceError, match=r"presenter\.wav: sounds like somebody else"):
        read_references([a, b, PRESENTER])


@pytest.mark.parametrize("hz", [85, 130, 210, 320])
def test_pitch_is_measured_within_a_few_percent(hz: float) -> None:
    t = np.arange(4 * RATE) / RATE
    glide = hz * 2 ** (np.sin(2 * np.pi * 0.5 * t) * 3 / 12)
    pulses = np.diff(np.floor(np.cumsum(glide) / RATE), prepend=0).astype(np.float32)
    pitch = pitch_of(Audio(pulses + noise(4, 0.01), RATE))
    assert pitch is not None
    assert pitch.median_hz == pytest.approx(hz, rel=0.03)
    assert pitch.range_semitones == pytest.approx(5.8, abs=0.8)
    assert pitch_of(Audio(noise(3), RATE)) is None


def test_a_sound_that_only_swells_has_no_pitch() -> None:
    swelling = np.cumsum(noise(3)).astype(np.float32)  # alike from sample to sample, but with no period
    track = pitch_track(swelling / np.abs(swelling).max())
    assert (track <= 1.1 * HIGHEST_HZ).all()


def test_clean_speech_of_many_people_raises_hardly_an_alarm() -> None:
    if not (RECORDINGS / "one_each").is_dir():
        pytest.skip(f"no recordings of many people at {RECORDINGS}")
    alarms = {}
    files = sorted((RECORDINGS / "one_each").iterdir())[::7]
    for path in files:
        audio = read_audio(path)
        found = reference.examine(measures.measure(audio), audio.sample_rate)
        kinds = {finding.kind for finding in found} - {"short", "too short"}
        if kinds:
            alarms[path.name] = kinds
    assert len(alarms) <= 0.04 * len(files), alarms


def test_two_people_in_one_recording_are_heard_and_one_person_is_not_taken_for_two() -> None:
    if not (RECORDINGS / "ten_each").is_dir():
        pytest.skip(f"no recordings of several people at {RECORDINGS}")
    from voicelip.speech import encoder

    people = [
        [encoder.embed_windows(read_audio(path)) for path in sorted(folder.iterdir())[:3]]
        for folder in sorted((RECORDINGS / "ten_each").iterdir())
    ]
    for i, mine in enumerate(people):
        assert not reference.examine_speakers(np.concatenate(mine))
        theirs = people[i - 1]
        assert reference.examine_speakers(np.concatenate([*mine, *theirs]))
