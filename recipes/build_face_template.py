"""Make `pretrained/face_mesh_template.npz`: the mean face that 68 points are fitted with.

    python -m recipes.build_face_template CLIPS/train pretrained/face_mesh_template.npz

CLIPS/train holds a folder of clips for each speaker. Face Mesh's points of a few frames are brought over one
another (generalised Procrustes analysis, Gower 1975), averaged by speaker and then over speakers, scaled to
one inter-ocular distance, and turned to face the camera. No picture of anybody is kept.
"""

import argparse
from pathlib import Path

import numpy as np

from voicelip.face import detectors
from voicelip.face.detector import Detector
from voicelip.face.points import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, inter_ocular_px
from voicelip.media import Clip

_CLIPS, _EVERY, _ROUNDS = 3, 10, 5


def speaker_meshes(folder: Path, detector: Detector) -> np.ndarray:
    """(N, 478, 3) points of every tenth frame of three clips."""
    meshes = []
    for path in sorted(folder.glob("*.mp4"))[:_CLIPS]:
        for number, frame in enumerate(Clip(path).frames()):
            if number % _EVERY == 0 and (found := detector.candidates(frame.picture.rgb())):
                meshes.append(found[0].mesh.points.astype(np.float64))
    return np.array(meshes).reshape(-1, 478, 3)


def onto(mesh: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`mesh` moved, turned and scaled onto `target`, both (478, 3), the latter about its middle."""
    centred = mesh - mesh.mean(axis=0)
    left, singular, right = np.linalg.svd(centred.T @ target)
    flip = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    return (singular * flip).sum() / (centred**2).sum() * centred @ (left * flip) @ right


def mean_face(speakers: list[np.ndarray]) -> np.ndarray:
    """(478, 3) in inter-ocular distances, facing the camera."""
    mean = speakers[0][0] / inter_ocular_px(speakers[0][0])
    for _ in range(_ROUNDS):
        mean = mean - mean.mean(axis=0)
        mean = np.mean(
            [np.mean([onto(mesh, mean) for mesh in meshes], axis=0) for meshes in speakers], axis=0
        )
        mean = mean / inter_ocular_px(mean)
    across = mean[RIGHT_EYE_OUTER] - mean[LEFT_EYE_OUTER]
    turn = np.arctan2(across[2], across[0])
    around = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    return mean @ around.T


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    detector = detectors.create("mesh")
    folders = sorted(path for path in arguments.clips.iterdir() if path.is_dir())
    meshes = [speaker_meshes(folder, detector) for folder in folders]
    points = mean_face([each for each in meshes if len(each)])
    np.savez_compressed(arguments.out, points=points.astype(np.float32))


if __name__ == "__main__":
    main()
