"""Sound: read from anything, resampled well, aligned with the picture."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from media_samples import counting_video

from voicelip.errors import OptionError, OutputError, UnreadableMediaError
from voicelip.media import Audio, read_audio, sound_stream, write_audio
from voicelip.media.sound_stream import sound_on_disk


def tone(frequency, seconds, rate, level=0.5):
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def beep(at_s, seconds, rate):
    samples = np.zeros(round(seconds * rate), np.float32)
    start = round(at_s * rate)
    samples[start : start + rate // 20] = tone(1000, 0.05, rate)
    return samples


def onset_s(audio):
    return np.flatnonzero(np.abs(audio.samples) > 0.15)[0] / audio.sample_rate


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_written_sound_reads_back(tmp_path, suffix):
    audio = Audio(tone(440, 0.7, 24000), 24000)
    path = tmp_path / f"voice.{suffix}"
    write_audio(path, audio)
    again = read_audio(path)
    assert again.sample_rate == 24000
    assert again.duration_s == pytest.approx(0.7)
    assert np.abs(again.samples - audio.samples).max() < 1e-4
    assert again.samples.dtype == np.float32


def test_a_beginning_is_the_beginning_of_the_whole(tmp_path):
    path = tmp_path / "long.wav"
    write_audio(path, Audio(tone(440, 3, 16000), 16000))
    whole, part = read_audio(path), read_audio(path, stop_s=1.2)
    assert part.duration_s == pytest.approx(1.2)
    assert (part.samples == whole.samples[: len(part.samples)]).all()
    assert (read_audio(path, stop_s=60).samples == whole.samples).all()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_format_has_the_same_level(tmp_path, subtype):
    stereo = np.stack([tone(440, 0.3, 16000, 0.8), np.zeros(4800, np.float32)], axis=1)
    soundfile.write(tmp_path / "in.wav", stereo, 16000, subtype=subtype)
    audio = read_audio(tmp_path / "in.wav")
    assert audio.samples.shape == (4800,)
    assert np.abs(audio.samples - stereo[:, 0] / 2).max() < 0.01


@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("m4a", "aac"), ("ogg", "libopus")])
def test_compressed_sound(tmp_path, suffix, codec):
    path = tmp_path / f"voice.{suffix}"
    rate = 48000
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(beep(0.5, 1, rate)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    audio = read_audio(path, 16000)
    assert audio.sample_rate == 16000
    assert audio.duration_s == pytest.approx(1, abs=0.03)
    assert onset_s(audio) == pytest.approx(0.5, abs=0.01)


def test_resampling_keeps_the_band_and_stops_the_rest():
    kept = Audio(tone(3000, 1, 44100), 44100).resampled(16000)
    assert len(kept.samples) == 16000
    middle = slice(1000, -1000)
    assert np.abs(kept.samples - tone(3000, 1, 16000))[middle].max() < 2e-3
    stopped = Audio(tone(11000, 1, 44100), 44100).resampled(16000)
    assert np.abs(stopped.samples[middle]).max() < 2e-3
    same = Audio(kept.samples, 16000)
    assert same.resampled(16000) is same


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_sound_is_placed_by_the_picture(tmp_path, suffix):
    rate = 16000
    late_sound = counting_video(
        tmp_path / f"late.{suffix}", 50, sound=beep(0.2, 1, rate), sound_starts_s=0.6, picture_starts_s=0.0
    )
    assert onset_s(read_audio(late_sound)) == pytest.approx(0.8, abs=0.03)
    late_picture = counting_video(
        tmp_path / f"early.{suffix}", 25, sound=beep(0.9, 1.5, rate), sound_starts_s=0.0, picture_starts_s=0.4
    )
    assert onset_s(read_audio(late_picture)) == pytest.approx(0.5, abs=0.03)


def test_bad_sound_is_told_in_a_line(tmp_path):
    mute = counting_video(tmp_path / "mute.mp4", 3)
    with pytest.raises(UnreadableMediaError, match="holds no sound"):
        read_audio(mute)
    (tmp_path / "noise.wav").write_bytes(b"RIFF\0\0\0\0junk")
    with pytest.raises(UnreadableMediaError):
        read_audio(tmp_path / "noise.wav")
    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), 16000)
    with pytest.raises(UnreadableMediaError):
        read_audio(tmp_path / "none.wav")


def test_a_cut_recording_gives_what_is_there(tmp_path):
    write_audio(tmp_path / "voice.wav", Audio(tone(440, 2, 16000), 16000))
    whole = (tmp_path / "voice.wav").read_bytes()
    (tmp_path / "voice.wav").write_bytes(whole[: len(whole) // 2])
    assert read_audio(tmp_path / "voice.wav").duration_s == pytest.approx(1, abs=0.1)


def test_writing_sound_is_careful(tmp_path):
    audio = Audio(tone(440, 0.1, 16000), 16000)
    path = tmp_path / "voice.wav"
    path.write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        write_audio(path, audio)
    assert path.read_text() == "mine"
    write_audio(path, audio, overwrite=True)
    assert read_audio(path).duration_s == pytest.approx(0.1)
    with pytest.raises(OptionError, match=r"\.wav or \.flac"):
        write_audio(tmp_path / "voice.mp3", audio)
    assert [entry.name for entry in tmp_path.iterdir()] == ["voice.wav"]


def test_sound_on_disk_is_the_sound_itself(tmp_path):
    path = tmp_path / "long.wav"
    write_audio(path, Audio(tone(440, 3.25, 16000), 16000))
    whole = read_audio(path)
    with sound_on_disk(path, 16000) as audio:
        assert whole.duration_s <= audio.duration_s <= whole.duration_s + 0.1
        assert (audio.samples[: len(whole.samples)] == whole.samples).all()


def test_sound_for_which_the_disk_has_no_place(tmp_path, monkeypatch):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no device that is always full")
    write_audio(tmp_path / "a.wav", Audio(tone(440, 1, 16000), 16000))
    monkeypatch.setattr(sound_stream, "TemporaryFile", lambda prefix: full.open("wb"))
    with pytest.raises(OutputError, match="TMPDIR"), sound_on_disk(tmp_path / "a.wav", 16000):
        pass
