"""The sound of a dub: speech over a background, in time, at its loudness, however long."""

import math
import sys
import wave
from collections.abc import Iterator
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
from media_samples import make_video, numbered

from voicelip.dub import mix, separate
from voicelip.dub.job import CueState, Fit
from voicelip.dub.level import LoudnessMeter, held_down
from voicelip.dub.options import DubOptions
from voicelip.dub.room_tone import RoomTone
from voicelip.dub.sound_stage import SoundStage
from voicelip.dub.speech_track import SpeechTrack, turns, write_stem
from voicelip.dub.takes import Takes, Wish
from voicelip.dub.timemap import Stretch, TimeMap
from voicelip.dub.warped import warped
from voicelip.errors import OptionError
from voicelip.media import Audio, Clip, VideoWriter, read_audio, write_audio
from voicelip.media.mux import SoundTrack, mux
from voicelip.media.sound_stream import SoundReader, channels_of
from voicelip.pipeline import PRESENTER_VOICE
from voicelip.progress import silent
from voicelip.speech import Speech, loudness
from voicelip.trust.watermark import Marker, find

RATE = mix.RATE
SPEECH_RATE = 24_000


def tone(seconds: float, hz: float, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds: float, level: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


def blocks(samples: np.ndarray, length: int = 7_777) -> Iterator[np.ndarray]:
    """(C, N) in pieces."""
    return (samples[:, at : at + length] for at in range(0, samples.shape[1], length))


def level_at(samples: np.ndarray, hz: float, rate: int = RATE) -> float:
    """How much of a tone there is: its amplitude."""
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / rate)
    return float(2 * np.abs((samples * turn).mean()))


# Loudness and peaks in blocks


def test_loudness_in_blocks_is_that_of_the_whole() -> None:
    sound = np.stack([noise(6, 0.1), noise(6, 0.05, seed=1)])
    sound[:, 2 * RATE : 3 * RATE] = 0
    meter = LoudnessMeter(RATE, 2)
    for block in blocks(sound):
        meter.add(block)
    whole = pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(np.float64))
    assert meter.lufs == pytest.approx(whole, abs=1e-6)


def test_silence_has_no_loudness() -> None:
    meter = LoudnessMeter(RATE, 1)
    meter.add(np.zeros((1, RATE), np.float32))
    assert meter.lufs == -np.inf


def test_peaks_are_held_in_blocks_as_in_the_whole_and_alike_on_both_channels() -> None:
    loud = noise(3, 0.4)
    held = np.concatenate(list(held_down(blocks(loud[None]), RATE)), axis=1)[0]
    np.testing.assert_allclose(held, loudness.limited(loud, RATE), atol=1e-6)
    both = np.concatenate(list(held_down(blocks(np.stack([loud, loud / 2])), RATE)), axis=1)
    np.testing.assert_allclose(both[1], both[0] / 2, atol=1e-6)


# Reading in blocks


def test_sound_in_blocks_is_the_sound_as_a_whole(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", [numbered(0)] * 50, sound=tone(2, 440, 16_000), sound_starts_s=0.25)
    whole = read_audio(clip, RATE).samples
    reader = SoundReader(clip, RATE, 1)
    streamed = np.concatenate([reader.read(n) for n in (5, 4_000, 30_000, 90_000)], axis=1)[0]
    assert np.abs(streamed[: len(whole)] - whole[: len(streamed)]).max() < 0.02
    assert reader.ended


def test_two_channels_stay_two(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    left, right = tone(1, 300), tone(1, 500)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.stack([left, right], axis=1) * 32767).astype("<i2").tobytes())
    assert channels_of(path) == 2
    read = SoundReader(path, RATE, 2).read(RATE)
    np.testing.assert_allclose(read, np.stack([left, right]), atol=1e-4)
    np.testing.assert_allclose(SoundReader(path, RATE, 1).read(RATE)[0], (left + right) / 2, atol=1e-4)


def test_slowed_sound_keeps_its_pitch_and_what_follows_comes_later(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sound = np.concatenate([tone(2, 300), tone(1, 900)])
    write_audio(path, Audio(sound, RATE))
    times = TimeMap.slowed([Stretch(Fraction(1), Fraction(2), Fraction(5, 4))])
    slow = np.concatenate(
        list(warped(SoundReader(path, RATE, 1), times, round(3.25 * RATE), 10_000)), axis=1
    )[0]
    assert len(slow) == round(3.25 * RATE)
    np.testing.assert_allclose(slow[:RATE], sound[:RATE], atol=1e-4)
    np.testing.assert_allclose(slow[round(2.25 * RATE) :], sound[2 * RATE :], atol=1e-4)
    middle = slow[round(1.2 * RATE) : round(2.1 * RATE)]
    pitch = np.abs(np.fft.rfft(middle)).argmax() * RATE / len(middle)
    assert pitch == pytest.approx(300, abs=3)
    assert np.abs(np.diff(slow)).max() < 0.05  # no click where the stretches meet


# Speech in its place


@pytest.fixture
def takes(tmp_path: Path) -> Takes:
    """An engine that hums for half a second a word, at its pitch, with silence around."""

    def hum(wish: Wish) -> Speech:
        seconds = 0.5 * len(wish.text.split()) / wish.speed
        quiet = np.zeros(SPEECH_RATE // 7, np.float32)
        samples = np.concatenate([quiet, tone(seconds, 440, SPEECH_RATE, 0.2), quiet])
        return Speech(Audio(samples, SPEECH_RATE), ())

    folder = tmp_path / "takes"
    folder.mkdir()
    return Takes(folder, hum)


def placed(takes: Takes, number: int, start_s: float, words: int = 2, speaker: str = "") -> CueState:
    take = takes.take(Wish(" ".join(["mm"] * words), "stock:ef_dora", "", "es", 1.0, "kokoro", True))
    fit = Fit("natural", 1.0, 1.0, start_s, start_s + take.spoken_s, 2.0)
    return CueState(number, start_s, start_s + 2, "mm", speaker, "stock:ef_dora", "es", 1, {}, (take,), fit)


def onset_s(samples: np.ndarray, rate: int) -> float:
    return float(np.flatnonzero(np.abs(samples) > 0.02)[0] / rate)


def test_speech_is_heard_when_its_cue_begins_also_in_the_sixtieth_minute(takes: Takes) -> None:
    track = SpeechTrack([placed(takes, 1, 0.4), placed(takes, 2, 3599.123)], takes, RATE)
    assert onset_s(track.read(0, 2 * RATE), RATE) == pytest.approx(0.4, abs=0.005)
    late = track.read(3598 * RATE, 3600 * RATE)
    assert onset_s(late, RATE) + 3598 == pytest.approx(3599.123, abs=0.005)


def test_a_track_is_the_same_however_it_is_read(takes: Takes) -> None:
    track = SpeechTrack([placed(takes, n, 0.9 * n) for n in range(5)], takes, RATE)
    whole = track.read(0, 6 * RATE)
    parts = np.concatenate([track.read(at, at + 12_345) for at in range(0, 6 * RATE, 12_345)])
    np.testing.assert_array_equal(parts[: len(whole)], whole)


def test_a_stem_on_disk_holds_one_speaker_in_the_dubs_time(takes: Takes, tmp_path: Path) -> None:
    cues = [placed(takes, 1, 0.5, speaker="Ana"), placed(takes, 2, 2.0, speaker="Ben")]
    ben = SpeechTrack(cues[1:], takes, 16_000)
    stem = write_stem(tmp_path / "ben.f32", ben, 4 * 16_000)
    assert stem.shape == (64_000,)
    np.testing.assert_array_equal(stem, ben.read(0, 64_000))
    assert not stem[: round(1.98 * 16_000)].any()
    assert [(turn.speaker, turn.start_s) for turn in turns(cues)] == [("Ana", 0.5), ("Ben", 2.0)]


def test_a_take_is_spoken_once_and_again_if_its_file_was_damaged(takes: Takes) -> None:
    wish = Wish("mm mm", "stock:ef_dora", "", "es", 1.0, "kokoro", True)
    first = takes.take(wish)
    assert takes.take(wish) == first
    assert takes.made == 1
    assert first.spoken_s == pytest.approx(1.0, abs=0.02)
    (takes._folder / f"{first.key}.wav").write_bytes(b"RIFF")
    assert takes.take(wish) == first
    assert takes.made == 2


# The mix


def scene(seconds: float, slots: list[tuple[float, float]], channels: int = 1) -> mix.Scene:
    return mix.Scene(TimeMap(), round(seconds * RATE), channels, slots)


def mixed(takes: Takes, path: Path, cues: list[CueState], own: bool, seconds: float = 8.0) -> np.ndarray:
    slots = [(cue.fit.start_s, cue.fit.end_s) for cue in cues if cue.fit]
    original = mix.listened(path, 1)
    track = SpeechTrack(cues, takes, RATE)
    return np.concatenate(
        list(mix.mixed(track, mix.Bed(path, own), scene(seconds, slots), original)), axis=1
    )[0]


def test_the_original_is_kept_down_under_the_dub_and_comes_back_after(takes: Takes, tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", Audio(tone(8, 1000, level=0.1), RATE))
    heard = mixed(takes, tmp_path / "a.wav", [placed(takes, 1, 3.0)], own=True)
    before, under = (
        level_at(heard[RATE : 2 * RATE], 1000),
        level_at(heard[round(3.2 * RATE) : round(3.8 * RATE)], 1000),
    )
    after = level_at(heard[6 * RATE : 7 * RATE], 1000)
    assert before == pytest.approx(0.1, rel=0.02)
    assert after == pytest.approx(0.1, rel=0.02)
    assert 20 * np.log10(under / before) == pytest.approx(mix.DUCKED_DB, abs=1)
    assert np.abs(np.diff(heard[round(2.5 * RATE) : round(2.99 * RATE)])).max() < 0.02  # eased, no click


def test_a_track_of_music_and_effects_is_left_as_it_is(takes: Takes, tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", Audio(tone(8, 1000, level=0.1), RATE))
    heard = mixed(takes, tmp_path / "a.wav", [placed(takes, 1, 3.0)], own=False)
    under = level_at(heard[round(3.2 * RATE) : round(3.8 * RATE)], 1000)
    assert under == pytest.approx(0.1, rel=0.05)


def test_the_room_is_heard_under_the_dub_as_it_is_between(takes: Takes, tmp_path: Path) -> None:
    room = noise(12, 0.003)
    room[5 * RATE : 7 * RATE] += tone(2, 700, level=0.2)  # the original speaker
    write_audio(tmp_path / "a.wav", Audio(room, RATE))
    quiet = placed(takes, 1, 5.0, words=1)
    slots = [(5.0, 7.0)]
    original = mix.listened(tmp_path / "a.wav", 1)
    track = SpeechTrack([quiet], takes, RATE)
    bed = mix.Bed(tmp_path / "a.wav", True)
    heard = np.concatenate(list(mix.mixed(track, bed, scene(12, slots), original)), axis=1)[0]
    kept_down = heard[round(6.0 * RATE) : round(6.9 * RATE)]
    left = 10 ** (mix.DUCKED_DB / 20) * tone(2, 700, level=0.2)[RATE : round(1.9 * RATE)]
    room_level = float(np.std(kept_down - left))
    assert room_level == pytest.approx(0.003, rel=0.2)


def test_where_there_always_is_music_no_room_is_made_up() -> None:
    listener = RoomTone(RATE, 1)
    listener.add((tone(4, 300) + noise(4, 0.02))[None])
    assert not listener.read(0, RATE).any()


def test_room_tone_has_the_colour_and_level_of_the_quiet_moments() -> None:
    room = np.convolve(noise(6, 0.002), np.ones(8) / 8, mode="same").astype(np.float32)
    louder = room + noise(6, 0.05, seed=2) * (np.arange(len(room)) > 3 * RATE)
    listener = RoomTone(RATE, 1)
    for block in blocks(louder[None].astype(np.float32), RATE):
        listener.add(block)
    made = listener.read(12_345, 4 * RATE)[0]
    assert np.std(made) == pytest.approx(np.std(room), rel=0.1)
    for low, high in ((100, 2_000), (20_000, 24_000)):
        made_power, room_power = (
            (np.abs(np.fft.rfft(sound[: 2 * RATE])) ** 2)[low:high].mean() for sound in (made, room)
        )
        assert made_power == pytest.approx(room_power, rel=0.4)


@pytest.mark.parametrize("lufs", [-16.0, -23.0])
def test_the_whole_has_the_loudness_that_was_asked_for(lufs: float) -> None:
    sound = np.stack([noise(8, 0.02), noise(8, 0.03, seed=1)])
    loud = np.concatenate(
        list(mix.levelled(lambda: blocks(sound), lambda: blocks(sound), 2, lufs, lambda done: None)), axis=1
    )
    assert pyloudnorm.Meter(RATE).integrated_loudness(loud.T.astype(np.float64)) == pytest.approx(
        lufs, abs=0.2
    )


def test_speech_gets_the_loudness_of_the_original(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", Audio(noise(4, 0.01), RATE))
    original = mix.listened(tmp_path / "a.wav", 1)
    assert 20 * np.log10(original.speech_gain) == pytest.approx(original.lufs + 16, abs=1e-6)
    assert mix.listened(None, 1).speech_gain == 1.0


# Taking the speech out


def test_a_separated_background_is_whole_however_many_blocks_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(separate, "_BLOCK_S", 2)
    sound = tone(7, 300)
    write_audio(tmp_path / "a.wav", Audio(sound, RATE))
    heard = []

    def halved(block: np.ndarray) -> np.ndarray:
        heard.append(block.shape[1] / RATE)
        return block / 2

    reader = SoundReader(tmp_path / "a.wav", RATE, 2)
    left = np.concatenate(list(separate.without_voice(reader, len(sound), halved)), axis=1)
    np.testing.assert_allclose(left, np.stack([sound, sound]) / 2, atol=1e-4)
    assert heard == [12, 12, 12, 11]  # a block with five seconds before and after


def test_the_whole_mix_bears_the_watermark_where_little_is_said() -> None:
    """The original between the cues bears it too, in both channels alike."""
    rng = np.random.default_rng(0)
    own = read_audio(PRESENTER_VOICE, RATE).samples
    sound = 0.5 * np.resize(own, 30 * RATE) * (0.6 + 0.4 * np.sin(np.arange(30 * RATE) / RATE))
    stereo = np.stack([sound, 0.3 * sound + rng.normal(0, 0.003, len(sound))]).astype(np.float32)
    marker = Marker(RATE, math.inf)
    heard = np.concatenate(list(mix.marked(blocks(stereo), lambda sound, rate: marker.mark(sound))), axis=1)
    assert heard.shape == stereo.shape
    assert not find(Audio(stereo.mean(axis=0), RATE)).is_found
    assert find(Audio(heard.mean(axis=0), RATE)).score > 0.9
    change = heard - stereo
    np.testing.assert_allclose(change[0], change[1], atol=1e-6)
    assert np.abs(change).max() < 0.2 * np.abs(stereo).max()


def test_without_demucs_separation_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "demucs", None)
    with pytest.raises(OptionError, match=r"pip install 'voicelip\[separate\]'"):
        separate.check()


@pytest.mark.slow
def test_in_an_hour_every_cue_is_heard_within_a_frame_and_none_drifts(
    takes: Takes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SoundStage, "_mark", lambda self, spoken, rate: spoken)  # it moves nothing in time
    fps = Fraction(30000, 1001)
    minute = tmp_path / "minute.mp4"
    with VideoWriter(minute, 32, 32, fps, preset="ultrafast") as writer:
        for _ in range(round(60 * fps)):
            writer.write_frame(np.zeros((32, 32, 3), np.uint8))
    frames = 60 * round(60 * fps)
    hiss = noise(1, 0.001)[None]
    mux(tmp_path / "hour.mp4", [minute] * 60, fps, [SoundTrack(repeat(hiss, 3600), RATE, 1)])
    starts = np.arange(7.0, 3590, 11) + np.random.default_rng(0).uniform(0, 5, 326).round(3)
    cues = [placed(takes, n, float(start)) for n, start in enumerate(starts, 1)]
    stage = SoundStage(
        Clip(tmp_path / "hour.mp4"), cues, takes, TimeMap(), frames, "es", DubOptions(), None, silent
    )
    stage.write(tmp_path / "dub.mp4", [minute] * 60, False, lambda path: None)
    reader = SoundReader(tmp_path / "dub.mp4", RATE, 1)
    errors, at = [], 0
    for start in starts:
        first = round(start * RATE) - RATE // 2
        reader.read(first - at)
        errors.append(onset_s(reader.read(RATE), RATE) - 0.5)
        at = first + RATE
    assert np.abs(errors).max() < 0.04
    assert abs(np.mean(errors[-50:]) - np.mean(errors[:50])) < 0.002
    print(f"largest error {1000 * np.abs(errors).max():.1f} ms of {len(errors)} cues")
