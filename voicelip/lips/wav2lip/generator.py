"""`--lips wav2lip:PATH`: the published generator as a lip generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch

from voicelip.errors import OptionError
from voicelip.lips.generator import Job, Shot
from voicelip.lips.mel import HOP, mel_spectrogram, published_starts
from voicelip.lips.region import blend_mask
from voicelip.lips.wav2lip.boxes import face_boxes, stretches
from voicelip.lips.wav2lip.checkpoint import load_network
from voicelip.lips.wav2lip.fold import fold
from voicelip.lips.wav2lip.generator_net import FACE_PX, MEL_COLUMNS, Generator
from voicelip.lips.wav2lip.lower_half import LOWER_ROWS, draw_lower_half
from voicelip.lips.wav2lip.paste import paste_hard, paste_mouth
from voicelip.media import Box, Patch

Paste = Literal["mouth", "hard"]


@dataclass(frozen=True)
class Wav2LipGenerator:
    """`network` with folded norms, on `device`; `paste` the mouth alone, feathered, or the whole box hard."""

    network: Generator
    device: str
    paste: Paste = "mouth"

    @classmethod
    def load(cls, path: Path, paste: Paste = "mouth") -> "Wav2LipGenerator":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        network = fold(load_network(path, Generator)).to(device)
        for weights in network.parameters():
            if weights.ndim == 4:  # the layout that CPUs convolve fastest
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)
        return cls(network, device, paste)

    def session(self, job: Job) -> "Wav2LipSession":
        if job.strength != 1:
            raise OptionError("Wav2Lip has no dial for how far the mouth moves; leave the strength at 1")
        return Wav2LipSession(self, job)

    @torch.inference_mode()
    def draw(self, windows: np.ndarray, faces: np.ndarray, whole: bool = True) -> np.ndarray:
        """`windows` (B, 80, 16) mel, `faces` (B, 96, 96, 3) uint8 RGB → (B, 96, 96, 3) float32 RGB in 0–1.

        Unless `whole`, only the lower half is drawn; the upper one is that of `faces`.
        """
        seen = torch.from_numpy(faces).to(self.device).flip(-1).permute(0, 3, 1, 2).float() / 255
        masked = seen.clone()
        masked[:, :, FACE_PX // 2 :] = 0
        heard = torch.from_numpy(windows).to(self.device)[:, None]
        both = torch.cat((masked, seen), dim=1).contiguous(memory_format=torch.channels_last)
        if whole:
            drawn = self.network(heard, both)
        else:
            lower = draw_lower_half(self.network, heard, both)
            drawn = torch.cat((seen[:, :, :-LOWER_ROWS], lower), dim=2)
        return np.ascontiguousarray(drawn.flip(1).permute(0, 2, 3, 1).cpu().numpy())


class Wav2LipSession:
    """Renders frames of one job, all of a call in one batch."""

    def __init__(self, generator: Wav2LipGenerator, job: Job) -> None:
        self._generator = generator
        self._crops = job.crops
        self._windows = mel_windows(job)
        self._boxes = face_boxes(job.crops, *_frame_size(job))
        self._runs = [(run, blend_mask(job.crops.points[run])) for run in stretches(self._boxes)]

    def render(self, shots: Sequence[Shot]) -> list[Patch]:
        seen = [shot for shot in shots if self._is_seen(shot)]
        if not seen:
            return [Patch.nothing() for _ in shots]
        windows = self._windows[[min(shot.output_index, len(self._windows) - 1) for shot in seen]]
        whole = self._generator.paste == "hard"
        areas = [shot.picture.rgb(self._box(shot)) for shot in seen]
        faces = np.stack([cv2.resize(area, (FACE_PX, FACE_PX)) for area in areas])
        drawn = self._generator.draw(windows, faces, whole)
        pasted = {
            shot.output_index: self._paste(shot, area, face)
            for shot, area, face in zip(seen, areas, drawn, strict=True)
        }
        return [pasted.get(shot.output_index, Patch.nothing()) for shot in shots]

    def _is_seen(self, shot: Shot) -> bool:
        left, top, right, bottom = self._box(shot)
        return right - left > 1 and bottom - top > 1

    def _box(self, shot: Shot) -> Box:
        left, top, right, bottom = self._boxes[shot.source_index].tolist()
        return left, top, right, bottom

    def _paste(self, shot: Shot, area: np.ndarray, drawn: np.ndarray) -> Patch:
        if self._generator.paste == "hard":
            return paste_hard(area, self._box(shot), drawn)
        to_frame = self._crops.to_frame[shot.source_index]
        mask = next(mask for run, mask in self._runs if run.start <= shot.source_index < run.stop)
        return paste_mouth(area, self._box(shot), drawn, to_frame, mask)


def mel_windows(job: Job) -> np.ndarray:
    """(N, 80, 16): what each output frame hears in published inference; frames beyond N hear the last one."""
    needed = MEL_COLUMNS * HOP  # sound shorter than one window ends in silence
    mel = mel_spectrogram(np.pad(job.samples, (0, max(0, needed - len(job.samples)))))
    starts = published_starts(mel.shape[1], job.fps, MEL_COLUMNS)
    return mel[:, starts[:, None] + np.arange(MEL_COLUMNS)].transpose(1, 0, 2)


def _frame_size(job: Job) -> tuple[int, int]:
    first = job.read_frames([0])[0]
    return first.height, first.width
