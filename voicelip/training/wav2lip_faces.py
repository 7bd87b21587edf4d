"""Faces as Wav2Lip takes them, for training: the boxes, the scaling and the mel windows of inference."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from voicelip.errors import UnreadableMediaError
from voicelip.face import stabilise
from voicelip.face.track import FaceTrack
from voicelip.lips.mel import published_starts
from voicelip.lips.wav2lip.boxes import face_boxes
from voicelip.lips.wav2lip.generator_net import MEL_COLUMNS
from voicelip.lips.wav2lip.options import Wav2LipOptions
from voicelip.lips.wav2lip.syncnet import SYNC_FRAMES
from voicelip.media import ClipInfo
from voicelip.training.clips import PreparedClips

FACE_PX = 96


@dataclass(frozen=True)
class FaceCrops:
    """`boxes` (T, 4): left, top, right, bottom in frame px; `points` (T, 478, 2) float32 in crop px."""

    boxes: np.ndarray
    points: np.ndarray

    def cut(self, image: np.ndarray, index: int) -> np.ndarray:
        """The face of `image` (H, W, 3) as inference scales it: (96, 96, 3)."""
        left, top, right, bottom = self.boxes[index].tolist()
        if right - left < 2 or bottom - top < 2:
            raise UnreadableMediaError(f"frame {index} has no face box")
        return cv2.resize(image[top:bottom, left:right], (FACE_PX, FACE_PX))


def face_crops(track: FaceTrack, info: ClipInfo) -> FaceCrops:
    """Where inference finds the face in every frame, with its default options."""
    options = Wav2LipOptions()
    boxes = face_boxes(stabilise(track), info.height, info.width, options.pads, options.smooth)
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    points = (track.points - boxes[:, None, :2]) * (FACE_PX / size)[:, None]
    return FaceCrops(boxes, points.astype(np.float32))


@dataclass(frozen=True)
class FaceRun:
    """Five frames of a clip: `faces` and others of the same clip, `reference`, both (3, 5, 96, 96) BGR in
    0–1; `windows` (5, 1, 80, 16), one for each frame; `sound` (1, 80, 16), that of all five.
    """

    faces: np.ndarray
    reference: np.ndarray
    windows: np.ndarray
    sound: np.ndarray


def draw_run(data: PreparedClips, number: int, rng: np.random.Generator) -> FaceRun:
    """A random run of a clip, and another one of it."""
    clip = data.clips[number]
    last = clip.frames - SYNC_FRAMES
    first = int(rng.integers(last + 1))
    other = (first + int(rng.integers(1, last + 1))) % (last + 1)  # any but the first
    mel = data.clip_mel(clip)
    starts = published_starts(mel.shape[1], clip.fps, MEL_COLUMNS)
    mine = starts[np.minimum(np.arange(first, first + SYNC_FRAMES), len(starts) - 1)]
    windows = mel[:, mine[:, None] + np.arange(MEL_COLUMNS)].transpose(1, 0, 2)[:, None]
    return FaceRun(_faces(data, number, first), _faces(data, number, other), windows, windows[0])


def usable(data: PreparedClips) -> np.ndarray:
    """Which clips hold two runs and a mel window."""
    return np.array([clip.frames > SYNC_FRAMES and clip.columns >= MEL_COLUMNS for clip in data.clips])


def stacked(arrays: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.stack(arrays), dtype=np.float32))


def _faces(data: PreparedClips, number: int, first: int) -> np.ndarray:
    row = data.clips[number].first_frame + first
    rgb = np.asarray(data.crops[row : row + SYNC_FRAMES])
    return rgb[..., ::-1].transpose(3, 0, 1, 2) / np.float32(255)
