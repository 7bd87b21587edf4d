"""Tracks on disk: found again for the same clip and settings, made again when anything is amiss."""

from pathlib import Path

import numpy as np
import pytest

from voicelip.face import FaceTrack
from voicelip.face.cache import cached_track
from voicelip.hashing import content_hash


class Counted:
    """Makes a track and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> FaceTrack:
        self.calls += 1
        points = np.random.default_rng(self.calls).uniform(0, 500, (6, 478, 2)).astype(np.float32)
        points[2] = np.nan
        status = np.array([0, 0, 1, 0, 2, 3], np.int8)
        return FaceTrack(
            points, status, np.linspace(-9, 60, 6, dtype=np.float32), np.array([0, 0, 0, 1, 1, 1], np.int32)
        )


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip" * 1000)
    return path


def test_the_second_run_reads_the_very_same_track(clip: Path, tmp_path: Path) -> None:
    compute = Counted()
    first, was_hit = cached_track(clip, "largest 25", tmp_path / "tracks", compute)
    assert not was_hit
    second, was_hit = cached_track(clip, "largest 25", tmp_path / "tracks", compute)
    assert was_hit
    assert compute.calls == 1
    for name in ("points", "status", "yaw_deg", "shot"):
        before, after = getattr(first, name), getattr(second, name)
        assert before.dtype == after.dtype
        assert np.array_equal(before, after, equal_nan=name == "points")


def test_a_copy_under_another_name_is_the_same_clip(clip: Path, tmp_path: Path) -> None:
    compute = Counted()
    cached_track(clip, "", tmp_path / "tracks", compute)
    copy = tmp_path / "other.mp4"
    copy.write_bytes(clip.read_bytes())
    assert content_hash(copy) == content_hash(clip)
    assert cached_track(copy, "", tmp_path / "tracks", compute)[1]


def test_other_content_or_settings_are_another_track(clip: Path, tmp_path: Path) -> None:
    compute = Counted()
    cached_track(clip, "face 0", tmp_path / "tracks", compute)
    assert not cached_track(clip, "face 1", tmp_path / "tracks", compute)[1]
    clip.write_bytes(clip.read_bytes() + b".")
    assert not cached_track(clip, "face 0", tmp_path / "tracks", compute)[1]
    assert compute.calls == 3


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _of_another_form(file: Path) -> None:
    np.savez(
        file,
        points=np.zeros((3, 468, 2), np.float32),
        status=np.zeros(3, np.int8),
        yaw_deg=np.zeros(3),
        shot=1,
    )


def _pickled(file: Path) -> None:
    np.savez(
        file, points=np.array([{"any": "thing"}], object), status=np.zeros(1, np.int8), yaw_deg=0, shot=0
    )


@pytest.mark.parametrize("damage", [_truncate, _flip_a_byte, _empty, _of_another_form, _pickled])
def test_a_damaged_file_is_made_again(clip: Path, tmp_path: Path, damage: object) -> None:
    compute = Counted()
    cached_track(clip, "", tmp_path / "tracks", compute)
    (file,) = (tmp_path / "tracks").iterdir()
    damage(file)  # type: ignore[operator]
    track, was_hit = cached_track(clip, "", tmp_path / "tracks", compute)
    assert not was_hit
    assert len(track) == 6
    assert cached_track(clip, "", tmp_path / "tracks", compute)[1]


def test_a_failed_run_leaves_nothing_behind(clip: Path, tmp_path: Path) -> None:
    def fail() -> FaceTrack:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_track(clip, "", tmp_path / "tracks", fail)
    assert not (tmp_path / "tracks").exists()


def test_a_folder_that_cannot_be_written_costs_only_the_speed_up(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "tracks").write_text("a file is in the way")
    compute = Counted()
    for _ in range(2):
        track, was_hit = cached_track(clip, "", tmp_path / "tracks", compute)
        assert len(track) == 6
        assert not was_hit


def test_old_tracks_make_room(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Counted()
    monkeypatch.setattr("voicelip.face.cache.KEPT_BYTES", 60_000)
    for number in range(6):
        cached_track(clip, str(number), tmp_path / "tracks", compute)
    assert 1 <= len(list((tmp_path / "tracks").iterdir())) <= 2
    assert cached_track(clip, "5", tmp_path / "tracks", compute)[1]
