"""Export trained lip networks to the ONNX files that ship in pretrained/.

python -m recipes.export_lips RUN/motion RUN/renderer pretrained
"""

import argparse
import shutil
from pathlib import Path

import torch

from voicelip.lips.export import export_motion, export_renderer
from voicelip.lips.motion import MotionBasis
from voicelip.lips.motion_net import MotionNet
from voicelip.lips.renderer import Renderer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("motion", type=Path, help="folder of motion.pt and motion_basis.npz")
    parser.add_argument("renderer", type=Path, help="folder of renderer.pt")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    basis = MotionBasis.load(arguments.motion / "motion_basis.npz")
    motion = MotionNet(len(basis.components))
    motion.load_state_dict(torch.load(arguments.motion / "motion.pt", weights_only=True)["averaged"])
    export_motion(motion, arguments.out / "lips_motion.onnx")
    renderer = Renderer()
    renderer.load_state_dict(torch.load(arguments.renderer / "renderer.pt", weights_only=True)["averaged"])
    export_renderer(renderer, arguments.out / "lips_renderer.onnx")
    shutil.copy(arguments.motion / "motion_basis.npz", arguments.out / "lips_basis.npz")


if __name__ == "__main__":
    main()
