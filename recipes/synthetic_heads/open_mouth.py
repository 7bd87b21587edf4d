"""Render the open mouth that lends its teeth to people whose clip never shows theirs.

python -m recipes.synthetic_heads.open_mouth --facekit ict_facekit.npz -o pretrained/lips_donor.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.face import stabilise
from voicelip.face.tracker import FaceTracker
from voicelip.lips.motion import MOTION_POINTS

from .head import Frame, Renderer
from .mesh import load_facekit
from .presenter import PRESENTER

_PICTURE_PX = 1080
_CROP_PX = 288
_OPEN = {
    "jawOpen": 0.24, "mouthUpperUp_L": 0.45, "mouthUpperUp_R": 0.45,
    "mouthLowerDown_L": 0.35, "mouthLowerDown_R": 0.35, "mouthSmile_L": -0.3, "mouthSmile_R": -0.3,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--facekit", type=Path, required=True, help="ICT-FaceKit as .npz (docs/presenter.md)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    frame = Frame(expression=_OPEN, frame_height=24.0)
    image = Renderer(load_facekit(args.facekit)).render(PRESENTER, frame, _PICTURE_PX, _PICTURE_PX).image
    track = FaceTracker.from_task(hub.fetch("face-landmarker")).track([image])
    crops = stabilise(track)
    np.savez_compressed(
        args.output,
        image=crops.cut(image, 0, _CROP_PX),
        points=crops.points[0, list(MOTION_POINTS)].astype(np.float32),
    )


if __name__ == "__main__":
    main()
