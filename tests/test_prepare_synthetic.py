"""Rendered talking heads as training data: readable, repeatable, landmarks where Face Mesh sees them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")
ROOT = Path(__file__).resolve().parents[1]

from recipes import prepare_synthetic  # noqa: E402
from recipes.prepare_synthetic import PICTURE_PX, Cast, SyntheticClip, draw, write_shard  # noqa: E402
from recipes.synthetic_heads.close_up import CloseUp  # noqa: E402
from recipes.synthetic_heads.footage import Footage, random_footage  # noqa: E402
from recipes.synthetic_heads.hair import Hair  # noqa: E402
from recipes.synthetic_heads.head import HeadSpec, Renderer  # noqa: E402
from recipes.synthetic_heads.landmarks import Correspondence, MeshPoints  # noqa: E402
from recipes.synthetic_heads.lips import Lips  # noqa: E402
from recipes.synthetic_heads.mesh import FaceKit, load_facekit  # noqa: E402
from recipes.synthetic_heads.talkers import random_talker, takes  # noqa: E402
from recipes.synthetic_heads.view import Frame  # noqa: E402
from voicelip import hub  # noqa: E402
from voicelip.errors import InputNotFoundError  # noqa: E402
from voicelip.face.points import LIPS, inter_ocular_px  # noqa: E402
from voicelip.face.tracker import FaceTracker  # noqa: E402
from voicelip.lips.motion import MOTION_POINTS, lip_gap  # noqa: E402
from voicelip.training.clips import PreparedClips  # noqa: E402

FACEKIT = ROOT.parent / "shared" / "data" / "ict_facekit.npz"
CAST = Cast(seed=5, frames=4)
OPEN = Frame(expression={"jawOpen": 0.3}, seal_cm=0.0)
PRESSED = Frame(expression={"jawOpen": 0.1, "mouthClose": 0.1}, seal_cm=0.4)


@pytest.fixture(scope="module")
def kit() -> FaceKit:
    if not FACEKIT.exists():
        pytest.skip(f"ICT-FaceKit is not at {FACEKIT}")
    return load_facekit(FACEKIT)


@pytest.fixture(scope="module")
def studio(kit: FaceKit) -> CloseUp:
    return CloseUp(kit)


@pytest.fixture(scope="module")
def renderer(kit: FaceKit) -> Renderer:
    return Renderer(kit, texture_size=384, directions=32, shadow_size=128)


@pytest.fixture(scope="module")
def first(studio: CloseUp) -> SyntheticClip:
    return draw(studio, CAST, 0)


def gaps(points: np.ndarray) -> np.ndarray:
    return lip_gap(points[..., list(MOTION_POINTS), :])


def test_a_stopped_run_goes_on_and_reads_as_prepared_clips(
    kit: FaceKit, first: SyntheticClip, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    write_shard(FACEKIT, tmp_path / "shards" / "00000", CAST, [0])
    prepare_synthetic.prepare(FACEKIT, tmp_path, CAST, identities=2, workers=1)
    assert "2 people; 1 to draw" in capsys.readouterr().out
    data = PreparedClips.open(tmp_path)
    assert data.crops.shape == (8, 96, 96, 3)
    assert len({clip.speaker for clip in data.clips}) == 2
    assert [clip.frames for clip in data.clips] == [4, 4]
    assert np.array_equal(data.crops[data.clips[0].span], first.crops)  # the same seed, the same bytes
    assert np.array_equal(data.points[data.clips[0].span], first.points)
    assert not np.array_equal(data.crops[:4], data.crops[4:])
    assert data.windows(data.clips[1], 28).max() == -4  # no sound


def test_a_missing_mesh_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"none\.npz"):
        prepare_synthetic.prepare(tmp_path / "none.npz", tmp_path / "out", CAST, 1, 1)


def test_everybody_shows_a_closed_and_an_open_mouth_in_the_usual_place(first: SyntheticClip) -> None:
    gap = gaps(first.points)
    assert gap.min() < 0.3
    assert gap.max() > 4
    mouth = first.points[:, list(LIPS)].mean(axis=1)
    assert np.abs(np.median(mouth, axis=0) - [47.5, 40]).max() < 0.01
    assert first.crops.std(axis=(1, 2)).min() > 5


def test_pressed_lips_have_no_gap_and_open_ones_their_own(studio: CloseUp) -> None:
    rng = np.random.default_rng(2)
    for _ in range(3):
        sitter = studio.sit(random_talker(rng))
        frames = studio.aim(sitter, [PRESSED, OPEN])
        closed, opened = (studio.shoot(sitter, frame, PICTURE_PX, PICTURE_PX) for frame in frames)
        eyes = inter_ocular_px(opened.points)
        assert abs(gaps(closed.points)) < 0.004 * eyes
        assert gaps(opened.points) > 0.05 * eyes
        x, y = opened.points[[13, 14]].mean(axis=0).round().astype(int)
        upper = opened.points[0].round().astype(int)
        assert opened.image[y, x].mean() < 0.7 * opened.image[upper[1] - 3, upper[0]].mean()  # dark inside


def test_close_ups_show_the_same_person_as_whole_heads(
    kit: FaceKit, studio: CloseUp, renderer: Renderer
) -> None:
    spec = HeadSpec(hair=Hair(style="none"))
    sitter = studio.sit(spec)
    frame = studio.aim(sitter, [replace(OPEN, yaw=0.1)])[0]
    near = studio.shoot(sitter, frame, 160, 160, supersample=2)
    whole = renderer.render(spec, frame, 160, 160)
    placed = MeshPoints(Lips(kit), Correspondence.load()).place(whole.vertices - 0.5)
    assert np.abs(placed - near.points).max() < 0.05
    x, y = near.points[list(LIPS)].mean(axis=0).astype(int)
    mouth = (slice(y - 30, y + 30), slice(x - 40, x + 40))
    assert np.abs(near.image[mouth].astype(int) - whole.image[mouth]).mean() < 12


def test_landmarks_are_where_face_mesh_sees_them(kit: FaceKit, renderer: Renderer) -> None:
    mesh_points = MeshPoints(Lips(kit), Correspondence.load())
    tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
    away, seen, true = [], [], []
    for number in range(3):
        rng = np.random.default_rng((8, number))
        spec = random_talker(rng)
        spec = replace(spec, hair=replace(spec.hair, style="none"), skin=replace(spec.skin, brow_density=1.0))
        for frame in takes(16, rng)[:3]:
            picture = renderer.render(spec, replace(frame, frame_height=28.0, distance=90.0), 320, 320)
            placed = mesh_points.place(picture.vertices - 0.5)
            detected = tracker.candidates(picture.image)[0].mesh.points[:, :2]
            scale = 74 / inter_ocular_px(detected)
            away.append(np.linalg.norm(placed - detected, axis=1)[list(MOTION_POINTS)] * scale)
            seen.append(gaps(detected) * scale)
            true.append(gaps(placed) * scale)
    lips, jaw = np.split(np.array(away), [len(LIPS)], axis=1)
    assert np.median(lips) < 1.2  # px of a mouth crop
    assert np.median(jaw) < 1.7
    assert np.corrcoef(seen, true)[0, 1] > 0.9


def test_footage_without_faults_is_the_picture() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (48, 48, 3)).astype(np.uint8)
    assert np.abs(Footage().record(picture, rng).astype(int) - picture).max() <= 1


def test_footage_is_of_many_sizes_and_keeps_the_light() -> None:
    rng = np.random.default_rng(1)
    picture = np.full((120, 120, 3), (180, 140, 120), np.uint8)
    cameras = [random_footage(rng, eyes_px=74) for _ in range(20)]
    frames = [camera.record(picture, rng) for camera in cameras]
    assert max(len(frame) for frame in frames) > 2 * min(len(frame) for frame in frames)
    assert all(40 < frame.mean() < 230 for frame in frames)
