"""Everybody's face at once: who is followed, under which number, and how that is kept on disk."""

import os
from pathlib import Path

import dub_people
import face_samples as samples
import numpy as np
import pytest
from media_samples import make_video

from voicelip import hub
from voicelip.face import FaceStatus, crowd, crowd_store, unfinished
from voicelip.face.crowd import Piece
from voicelip.face.crowd_store import Faces, stored_faces
from voicelip.face.people import people
from voicelip.face.tracker import FaceTracker

MAN, WOMAN = "val/s1/bbbmzn", "val/s22/lbbc2a"


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    return FaceTracker.from_task(hub.fetch("face-landmarker"))


@pytest.fixture(scope="module")
def her() -> list[np.ndarray]:
    return list(dub_people.presenter()[:30])


@pytest.fixture(scope="module")
def him(her: list[np.ndarray]) -> list[np.ndarray]:
    return [dub_people.other(image) for image in her]


@pytest.fixture(scope="module")
def clip(her: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "her.mp4", her[:3])


def spans(pieces: list[Piece]) -> list[tuple[int, int, int]]:
    """Face, first and last frame of all pieces."""
    return sorted((piece.face, piece.start, piece.start + len(piece.track)) for piece in pieces)


def tracked(pieces: list[Piece]) -> int:
    return sum(int(piece.track.tracked.sum()) for piece in pieces)


def test_two_people_are_two_faces_as_if_each_were_followed_alone(
    tracker: FaceTracker, her: list[np.ndarray], him: list[np.ndarray]
) -> None:
    pieces = list(tracker.everybody(dub_people.beside(her, him)))
    assert spans(pieces) == [(0, 0, 30), (1, 0, 30)]
    assert tracked(pieces) == 60
    right = max(pieces, key=lambda piece: float(piece.track.points[0, :, 0].mean()))
    shifted = tracker.track(him).points + np.array([dub_people.PX, 0], np.float32)
    assert np.abs(right.track.points - shifted).mean() < 0.5


def test_who_comes_in_later_is_found_and_fades_in(
    tracker: FaceTracker, her: list[np.ndarray], him: list[np.ndarray]
) -> None:
    room = [np.full_like(her[0], 90)] * 8
    pieces = list(tracker.everybody(dub_people.beside(her, room + him[8:])))
    late = [piece for piece in pieces if piece.face == 1]
    assert len(late) == 1
    assert 8 <= late[0].start + 1 <= 8 + 8  # looked for every eight to twelve frames
    assert late[0].track.status[0] == FaceStatus.NO_FACE
    assert late[0].track.status[1:].max() == FaceStatus.TRACKED


def test_a_cut_ends_every_face_and_likeness_joins_them_again(
    tracker: FaceTracker, her: list[np.ndarray], him: list[np.ndarray], clip: Path, tmp_path: Path
) -> None:
    swapped = [image // 3 for image in dub_people.beside(him, her)]
    faces = kept(tracker, clip, tmp_path, dub_people.beside(her, him) + swapped)
    assert sorted((piece.shot, piece.start, piece.stop) for piece in faces.pieces) == [
        (0, 0, 30),
        (0, 0, 30),
        (1, 30, 60),
        (1, 30, 60),
    ]
    found = people(faces.pieces)
    assert len(found) == 2
    for person in found:
        before, after = (piece.centre[5, 0] for piece in person.pieces)
        assert abs(before - after) > dub_people.PX / 2  # each on the other side


def test_two_real_people_are_told_apart_from_clip_to_clip(
    tracker: FaceTracker, clip: Path, tmp_path: Path
) -> None:
    man, woman = samples.grid_clip(MAN)[:25], samples.grid_clip(WOMAN)[:25]
    dimmed = [image // 3 for image in dub_people.beside(woman, man)]
    faces = kept(tracker, clip, tmp_path, dub_people.beside(man, woman) + dimmed)
    assert [len(person.pieces) for person in people(faces.pieces)] == [2, 2]


def test_a_long_shot_comes_in_pieces_that_join(
    tracker: FaceTracker, her: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = next(iter(tracker.everybody(her)))
    monkeypatch.setattr(crowd, "PIECE_FRAMES", 8)
    pieces = list(tracker.everybody(her))
    assert spans(pieces) == [(0, 0, 8), (0, 8, 16), (0, 16, 23), (0, 23, 30)]
    assert np.array_equal(np.concatenate([piece.track.points for piece in pieces]), whole.track.points)


def test_nobody_in_sight_is_no_face(tracker: FaceTracker) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (8, 120, 160, 3), dtype=np.uint8)
    assert not list(tracker.everybody(noise))


def kept(tracker: FaceTracker, clip: Path, folder: Path, images: list[np.ndarray]) -> Faces:
    return stored_faces(clip, str(len(images)), folder, lambda: tracker.everybody(images))


def test_faces_are_found_once_and_read_again(
    tracker: FaceTracker, her: list[np.ndarray], clip: Path, tmp_path: Path
) -> None:
    first = kept(tracker, clip, tmp_path, her[:10])
    again = stored_faces(clip, "10", tmp_path, lambda: pytest.fail("looked again"))
    own = next(iter(tracker.everybody(her[:10])))
    assert np.abs(again.pieces[0].track().points - own.track.points).max() < 0.05
    assert np.array_equal(again.pieces[0].opening, first.pieces[0].opening)
    assert np.array_equal(again.pieces[0].looks, own.looks)


def test_damaged_faces_are_found_again(
    tracker: FaceTracker, her: list[np.ndarray], clip: Path, tmp_path: Path
) -> None:
    faces = kept(tracker, clip, tmp_path, her[:10])
    file = faces.pieces[0].file
    file.write_bytes(file.read_bytes()[:100])
    assert kept(tracker, clip, tmp_path, her[:10]).pieces[0].track().tracked.all()
    (faces.folder / crowd_store.INDEX).write_text("{")
    assert kept(tracker, clip, tmp_path, her[:10]).pieces[0].track().tracked.all()


def test_what_a_killed_run_left_goes_and_what_others_write_to_stays(
    tracker: FaceTracker, her: list[np.ndarray], clip: Path, tmp_path: Path
) -> None:
    left, held, fresh = (unfinished.new_folder(tmp_path, ".faces") for _ in range(3))
    with unfinished.in_use(held):
        for folder in (left, held):
            (folder / "00000.npz").write_bytes(b"half")
            os.utime(folder, (0, 0))
        kept(tracker, clip, tmp_path, her[:10])
        assert sorted(tmp_path.glob(".*")) == sorted((held, fresh))


def test_a_folder_that_cannot_be_written_to_costs_the_speed_up_only(
    tracker: FaceTracker, her: list[np.ndarray], clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    faces = kept(tracker, clip, tmp_path / "file", her[:10])
    place = faces.folder
    assert faces.pieces[0].track().tracked.all()
    del faces
    assert not place.exists()
