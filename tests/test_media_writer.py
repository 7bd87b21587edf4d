"""The writer: picture and sound of one length, whole or not at all."""

import resource
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_samples import number_in, numbered

from voicelip.errors import OptionError, OutputError
from voicelip.media import Clip, VideoWriter, check_output, read_audio

SIZE = (192, 48)


def durations_s(path):
    with av.open(str(path)) as container:
        return [float(stream.duration * stream.time_base) for stream in container.streams]


def write(path, count=25, fps=25, failure=None, **options):
    with VideoWriter(path, *SIZE, fps, **options) as writer:
        for index in range(count):
            writer.write_frame(numbered(index))
        if failure:
            assert options.get("overwrite") or not path.exists()
            raise failure


def write_noise(path, count=30):
    rng = np.random.default_rng(0)
    with VideoWriter(path, *SIZE, 25) as writer:
        for _ in range(count):
            writer.write_frame(rng.integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8))


def test_frames_come_back_in_number_rate_and_size(tmp_path):
    write(tmp_path / "out.mp4", 40, Fraction(30000, 1001), metadata={"title": "Spring", "voicelip": "yes"})
    clip = Clip(tmp_path / "out.mp4")
    assert (clip.info.fps, clip.info.frame_count) == (Fraction(30000, 1001), 40)
    assert (clip.info.width, clip.info.height) == SIZE
    assert [number_in(frame.image) for frame in clip.frames()] == list(range(40))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert container.metadata["title"] == "Spring"
        assert container.metadata["voicelip"] == "yes"


def test_the_index_comes_first(tmp_path):
    write(tmp_path / "out.mp4")
    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("fps", [25, 60, Fraction(30000, 1001)])
@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.0, 9.0])
@pytest.mark.parametrize("rate", [16000, 24000, 44100, 20000])
def test_sound_ends_with_the_picture(tmp_path, seconds, rate, fps):
    path = tmp_path / "out.mp4"
    count = round(2 * fps)
    with VideoWriter(path, *SIZE, fps, rate) as writer:
        for index in range(count):
            writer.write_frame(numbered(index))
        writer.write_audio(np.full(round(seconds * rate), 0.25, np.float32))
    picture_s, sound_s = durations_s(path)
    assert picture_s == pytest.approx(count / fps, abs=1e-3)
    assert abs(picture_s - sound_s) < 1 / fps
    assert read_audio(path).duration_s == pytest.approx(picture_s, abs=float(1 / fps))


@pytest.mark.parametrize("order", ["sound first", "pictures first", "interleaved", "odd chunks"])
def test_sound_keeps_its_place_in_any_order(tmp_path, order):
    path = tmp_path / "out.mp4"
    rate = 24000
    sound = np.zeros(2 * rate, np.float32)
    sound[rate : rate + 1200] = 0.6 * np.sin(np.arange(1200) / 4)
    with VideoWriter(path, *SIZE, 25, rate) as writer:
        if order == "sound first":
            writer.write_audio(sound)
        for index in range(50):
            writer.write_frame(numbered(index))
            if order == "interleaved":
                writer.write_audio(sound[index * 960 : (index + 1) * 960])
        if order == "pictures first":
            writer.write_audio(sound)
        if order == "odd chunks":
            for start in range(0, len(sound), 777):
                writer.write_audio(sound[start : start + 777])
    audio = read_audio(path)
    assert np.flatnonzero(np.abs(audio.samples) > 0.2)[0] / rate == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize("size", [(193, 48), (192, 49), (193, 49)])
def test_odd_sizes_gain_a_row_or_column_and_are_not_scaled(tmp_path, size):
    image = numbered(2730, *size)
    image[-1], image[:, -1] = 235, 235
    with VideoWriter(tmp_path / "out.mp4", *size, 25) as writer:
        writer.write_frame(image)
    read = next(Clip(tmp_path / "out.mp4").frames()).image
    assert read.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    assert np.abs(read[: size[1], : size[0]].astype(int) - image).mean() < 3
    assert read[-1, :, 1].min() > 200
    assert number_in(read) == 2730


def test_nothing_is_there_until_the_end_and_nothing_after_a_failure(tmp_path):
    path = tmp_path / "out.mp4"
    for failure in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(failure):
            write(path, 60, failure=failure, sample_rate=16000)
        assert list(tmp_path.iterdir()) == []


def test_an_old_file_survives_a_failure(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        VideoWriter(path, *SIZE, 25)
    with pytest.raises(RuntimeError):
        write(path, 60, failure=RuntimeError, overwrite=True)
    assert path.read_text() == "mine"
    write(path, overwrite=True)
    assert Clip(path).info.frame_count == 25
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_outputs_that_cannot_be_are_refused_beforehand(tmp_path, monkeypatch):
    with pytest.raises(OutputError, match="no such folder"):
        check_output(tmp_path / "none" / "out.mp4")
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is not a folder"):
        check_output(tmp_path / "file" / "out.mp4")
    with pytest.raises(OutputError, match="cannot be written to"):
        check_output(Path("/proc/out.mp4"))  # read-only even for root
    check_output(tmp_path / "out.mp4")
    check_output("out.mp4")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("limit", [2_000, 40_000, 150_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, limit):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OutputError, match="disk full"):
            write_noise(tmp_path / "out.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_wrong_options_are_told(tmp_path):
    for options in ({"crf": 99}, {"preset": "warp"}):
        with pytest.raises(OptionError):
            VideoWriter(tmp_path / "out.mp4", *SIZE, 25, **options)
    with pytest.raises(OptionError, match=r"\.mp4"):
        VideoWriter(tmp_path / "out.avi", *SIZE, 25)
    with pytest.raises(OutputError, match="no frame"), VideoWriter(tmp_path / "out.mp4", *SIZE, 25):
        pass
    assert list(tmp_path.iterdir()) == []
