"""Real inputs for a network, from the presenter that comes with the package."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from voicelip.face import detectors, largest, stabilise
from voicelip.lips.generator import Job, Picture, Shot
from voicelip.media import Clip, read_audio

Inputs = dict[str, np.ndarray]

_ASSETS = Path(__file__).parents[1] / "assets"
_STEP, _FRAMES = 5, 24  # every fifth frame: mouths that differ


def presenter_job() -> tuple[Job, list[Shot]]:
    """The presenter saying the presenter's sentence, and the frames of it to be drawn."""
    pictures = [frame.picture for frame in Clip(_ASSETS / "presenter.mp4").frames(0, _STEP * _FRAMES)]
    track = detectors.create("mesh").track((picture.rgb() for picture in pictures), largest)
    samples = read_audio(_ASSETS / "presenter.wav", 16_000).samples
    fps = Clip(_ASSETS / "presenter.mp4").info.fps

    def read(indices: Sequence[int]) -> list[Picture]:
        return [pictures[index] for index in indices]

    shots = [Shot(i, i, pictures[i]) for i in range(0, len(pictures), _STEP)]
    return Job(samples, len(pictures), fps, stabilise(track), read), shots


def renderer_inputs() -> list[Inputs]:
    """What the embedded generator gives its renderer, frame by frame."""
    from voicelip.lips.embedded import EmbeddedGenerator

    job, shots = presenter_job()
    generator = EmbeddedGenerator.load()
    listener = _Listener(generator.renderer)
    session = replace(generator, renderer=listener).session(job)
    for shot in shots:
        session.render([shot])
    return listener.heard


class _Listener:
    """Runs the network that it stands for and keeps what that was given."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.heard: list[Inputs] = []

    def run(self, outputs: Any, inputs: Inputs) -> Any:
        self.heard.append({name: np.asarray(value) for name, value in inputs.items()})
        return self._session.run(outputs, inputs)


def wav2lip_inputs(px: int) -> list[Inputs]:
    """Mel windows and faces of `px` as Wav2Lip's generator takes them, frame by frame."""
    from voicelip.lips.wav2lip.generator import mel_windows
    from voicelip.lips.wav2lip.options import Wav2LipOptions
    from voicelip.lips.wav2lip.places import followed_places

    job, shots = presenter_job()
    size = (shots[0].picture.height, shots[0].picture.width)
    places, windows = followed_places(job.crops, *size, Wav2LipOptions()), mel_windows(job)
    return [
        {"mel": windows[i][None, None], "face": _face(shot.picture.rgb(places.box(shot.source_index)), px)}
        for i, shot in zip(range(0, _STEP * _FRAMES, _STEP), shots, strict=True)
    ]


def _face(area: np.ndarray, px: int) -> np.ndarray:
    """(h, w, 3) uint8 RGB → (1, 6, px, px) float32 BGR, masked then whole."""
    whole = cv2.resize(area, (px, px))[..., ::-1].astype(np.float32).transpose(2, 0, 1) / 255
    masked = whole.copy()
    masked[:, px // 2 :] = 0
    return np.concatenate([masked, whole])[None]
