"""Render the demo's presenter.

python -m recipes.synthetic_heads.presenter --facekit ict_facekit.npz -o presenter.mp4
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from .clothing import Clothing
from .eyes import Eyes
from .hair import Hair
from .head import HeadSpec, Renderer
from .mesh import load_facekit
from .motion import listening
from .skin import Skin

PRESENTER = HeadSpec(
    identity=(1.25, -0.35, 0.3, -0.6, 0.4, 0.7, -0.5, 0.6, 0.4, -0.3, 0.5),
    skin=Skin(tone=(226, 176, 152), lips=(204, 120, 112), blush=0.6, freckles=0.15, scalp=0.92, seed=5),
    eyes=Eyes(),
    hair=Hair(),
    clothing=Clothing(),
    slim_neck=0.14,
    rest=(
        ("mouthSmile_L", 0.42),
        ("mouthSmile_R", 0.38),
        ("cheekSquint_L", 0.2),
        ("cheekSquint_R", 0.2),
        ("eyeWide_L", 0.08),
        ("eyeWide_R", 0.08),
    ),
)
FPS = 25


def write_clip(path: Path, images: Iterable[np.ndarray], size: int, fps: int, crf: int) -> None:
    """Encode RGB images (size, size, 3) as H.264, BT.709, limited range."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "veryslow"})
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = 1  # BT.709
        context.color_range = 1  # limited
        for image in images:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facekit", type=Path, required=True, help="ICT-FaceKit as .npz (docs/presenter.md)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--size", type=int, default=640, help="pixels a side")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--crf", type=int, default=17)
    args = parser.parse_args()
    renderer = Renderer(load_facekit(args.facekit))
    frames = listening(args.seconds, FPS)
    images = (renderer.render(PRESENTER, frame, args.size, args.size).image for frame in frames)
    write_clip(args.output, images, args.size, FPS, args.crf)


if __name__ == "__main__":
    main()
