"""A clip and a speech of different lengths: back and forth, hold, cut, keep."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from media_samples import counting_video, make_video, number_in, numbered

from voicelip.media import Clip, paced_frames, source_indices


def test_bouncing_repeats_neither_end():
    assert list(source_indices(4, 12)) == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]
    assert list(source_indices(2, 5)) == [0, 1, 0, 1, 0]
    assert list(source_indices(1, 3)) == [0, 0, 0]


def test_holding_repeats_the_last():
    assert list(source_indices(3, 6, when_short="hold")) == [0, 1, 2, 2, 2, 2]


def test_long_clips_are_cut_or_kept():
    assert list(source_indices(5, 3)) == [0, 1, 2]
    assert list(source_indices(5, 3, when_long="keep")) == [0, 1, 2, 3, 4]
    assert list(source_indices(5, 7, when_short="hold", when_long="keep")) == [0, 1, 2, 3, 4, 4, 4]


def test_indices_are_lazy():
    indices = source_indices(10, 10**12)
    assert [next(indices) for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("when_short", "when_long"), [("bounce", "cut"), ("hold", "cut"), ("bounce", "keep")]
)
@pytest.mark.parametrize("wanted", [0, 1, 30, 71, 200])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_follow_the_indices(tmp_path, wanted, when_short, when_long, suffix):
    clip = Clip(counting_video(tmp_path / f"clip.{suffix}", 70, gop=25))
    frames = list(paced_frames(clip, wanted, when_short, when_long))
    expected = list(source_indices(70, wanted, when_short, when_long))
    assert [frame.index for frame in frames] == expected
    assert [number_in(frame.image) for frame in frames] == expected
    assert [frame.time_s for frame in frames] == [index / 25 for index in expected]


@pytest.mark.parametrize("when_short", ["bounce", "hold"])
def test_a_still_and_a_single_frame_repeat(tmp_path, when_short):
    cv2.imwrite(str(tmp_path / "face.png"), numbered(5))
    single = make_video(tmp_path / "one.mp4", [numbered(5)])
    for path in (tmp_path / "face.png", single):
        frames = list(paced_frames(Clip(path), 7, when_short))
        assert [number_in(frame.image) for frame in frames] == [5] * 7
        assert {frame.index for frame in frames} == {0}
        frames[0].image[:] = 0
        assert number_in(frames[1].image) == 5


def test_a_clip_with_a_broken_tail_bounces_on_what_is_there(tmp_path):
    path = counting_video(tmp_path / "clip.ts", 60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clip = Clip(path)
    frames = list(paced_frames(clip, 100))
    assert len(frames) == 100
    # Next to the cut a picture may be missing and its neighbour stand in.
    assert max(abs(number_in(frame.image) - frame.index) for frame in frames) <= 2


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path):
    """Peak memory of reading 720p back and forth and writing it: the same for 10 s and for 60 s."""
    script = """
import resource, sys
import numpy as np
from voicelip.media import Clip, VideoWriter, paced_frames
clip = Clip(sys.argv[1])
with VideoWriter(sys.argv[2], 1280, 720, 25, 24000, overwrite=True) as writer:
    for frame in paced_frames(clip, int(sys.argv[3])):
        writer.write_frame(frame.image)
        writer.write_audio(np.zeros(960, np.float32))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    rng = np.random.default_rng(0)
    large = cv2.resize(rng.integers(0, 255, (45, 80, 3), dtype=np.uint8), (1280, 720))
    path = make_video(tmp_path / "clip.mp4", (np.roll(large, 3 * index, axis=1) for index in range(150)))

    def peak(frames):
        command = [sys.executable, "-c", script, str(path), str(tmp_path / "out.mp4"), str(frames)]
        return int(subprocess.run(command, capture_output=True, check=True, text=True, env=os.environ).stdout)

    assert peak(1500) < 1.1 * peak(250)
