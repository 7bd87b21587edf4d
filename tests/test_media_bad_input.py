"""Files that are no use are told in one line; damaged ones give what they hold."""

import base64
import struct

import numpy as np
import pytest
from media_samples import counting_video, number_in

from voicelip.errors import InputNotFoundError, OptionError, UnreadableMediaError
from voicelip.media import Audio, Clip, probe, read_audio, write_audio


def told(path, error=UnreadableMediaError):
    with pytest.raises(error) as caught:
        probe(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return message


def test_missing_folder_and_empty(tmp_path):
    assert "no such file" in told(tmp_path / "none.mp4", InputNotFoundError)
    assert "is a folder" in told(tmp_path)
    (tmp_path / "empty.mp4").touch()
    assert "is empty" in told(tmp_path / "empty.mp4")
    for path in (tmp_path, tmp_path / "empty.mp4"):
        with pytest.raises(UnreadableMediaError):
            read_audio(path)
    with pytest.raises(InputNotFoundError):
        read_audio(tmp_path / "none.wav")


@pytest.mark.parametrize("name", ["junk.mp4", "junk.mkv", "junk.png", "junk.jpg", "junk"])
def test_junk(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(3).bytes(20_000))
    told(path)
    path.write_text("These are just words.\n" * 100)
    told(path)


def test_a_recording_is_no_video(tmp_path):
    write_audio(tmp_path / "voice.wav", Audio(np.zeros(1600, np.float32), 16000))
    assert "no picture" in told(tmp_path / "voice.wav")


def test_an_mp4_without_its_index(tmp_path):
    path = counting_video(tmp_path / "clip.mp4", 50)
    path.write_bytes(path.read_bytes()[:-800])
    told(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_cut_file_gives_what_is_there(tmp_path, suffix):
    path = tmp_path / f"clip.{suffix}"
    counting_video(path, 200, container_options={"movflags": "faststart"} if suffix == "mp4" else {})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    clip = Clip(path)
    shown = [number_in(frame.image) for frame in clip.frames()]
    assert 30 < len(shown) < 190
    assert shown[:-8] == list(range(len(shown) - 8))
    if suffix != "ts":  # which does not say how long it means to be
        assert clip.problems


def test_damage_in_the_middle_is_survived_and_told(tmp_path):
    path = counting_video(tmp_path / "clip.mp4", 100, gop=10)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 60] = np.random.default_rng(0).bytes(60)
    path.write_bytes(content)
    clip = Clip(path)
    frames = list(clip.frames())
    assert [frame.index for frame in frames] == list(range(100))
    assert [number_in(frame.image) for frame in frames[:30]] == list(range(30))
    assert [number_in(frame.image) for frame in frames[-20:]] == list(range(80, 100))
    assert clip.problems


def test_absurd_sizes_are_refused(tmp_path):
    path = tmp_path / "huge.bmp"
    header = struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack(
        "<IiiHHIIiiII", 40, 30000, 30000, 1, 24, *[0] * 6
    )
    path.write_bytes(b"BM" + header + bytes(1000))
    told(path)
    import cv2

    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((8, 9000, 3), np.uint8))
    assert "too large" in told(tmp_path / "wide.png")


def test_absurd_rates_are_refused(tmp_path):
    path = counting_video(tmp_path / "clip.mp4", 3)
    with pytest.raises(OptionError, match="out of range"):
        Clip(path, fps=0)


# A grey picture of 128x128 in four tiles, encoded by libheif: 695 bytes.
TILED_HEIC = """
AAAAGGZ0eXBtaWYxAAAAAG1pZjFtaWFmAAACQ21ldGEAAAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAAAEGlk
YXQAAAEBAIAAgAAAAHRpbG9jAQAAAERAAAUAAQAAAAAAAAJjAAEAAAAAAAAAFQACAAAAAAAAAngAAQAAAAAAAAAVAAMAAAAAAAAC
jQABAAAAAAAAABUABAAAAAAAAAKiAAEAAAAAAAAAFQAFAAEAAAAAAAAAAQAAAAAAAAAIAAAAd2lpbmYAAAAAAAUAAAAVaW5mZQIA
AAEAAQAAaHZjMQAAAAAVaW5mZQIAAAEAAgAAaHZjMQAAAAAVaW5mZQIAAAEAAwAAaHZjMQAAAAAVaW5mZQIAAAEABAAAaHZjMQAA
AAAVaW5mZQIAAAAABQAAZ3JpZAAAAAAOcGl0bQAAAAAABQAAAO1pcHJwAAAAuGlwY28AAAB4aHZjQwEDcAAAAJAAAAAAAB7wAPz9
+PgAAA8DYAABABhAAQwB//8DcAAAAwCQAAADAAADAB66AkBhAAEAK0IBAQNwAAADAJAAAAMAAAMAHqAggQWW6kkprm4CGgwIAAAD
AMgAAAMACEBiAAEAB0QBwXKwIkAAAAAUaXNwZQAAAAAAAABAAAAAQAAAABBwaXhpAAAAAAMICAgAAAAUaXNwZQAAAAAAAACAAAAA
gAAAAC1pcG1hAAAAAAAAAAUAAQOBAgMAAgOBAgMAAwOBAgMABAOBAgMABQIEgwAAACBpcmVmAAAAAAAAABRkaW1nAAUABAABAAIA
AwAEAAAAXG1kYXQAAAARKAGvE4DmyGhT//uYf5Rho5gAAAARKAGvE4DmyGhT//uYf5Rho5gAAAARKAGvE4DmyGhT//uYf5Rho5gA
AAARKAGvE4DmyGhT//uYf5Rho5g=
"""


def test_photo_in_tiles_is_refused_rather_than_shown_in_part(tmp_path):
    path = tmp_path / "phone.heic"
    path.write_bytes(base64.b64decode(TILED_HEIC))
    assert "save it as JPEG" in told(path)
