"""Preparing clips: any layout, bad ones named, a killed run goes on, what is written reads back."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from face_samples import presenter_frames
from media_samples import make_video, numbered

from recipes import prepare_lips
from voicelip import hub
from voicelip.errors import InputNotFoundError, VoicelipError
from voicelip.training import quality
from voicelip.training.clips import ClipEntry, PreparedClips, write_index
from voicelip.training.corpora import Layout, Recording, find_recordings
from voicelip.training.preparation import Requirements, prepare_shard
from voicelip.training.shards import LAYOUT, Rows, ShardWriter

FRAMES = 30
NEEDS = Requirements(min_frames=10)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("names", "layout", "speakers"),
    [
        (["s1/a.mpg", "s1/b.mpg", "s2/video/c.mpg"], Layout.grid, ["s1", "s1", "s2"]),
        (["main/63/1.mp4", "main/63/1.txt", "main/7/2.mp4", "main/7/2.txt"], Layout.lrs, ["63", "7"]),
        (["RD_R1_000.mp4", "WDA_Jo_000.mp4", "WDA_Jo_001.mp4"], Layout.hdtf, ["RD_R1", "WDA_Jo", "WDA_Jo"]),
        (["holiday.mp4", "talk.MOV", "notes.txt"], Layout.plain, ["holiday", "talk"]),
    ],
)  # fmt: skip
def test_a_corpus_is_known_by_its_layout(
    tmp_path: Path, names: list[str], layout: Layout, speakers: list[str]
) -> None:
    found, recordings = find_recordings(touch(tmp_path, *names))
    assert found is layout
    assert [recording.speaker for recording in recordings] == speakers


def test_a_layout_can_be_told(tmp_path: Path) -> None:
    touch(tmp_path, "s1/a.mp4", "s1/b.mp4")
    _, recordings = find_recordings(tmp_path, Layout.plain)
    assert [recording.speaker for recording in recordings] == ["s1/a", "s1/b"]


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="no video files"):
        find_recordings(tmp_path)
    with pytest.raises(InputNotFoundError, match="no such folder"):
        find_recordings(tmp_path / "none")


# Shards


def numbers(name: str, first: int, count: int) -> np.ndarray:
    kind, shape = LAYOUT[name]
    rows = np.arange(first, first + count).reshape(-1, *[1] * len(shape))
    return np.broadcast_to(rows, (count, *shape)).astype(kind)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """Rows 0 to 9 of landmarks in shards of 4, 0 and 6, each row full of its number."""
    shards, lengths = [tmp_path / name for name in "abc"], [4, 0, 6]
    first = 0
    for shard, count in zip(shards, lengths, strict=True):
        with ShardWriter(shard) as writer:
            writer.append("points", numbers("points", first, count + 1))  # one more than is finished
        first += count
    return Rows("points", shards, lengths)


def test_shards_read_as_one_array(rows: Rows) -> None:
    assert rows.shape == (10, 478, 2)
    assert len(rows) == 10
    assert [rows[i][0, 0] for i in (0, 3, 4, 9, -1)] == [0, 3, 4, 9, 9]
    assert rows[2:7][:, 0, 0].tolist() == [2, 3, 4, 5, 6]
    assert rows[1:9:3][:, 0, 0].tolist() == [1, 4, 7]
    assert rows[[8, 1]][:, 0, 0].tolist() == [8, 1]
    assert rows[np.arange(10) % 5 == 0][:, 0, 0].tolist() == [0, 5]
    assert rows[np.int64(5), [1, 2]].shape == (2, 2)
    assert rows[2:7, :3].shape == (5, 3, 2)
    assert rows[5:5].shape == (0, 478, 2)
    assert np.asarray(rows)[:, 0, 0].tolist() == list(range(10))
    with pytest.raises(IndexError):
        rows[10]


def test_a_slice_of_one_shard_is_a_view_of_the_file(rows: Rows) -> None:
    assert rows[4:8].base is not None
    assert not rows[4:8].flags.writeable


def test_a_folder_of_whole_arrays_still_opens(tmp_path: Path) -> None:
    for name in LAYOUT:
        np.save(tmp_path / f"{name}.npy", numbers(name, 0, 6))
    write_index(tmp_path, [ClipEntry("p", "c", 25.0, 2, 4, 1, 5)])
    data = PreparedClips.open(tmp_path)
    assert data.points[data.clips[0].span][:, 0, 0].tolist() == [2, 3, 4, 5]
    assert data.clip_mel(data.clips[0]).shape == (80, 5)


def test_an_unprepared_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"recipes\.prepare_lips"):
        PreparedClips.open(tmp_path)


# Figures


def test_the_offset_of_sound_and_picture_is_found() -> None:
    loud = np.convolve(np.random.default_rng(3).normal(size=120), np.ones(4), "same")
    assert quality.av_offset(loud, loud) == (0, pytest.approx(1.0))
    assert quality.av_offset(np.roll(loud, 4)[8:-8], loud[8:-8])[0] == 4
    assert quality.av_offset(np.roll(loud, -6)[8:-8], loud[8:-8])[0] == -6
    assert quality.av_offset(np.zeros(120), loud) == (0, 0.0)


def test_silence_is_what_is_far_below_the_loud_parts() -> None:
    assert quality.silence_share(np.repeat([1.0, -2.0], 50)) == 0.5
    assert quality.silence_share(np.full(100, -3.9)) == 1.0
    assert quality.silence_share(np.full(100, 0.5)) == 0.0


# Whole clips


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good clips, at 25 and at 30 frames a second, and one each that is silent, faceless or broken."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("ann", "bob"):
        (folder / name).mkdir()
    images = presenter_frames(FRAMES)
    sound = 0.02 * np.random.default_rng(0).normal(size=640 * FRAMES)
    make_video(folder / "ann" / "good.mp4", images, sound=sound)
    make_video(folder / "ann" / "silent.mp4", images[:12], sound=0 * sound[: 640 * 12])
    make_video(folder / "bob" / "fast.mp4", images, fps=30, sound=sound)
    make_video(folder / "bob" / "nobody.mp4", [numbered(i) for i in range(12)], sound=sound)
    (folder / "bob" / "torn.mp4").write_bytes((folder / "bob" / "fast.mp4").read_bytes()[:2000])
    return folder


SOURCES = ["ann/good.mp4", "ann/silent.mp4", "bob/fast.mp4", "bob/nobody.mp4", "bob/torn.mp4"]


@pytest.fixture(scope="module")
def landmarker() -> Path:
    try:
        return hub.fetch("face-landmarker")
    except VoicelipError as error:
        pytest.skip(f"no face landmarker: {error}")


@pytest.fixture(scope="module")
def prepared(corpus: Path, landmarker: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    _, recordings = find_recordings(corpus)
    prepare_shard(corpus, out / "shards" / "00000", recordings[:2], landmarker, NEEDS)
    prepare_shard(corpus, out / "shards" / "00001", recordings[2:], landmarker, NEEDS)
    return out


def test_good_clips_come_out_with_their_figures(prepared: Path) -> None:
    data = PreparedClips.open(prepared)
    assert [(clip.speaker, clip.name, clip.frames) for clip in data.clips] == [
        ("ann", "good", 30),
        ("bob", "fast", 25),
    ]
    for clip in data.clips:
        crops, points = data.crops[clip.span], np.asarray(data.points[clip.span])
        assert crops.shape == (clip.frames, 96, 96, 3)
        lips = points[:, [61, 291, 0, 17]]
        assert lips.min() > 10 and lips.max() < 86  # noqa: PT018 in the crop, not in the frame
        eyes = points[:, 263] - points[:, 33]
        assert np.linalg.norm(eyes, axis=1).mean() == pytest.approx(74, rel=0.02)
        assert data.windows(clip, 28).shape == (clip.frames, 80, 28)
        assert clip.quality is not None
        assert clip.quality.face_px > 60
        assert clip.quality.sharpness > 1
        assert clip.quality.silence < 0.1


def test_what_cannot_serve_is_named_with_the_reason(prepared: Path) -> None:
    left_out = prepare_lips.report(prepared)["left_out"]
    assert set(left_out) == {"ann/silent.mp4", "bob/nobody.mp4", "bob/torn.mp4"}
    assert left_out["ann/silent.mp4"] == "silent in 100% of the frames"
    assert left_out["bob/nobody.mp4"].startswith("no face")
    assert "/" not in left_out["bob/torn.mp4"]


def test_a_recording_prepared_twice_counts_once(tmp_path: Path) -> None:
    for name in ("00000", "00001"):
        with ShardWriter(tmp_path / "shards" / name) as writer:
            for array in LAYOUT:
                writer.append(array, numbers(array, 0, 9))
            writer.finish("ann/a.mp4", [asdict(ClipEntry("ann", "a", 25.0, 0, 9, 0, 9, "ann/a.mp4"))])
    assert [clip.name for clip in PreparedClips.open(tmp_path).clips] == ["a"]


def test_long_takes_are_cut_where_mel_columns_begin(corpus: Path, landmarker: Path, prepared: Path) -> None:
    shard = prepared.parent / "cut" / "shards" / "00000"
    recording = Recording("ann", "ann/good.mp4")
    needs = Requirements(min_frames=10, max_frames=16)
    (outcome,) = prepare_shard(corpus, shard, [recording], landmarker, needs)
    assert [(clip.name, clip.frames, clip.start_s) for clip in outcome.clips] == [
        ("good@0", 15, 0.0), ("good@15", 15, 0.6)
    ]  # fmt: skip
    whole, cut = PreparedClips.open(prepared), PreparedClips.open(shard.parents[1])
    assert np.array_equal(whole.points[15:30], cut.points[cut.clips[1].span])
    assert np.array_equal(whole.clip_mel(whole.clips[0])[:, 48:70], cut.clip_mel(cut.clips[1])[:, :22])


def test_a_killed_run_goes_on_with_what_is_missing(
    corpus: Path,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = PreparedClips.open(prepared).clips[0]
    with ShardWriter(tmp_path / "shards" / "00000") as killed:
        for name in LAYOUT:
            killed.append(name, numbers(name, 0, 200))
        for source in SOURCES[:2] + SOURCES[3:]:
            killed.finish(source, [asdict(first)] if source == SOURCES[0] else (), rejected=None)
        killed.append("crops", numbers("crops", 0, 7))  # of the clip during which it was killed
    with (tmp_path / "shards" / "00000" / "journal.jsonl").open("a") as journal:
        journal.write('{"source": "bob/fa')
    assert [clip.name for clip in PreparedClips.open(tmp_path).clips] == ["good"]
    prepare_lips.prepare(corpus, tmp_path, Layout.auto, NEEDS, workers=1)
    assert "5 recordings, laid out as grid; 1 to do" in capsys.readouterr().out
    data = PreparedClips.open(tmp_path)
    assert [clip.name for clip in data.clips] == ["good", "fast"]
    assert data.crops[data.clips[1].span].std() > 10
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["speakers"] == {"ann": 1, "bob": 1}
