"""`--detector face-alignment`: S3FD and FAN in the tracker's place of BlazeFace and Face Mesh.

The real weights are not to be had freely. The package runs with random ones; what the tracker makes of good
points is shown with Face Mesh's own, reduced to 68 and widened again.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_samples import grid_clip, presenter_frames

from voicelip import hub
from voicelip.errors import InputNotFoundError, ModelFileError, OptionError, UnknownNameError
from voicelip.face import FaceTrack, largest, stabilise
from voicelip.face.detectors import check_name, create, settings
from voicelip.face.face_alignment import S3FD, FanMesh
from voicelip.face.face_alignment_points import MeshFitter, sixty_eight
from voicelip.face.mesh import yaw_deg
from voicelip.face.points import LIPS, inter_ocular_px, mouth_opening
from voicelip.face.tracker import FaceTracker


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    return FaceTracker.from_task(hub.fetch("face-landmarker"))


@pytest.fixture(scope="module")
def mesh(tracker: FaceTracker) -> np.ndarray:
    return tracker.candidates(presenter_frames(1)[0])[0].mesh.points.astype(np.float64)


@pytest.mark.parametrize("depth", [2, 3], ids=["2-D", "3-D"])
def test_68_points_give_the_mesh_back(mesh: np.ndarray, depth: int) -> None:
    fitted = MeshFitter.load().fit(sixty_eight(mesh[:, :depth]))
    distance = np.linalg.norm(fitted[:, :2] - mesh[:, :2], axis=1) / inter_ocular_px(mesh)
    assert fitted.dtype == np.float32
    assert distance.mean() < 0.03
    assert distance[list(LIPS)].mean() < 0.015
    assert abs(mouth_opening(fitted) - mouth_opening(mesh)) < 0.005


@pytest.mark.parametrize("turn_deg", [-30.0, 0.0, 20.0])
def test_a_turned_head_is_seen_to_be_turned(mesh: np.ndarray, turn_deg: float) -> None:
    turn = np.radians(turn_deg)
    around = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
    turned = (mesh - mesh.mean(axis=0)) @ around.T + mesh.mean(axis=0)
    for points in (sixty_eight(turned), sixty_eight(turned[:, :2])):
        assert abs(yaw_deg(MeshFitter.load().fit(points)) - yaw_deg(turned)) < 4


class ReducedMesh:
    """Answers as the package's object does, with S3FD-like boxes and 68 points that Face Mesh found."""

    def __init__(self, tracker: FaceTracker) -> None:
        self.tracker = tracker

    def detect_from_image(self, image: np.ndarray) -> list[np.ndarray]:
        found = self.tracker.candidates(image, thorough=False)
        corners = [
            (face.mesh.points[:, :2].min(axis=0), face.mesh.points[:, :2].max(axis=0)) for face in found
        ]
        return [np.array([*low, *high, 0.99]) for low, high in corners]

    def get_landmarks_from_image(
        self, image: np.ndarray, detected_faces: list[np.ndarray], return_landmark_score: bool
    ) -> tuple[Any, Any, None]:
        middle = (detected_faces[0][:2] + detected_faces[0][2:]) / 2
        for face in self.tracker.candidates(image, thorough=False):
            if np.linalg.norm(face.mesh.points[:, :2].mean(axis=0) - middle) < face.face.box[2] / 2:
                return [sixty_eight(face.mesh.points[:, :2])], [np.full(68, 0.8)], None
        return [np.tile(middle, (68, 1)) + np.arange(68)[:, None] / 10], [np.full(68, 0.1)], None


def corner_distance(a: FaceTrack, b: FaceTrack) -> np.ndarray:
    """Distance of the crops' corners, in crop px, of the frames that both tracks can use."""
    corners = np.array([[0, 0, 1], [95, 0, 1], [0, 95, 1], [95, 95, 1]], float)
    first, second = stabilise(a).to_frame, stabilise(b).to_frame
    used = a.tracked & b.tracked
    scale = np.linalg.norm(second[used][:, :, 0], axis=1)[:, None]
    return np.linalg.norm(corners @ (first - second)[used].transpose(0, 2, 1), axis=-1) / scale


@pytest.mark.parametrize("source", ["presenter", "val/s5"])
def test_the_track_and_its_crop_are_those_of_face_mesh(tracker: FaceTracker, source: str) -> None:
    if source == "presenter":
        images = presenter_frames(12)
    else:
        from face_samples import GRID

        clips = sorted((GRID / source).glob("*.mp4"))
        images = grid_clip(f"{source}/{clips[0].stem}")[:12] if clips else grid_clip(f"{source}/none")
    images = [
        *images,
        np.full_like(images[0], 128),
        np.full_like(images[0], 128),
        np.full_like(images[0], 128),
    ]
    reduced = ReducedMesh(tracker)
    ours = FaceTracker(S3FD(reduced), FanMesh(reduced, MeshFitter.load())).track(images, largest)
    theirs = tracker.track(images, largest)
    assert np.array_equal(ours.status, theirs.status)
    assert np.array_equal(ours.shot, theirs.shot)
    assert corner_distance(ours, theirs).mean() < 0.6  # the regions differ, so Face Mesh's own noise is in it


class LittleMemory:
    """A device that takes no picture above some size."""

    def __init__(self, fits_px: int) -> None:
        self.fits_px, self.sizes = fits_px, list[int]()

    def detect_from_image(self, image: np.ndarray) -> list[np.ndarray]:
        self.sizes.append(max(image.shape))
        if max(image.shape) > self.fits_px:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return [np.array([10, 20, 40, 60, 0.9])]


def test_a_picture_too_large_for_the_memory_is_halved_once_for_all() -> None:
    device = LittleMemory(fits_px=350)
    finder, image = S3FD(device), np.zeros((360, 640, 3), np.uint8)
    faces = [finder.detect(image), finder.detect(image)]
    assert device.sizes == [640, 320, 320]
    assert [face[0].box for face in faces] == [(20, 40, 60, 80)] * 2  # in px of the whole picture
    with pytest.raises(OptionError, match="--device cpu"):
        S3FD(LittleMemory(fits_px=10)).detect(image)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("face_alignment", reason="the extra face-alignment is not installed")
    import torch
    from face_alignment.detection.sfd.net_s3fd import s3fd
    from face_alignment.models import FAN, ResNetDepth

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    detector = s3fd().state_dict()
    for key, value in detector.items():
        if key.endswith("conf.bias"):
            value[-1] -= 9.0  # or noise would be full of faces
    torch.save(detector, folder / "s3fd-619a316812.pth")
    torch.save(FAN(4).state_dict(), folder / "2DFAN4-random.pth.tar")
    torch.save(FAN(4).state_dict(), folder / "3DFAN4-random.pth.tar")
    torch.save({"state_dict": ResNetDepth().state_dict()}, folder / "depth-random.pth.tar")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["face-alignment", "face-alignment-3d"])
def test_the_real_package_runs_with_local_weights(weights: Path, name: str) -> None:
    detector = create(f"{name}:{weights}", "cpu")
    image = presenter_frames(1)[0][::4, ::4]
    assert not detector.candidates(image, thorough=False)
    assert isinstance(detector, FaceTracker)
    from voicelip.face.mesh import Region

    mesh = detector._mesh.landmarks(image, Region(80, 45, 60, 0.0))
    assert mesh.points.shape == (478, 3)
    assert np.isfinite(mesh.points).all()
    assert 0 <= mesh.presence < 1
    assert detector.track([image], largest).status.tolist() == [1]  # no face


def test_wrong_and_missing_weight_files_are_named(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"no s3fd\*\.pth there"):
        create(f"face-alignment:{tmp_path}", "cpu")
    (tmp_path / "s3fd.pth").write_bytes((weights / "2DFAN4-random.pth.tar").read_bytes())
    with pytest.raises(ModelFileError, match=r"not the weights of the face detector S3FD: .* missing"):
        create(f"face-alignment:{tmp_path}", "cpu")


def test_other_weight_files_mean_another_stored_track(tmp_path: Path) -> None:
    (tmp_path / "s3fd.pth").write_bytes(b"1")
    before = settings(f"face-alignment:{tmp_path}")
    (tmp_path / "s3fd.pth").write_bytes(b"22")
    assert settings(f"face-alignment:{tmp_path}") != before
    assert settings("mesh") == "mesh"


def test_an_unknown_detector_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="mesh, face-alignment, face-alignment-3d"):
        check_name("s3fd")
