"""The inaudible watermark: put into speech, found after what happens to files, and not in other speech."""

import io
from fractions import Fraction

import numpy as np
import pytest

from voicelip.media import Audio, read_audio
from voicelip.pipeline import PRESENTER_VOICE
from voicelip.trust import watermark

# What the published library adds to `vowels(32_000, 4)`, every 4133rd sample from the 2000th on.
PUBLISHED = (
    *(-0.0068, -0.01471, 0.00531, -0.06063, 0.00571, -0.00463, 0.0116, 0.01307, 0.04666, 0.00308),
    *(0.009, 0.00869, 0.00858, -0.01197, -0.00902, 0.02405, 0.03159, 0.00578, -0.01271, -0.00375),
    *(0.01362, -0.02229, -0.00223, 0.00495, 0.01221, 0.01418, 0.00739, 0.00565, -0.01284, -0.00706),
)


def vowels(rate: int, seconds: float) -> np.ndarray:
    """(N,) float32: a voice of harmonics with two moving formants."""
    t = np.arange(int(seconds * rate)) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    first, second = 500 + 300 * np.sin(2 * np.pi * 1.3 * t), 1600
    sound = np.zeros(len(t))
    for k in range(1, 25):
        strength = np.exp(-(((k * pitch - first) / 400) ** 2))
        strength += 0.3 * np.exp(-(((k * pitch - second) / 500) ** 2))
        sound += strength * np.cos(k * phase)
    return (0.1 * sound * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)


@pytest.fixture(scope="module")
def speech() -> Audio:
    return read_audio(PRESENTER_VOICE)


@pytest.fixture(scope="module")
def marked(speech) -> Audio:
    return watermark.mark(speech).audio


def test_marked_speech_is_told_from_unmarked(speech, marked):
    assert watermark.find(marked).score > 0.9
    assert watermark.find(speech).score < 0.3


def test_what_is_added_is_what_the_published_library_adds():
    samples = vowels(32_000, 4)
    added = next(watermark.Marker(32_000, peak=10).mark([samples])) - samples
    assert added[2000 : 2000 + 30 * 4133 : 4133] == pytest.approx(PUBLISHED, abs=1e-3)


def test_the_published_library_finds_our_mark_and_we_find_its(speech, marked):
    perth = pytest.importorskip("perth", reason="resemble-perth is not installed")
    library = perth.PerthImplicitWatermarker()
    assert library.get_watermark(marked.samples, marked.sample_rate) == 1
    theirs = library.apply_watermark(speech.samples, speech.sample_rate)
    assert watermark.find(Audio(theirs, speech.sample_rate)).is_found


def test_length_rate_and_peak_stay_and_so_does_all_above_2_khz(speech, marked):
    assert marked.sample_rate == speech.sample_rate
    assert len(marked.samples) == len(speech.samples)
    assert np.abs(marked.samples).max() <= np.abs(speech.samples).max() + 1e-6
    frequencies = np.fft.rfftfreq(len(speech.samples), 1 / speech.sample_rate)
    high = frequencies > 2200
    was = np.abs(np.fft.rfft(speech.samples))[high]
    is_now = np.abs(np.fft.rfft(marked.samples - speech.samples))[high]
    assert (is_now**2).sum() < 1e-4 * (was**2).sum()


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
def test_any_sample_rate(speech, rate):
    assert watermark.find(watermark.mark(speech.resampled(rate)).audio).is_found


def test_the_mark_does_not_depend_on_how_the_sound_is_cut(speech):
    samples = np.tile(speech.samples, 6)  # longer than two pieces
    whole = np.concatenate(list(watermark.Marker(24_000).mark([samples])))
    cuts = np.split(samples, range(7001, len(samples), 7001))
    assert np.array_equal(whole, np.concatenate(list(watermark.Marker(24_000).mark(cuts))))
    at_once = np.concatenate(list(watermark.Marker(24_000).mark([samples[: 15 * 24_000]])))
    assert np.allclose(whole[: 13 * 24_000], at_once[: 13 * 24_000], atol=1e-4)


def test_a_marked_sentence_is_found_in_a_long_recording(speech, marked):
    unmarked = np.tile(speech.samples, 4)
    found = watermark.find(Audio(np.concatenate([unmarked, marked.samples[: 24_000 * 5], unmarked]), 24_000))
    assert found.is_found
    assert found.start_s == pytest.approx(len(unmarked) / 24_000, abs=2.5)


@pytest.mark.parametrize("seconds", [0, 0.05, 0.2])
def test_speech_too_short_to_carry_it_is_told(speech, seconds):
    short = Audio(speech.samples[24_000 : 24_000 + int(seconds * 24_000)], 24_000)
    result = watermark.mark(short)
    assert len(result.audio.samples) == len(short.samples)
    assert "too short" in result.warnings[0]


def test_digital_silence_stays_silent_and_is_told():
    result = watermark.mark(Audio(np.zeros(96_000, np.float32), 48_000))
    assert result.warnings
    assert not result.audio.samples.any()


def test_ordinary_speech_raises_no_warning(speech):
    assert watermark.mark(speech).warnings == ()


def encoded(audio: Audio, codec: str, container: str, kilobits: int) -> Audio:
    """Through a lossy codec and back, at 48 kHz."""
    import av

    samples, file = audio.resampled(48_000).samples, io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        stream.codec_context.bit_rate = kilobits * 1000
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    file.seek(0)
    with av.open(file) as source:
        frames = [each.to_ndarray().mean(axis=0) for each in source.decode(audio=0)]
    return Audio(np.concatenate(frames).astype(np.float32), 48_000)


def hastened(audio: Audio, speed: float) -> Audio:
    places = np.arange(int(len(audio.samples) / speed)) * speed
    samples = np.interp(places, np.arange(len(audio.samples)), audio.samples).astype(np.float32)
    return Audio(samples, audio.sample_rate)


def test_found_after_encoding(marked):
    assert watermark.find(encoded(marked, "aac", "mp4", 32)).is_found
    assert watermark.find(encoded(marked, "aac", "mp4", 64)).is_found


def test_found_in_telephone_quality_and_quieter(marked):
    quiet = marked.resampled(8000)
    assert watermark.find(Audio(quiet.samples / 2, 8000)).is_found


@pytest.mark.parametrize("speed", [1.1, 1.0417, 0.9])
def test_found_when_played_at_another_speed(marked, speed):
    found = watermark.find(hastened(marked, speed))
    assert found.is_found
    assert found.speed == pytest.approx(speed, abs=0.021)


def test_found_in_three_seconds_and_under_noise(marked):
    cut = marked.samples[24_000 * 2 : 24_000 * 5]
    noise = np.random.default_rng(0).normal(0, 1, len(marked.samples)).cumsum()  # louder where speech is
    noise -= np.convolve(noise, np.full(500, 1 / 500), "same")
    noise *= np.sqrt((marked.samples**2).mean() / (noise**2).mean()) / 10
    assert watermark.find(Audio(cut, 24_000)).is_found
    assert watermark.find(Audio((marked.samples + noise).astype(np.float32), 24_000)).is_found


def test_other_sounds_are_not_taken_for_marked():
    rng = np.random.default_rng(1)
    sounds = [
        vowels(16_000, 8),
        rng.normal(0, 0.1, 128_000).astype(np.float32),
        np.sin(2 * np.pi * 440 * np.arange(128_000) / 16_000).astype(np.float32),
    ]
    assert not any(watermark.find(Audio(sound, 16_000)).is_found for sound in sounds)
