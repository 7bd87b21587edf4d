"""Colour: which matrix and range a picture uses, and the way to 8-bit RGB and back.

Both ways go through one swscale pass with exact rounding, so that a picture read and written again
keeps its colours, and every machine computes the same bits.
"""

from functools import cache
from threading import Lock
from typing import Any

import numpy as np

from voicelip.media.values import ColourTags

UNSPECIFIED = 2
LIMITED, FULL = 1, 2
BT709, BT601, BT2020 = 1, 6, 9

# AVCOL_SPC_* to SWS_CS_*; the two numberings differ.
SWSCALE_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
# SWS_BILINEAR | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND | SWS_BITEXACT
EXACT = 0x2 | 0x2000 | 0x40000 | 0x80000
QUICK = 0x2
_HDR_TRANSFERS = {16, 18}  # PQ and HLG
_SDR = ColourTags(primaries=BT709, transfer=BT709, matrix=BT709, range=LIMITED)


def conventional_matrix(width: int, height: int) -> int:
    """What players assume for a picture without tags: BT.709 for HD, BT.601 below."""
    return BT709 if max(width, height) >= 1280 or min(width, height) > 576 else BT601


def writable_tags(tags: ColourTags | None, width: int, height: int) -> ColourTags:
    """`tags` with an unknown or RGB matrix and an unknown range replaced by the conventional ones."""
    if tags is None:
        tags = ColourTags(UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, 0)
    matrix = tags.matrix if tags.matrix in SWSCALE_MATRIX else conventional_matrix(width, height)
    return ColourTags(tags.primaries, tags.transfer, matrix, tags.range or LIMITED)


def frame_tags(frame: Any) -> ColourTags:
    """The definite tags of a decoded frame (av.VideoFrame)."""
    planar_full = frame.format.name.startswith("yuvj")
    raw = ColourTags(
        primaries=getattr(frame, "color_primaries", UNSPECIFIED),
        transfer=getattr(frame, "color_trc", UNSPECIFIED),
        matrix=frame.colorspace,
        range=FULL if planar_full else frame.color_range,
    )
    return writable_tags(raw, frame.width, frame.height)


def is_hdr(tags: ColourTags) -> bool:
    """Whether the tags speak of high dynamic range, which 8-bit RGB cannot hold as it is."""
    return tags.transfer in _HDR_TRANSFERS


def delivered_tags(tags: ColourTags) -> ColourTags:
    """What the RGB frames of a picture with `tags` mean, and how a video of them should be tagged."""
    return _SDR if is_hdr(tags) and _converts_hdr() else tags


@cache
def _converts_hdr() -> bool:
    """Whether this PyAV hands transfer curves to swscale (17 and later do)."""
    import av

    return int(av.__version__.split(".")[0]) >= 17


class ToRgb:
    """Converts decoded frames to RGB arrays of one size (before rotation). Safe to use from any thread.

    HDR becomes BT.709 with white at 203 cd/m²; what is brighter is white. Its tables take seconds to
    make, so a converter is worth keeping.
    """

    def __init__(self, width: int, height: int) -> None:
        from av.video.reformatter import VideoReformatter

        self._width, self._height = width, height
        self._reformatter = VideoReformatter()
        self._lock = Lock()

    def __call__(self, frame: Any, exact: bool = True) -> np.ndarray:
        """An av.VideoFrame as (H, W, 3) uint8 RGB; transparent parts become black, as in players.

        Without `exact` colours are off by up to two levels, for a tenth of the time.
        """
        has_alpha = any(part.is_alpha for part in frame.format.components) or frame.format.name == "pal8"
        tags = frame_tags(frame)
        delivered = delivered_tags(tags)
        curve = {"dst_color_trc": BT709, "dst_color_primaries": BT709} if delivered != tags else {}
        with self._lock:
            converted = self._reformatter.reformat(
                frame,
                width=self._width,
                height=self._height,
                format="rgba" if has_alpha else "rgb24",
                src_colorspace=SWSCALE_MATRIX[tags.matrix],
                dst_colorspace=SWSCALE_MATRIX[delivered.matrix],
                src_color_range=_source_range(frame),
                dst_color_range=FULL,
                interpolation=EXACT if exact else QUICK,
                **curve,
            )
        image = converted.to_ndarray()
        return _over_black(image) if has_alpha else image


def _source_range(frame: Any) -> int:
    plain_rgb_or_gray = frame.format.is_rgb or len(frame.format.components) <= 2
    if plain_rgb_or_gray and frame.color_range != LIMITED:
        return FULL
    return frame_tags(frame).range


def _over_black(rgba: np.ndarray) -> np.ndarray:
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * alpha + 127) // 255).astype(np.uint8)


class FromRgb:
    """Converts RGB arrays to yuv420p frames with given tags."""

    def __init__(self, colour: ColourTags) -> None:
        from av.video.reformatter import VideoReformatter

        self._colour = colour
        self._reformatter = VideoReformatter()

    def __call__(self, image: np.ndarray) -> Any:
        """(H, W, 3) uint8 RGB with even H and W as an av.VideoFrame in yuv420p."""
        from av import VideoFrame

        matrix = SWSCALE_MATRIX[self._colour.matrix]
        frame = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(image, format="rgb24"),
            format="yuv420p",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=FULL,
            dst_color_range=self._colour.range,
            interpolation=EXACT,
        )
        return frame
