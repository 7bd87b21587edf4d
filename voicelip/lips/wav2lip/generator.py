"""`--lips wav2lip:PATH`: the published generator as a lip generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from voicelip.device import CPU, Device, is_out_of_memory
from voicelip.errors import OptionError
from voicelip.lips.generator import Job, Patch, Shot
from voicelip.lips.mel import HOP, mel_spectrogram, published_starts
from voicelip.lips.wav2lip.checkpoint import load_network
from voicelip.lips.wav2lip.fold import fold
from voicelip.lips.wav2lip.generator_net import MEL_COLUMNS, Generator
from voicelip.lips.wav2lip.lower_half import draw_lower_half
from voicelip.lips.wav2lip.options import Wav2LipOptions
from voicelip.lips.wav2lip.paste import paste_hard, paste_mouth
from voicelip.lips.wav2lip.places import Places, fixed_places, followed_places


@dataclass(frozen=True)
class Wav2LipGenerator:
    """`network` with folded norms, on `device` in its precision."""

    network: Generator
    device: Device
    options: Wav2LipOptions

    @classmethod
    def load(
        cls, path: Path, options: Wav2LipOptions | None = None, device: Device = CPU
    ) -> "Wav2LipGenerator":
        network = fold(load_network(path, Generator)).to(device.name, device.dtype)
        for weights in network.parameters():
            if weights.ndim == 4:  # the layout that CPUs convolve fastest
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)
        return cls(network, device, options or Wav2LipOptions())

    @property
    def needs_faces(self) -> bool:
        """Whether the clip is to be searched for a face at all."""
        return self.options.box is None

    @property
    def face_px(self) -> int:
        """The side of the faces that the network takes and gives."""
        return self.network.layout.px

    def session(self, job: Job) -> "Wav2LipSession":
        if job.strength != 1:
            raise OptionError("Wav2Lip has no dial for how far the mouth moves; leave the strength at 1")
        return Wav2LipSession(self, job)

    @torch.inference_mode()
    def draw(self, windows: np.ndarray, faces: np.ndarray, whole: bool = True) -> np.ndarray:
        """`windows` (B, 80, 16) mel, `faces` (B, S, S, 3) uint8 RGB → (B, S, S, 3) float32 RGB in 0–1.

        Unless `whole`, only the lower half is drawn; the upper one is that of `faces`. A batch that the
        memory does not hold is drawn in halves.
        """
        try:
            return self._draw(windows, faces, whole)
        except RuntimeError as error:
            if not is_out_of_memory(error) or len(faces) < 2:
                raise
        half = len(faces) // 2
        parts = (slice(None, half), slice(half, None))
        return np.concatenate([self.draw(windows[part], faces[part], whole) for part in parts])

    def _draw(self, windows: np.ndarray, faces: np.ndarray, whole: bool) -> np.ndarray:
        seen = torch.from_numpy(faces).to(self.device.name).flip(-1).permute(0, 3, 1, 2).float() / 255
        seen = seen.to(self.device.dtype)
        middle = self.face_px // 2
        masked = seen.clone()
        masked[:, :, middle:] = 0
        heard = torch.from_numpy(windows).to(self.device.name, self.device.dtype)[:, None]
        both = torch.cat((masked, seen), dim=1).contiguous(memory_format=torch.channels_last)
        if whole:
            drawn = self.network(heard, both)
        else:
            drawn = torch.cat((seen[:, :, :middle], draw_lower_half(self.network, heard, both)), dim=2)
        return np.ascontiguousarray(drawn.flip(1).permute(0, 2, 3, 1).float().cpu().numpy())


class Wav2LipSession:
    """Renders frames of one job, all of a call in one batch."""

    def __init__(self, generator: Wav2LipGenerator, job: Job) -> None:
        self._generator = generator
        self._windows = mel_windows(job)
        self._places = _places(generator.options, job)

    def render(self, shots: Sequence[Shot]) -> list[Patch]:
        seen = [shot for shot in shots if self._places.is_usable(shot.source_index)]
        if not seen:
            return [Patch.nothing() for _ in shots]
        windows = self._windows[[min(shot.output_index, len(self._windows) - 1) for shot in seen]]
        whole = self._generator.options.paste == "hard"
        areas = [shot.picture.rgb(self._places.box(shot.source_index)) for shot in seen]
        size = (self._generator.face_px, self._generator.face_px)
        faces = np.stack([cv2.resize(area, size) for area in areas])
        drawn = self._generator.draw(windows, faces, whole)
        pasted = {
            shot.output_index: self._paste(shot, area, face)
            for shot, area, face in zip(seen, areas, drawn, strict=True)
        }
        return [pasted.get(shot.output_index, Patch.nothing()) for shot in shots]

    def _paste(self, shot: Shot, area: np.ndarray, drawn: np.ndarray) -> Patch:
        box = self._places.box(shot.source_index)
        if self._generator.options.paste == "hard":
            return paste_hard(area, box, drawn)
        return paste_mouth(area, box, drawn, *self._places.mouth(shot.source_index))


def _places(options: Wav2LipOptions, job: Job) -> Places:
    first = next(iter(job.read_frames([0])))
    if options.box is None:
        return followed_places(job.crops, first.height, first.width, options)
    top, bottom, left, right = options.box
    if bottom > first.height or right > first.width:
        raise OptionError(f"box {options.box} is not inside the clip's {first.width}x{first.height} px")
    return fixed_places((left, top, right, bottom))


def mel_windows(job: Job) -> np.ndarray:
    """(N, 80, 16): what each output frame hears in published inference; frames beyond N hear the last one."""
    needed = MEL_COLUMNS * HOP  # sound shorter than one window ends in silence
    mel = mel_spectrogram(np.pad(job.samples, (0, max(0, needed - len(job.samples)))))
    starts = published_starts(mel.shape[1], job.fps, MEL_COLUMNS)
    return mel[:, starts[:, None] + np.arange(MEL_COLUMNS)].transpose(1, 0, 2)
