"""Whether detector and landmarks, or two frames, agree on where a face is."""

import numpy as np

from voicelip.face.blazeface import Detection
from voicelip.face.choose import Candidate
from voicelip.face.mesh import Mesh, Region

MIN_PRESENCE = 0.5  # of the landmark network, below which it has lost the face
_LARGEST_JUMP = 0.3  # of the region's side, from one frame to the next


def is_good(candidate: Candidate) -> bool:
    """Landmarks found a face, and where the detector saw it; on a wall they drift away."""
    return candidate.mesh.presence >= MIN_PRESENCE and holds(candidate.face, candidate.mesh)


def holds(face: Detection, mesh: Mesh) -> bool:
    x, y, w, h = face.box
    middle = mesh.points[:, :2].mean(axis=0)
    return bool(x <= middle[0] <= x + w and y <= middle[1] <= y + h)


def is_near(before: Region, after: Region) -> bool:
    moved = np.hypot(before.x - after.x, before.y - after.y) / before.side
    return bool(moved < _LARGEST_JUMP and 1 / 1.4 < after.side / before.side < 1.4)


def stayed(before: Region | None, mesh: Mesh | None) -> bool:
    """Whether a face is where it was, so that what changed is something else."""
    if before is None or mesh is None:
        return False
    after = Region.of_points(mesh.points)
    return bool(np.hypot(before.x - after.x, before.y - after.y) < 0.1 * before.side)


def is_at(candidate: Candidate, region: Region) -> bool:
    x, y = candidate.face.centre
    return bool(np.hypot(x - region.x, y - region.y) < region.side / 2)
