"""Samples for the renderer: frames, references of the same person, and how they are varied."""

from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from voicelip.face.crop import CROP_PX
from voicelip.lips.motion import MOTION_POINTS, lip_gap
from voicelip.lips.region import blend_mask, colour_gain, outlines
from voicelip.lips.renderer import REFERENCES, landmark_flow
from voicelip.training.clips import PreparedClips

_BANK_FRAMES = 20
_APART_FRAMES = 5
_LANDMARK_NOISE_PX = 0.3  # predicted landmarks do not fit the picture as exactly as found ones


@dataclass(frozen=True)
class Lessons:
    """What sampling needs of prepared clips: per clip the blend mask and its frames by opening; per speaker
    the clips, per folder the speakers.
    """

    data: PreparedClips
    masks: list[np.ndarray]
    by_gap: list[np.ndarray]
    siblings: dict[str, list[int]]
    folders: list[list[str]]

    @classmethod
    def of(cls, data: PreparedClips) -> "Lessons":
        masks, by_gap, siblings = [], [], defaultdict(list)
        for number, clip in enumerate(data.clips):
            points = np.asarray(data.points[clip.span])
            masks.append(blend_mask(points))
            by_gap.append(np.argsort(lip_gap(points[:, MOTION_POINTS])))
            siblings[clip.speaker].append(number)
        folders = [list(dict.fromkeys(data.clips[n].speaker for n in folder)) for folder in data.folders()]
        return cls(data, masks, by_gap, dict(siblings), folders)


@dataclass(frozen=True)
class Batch:
    """`target` (B, 3, 96, 96), `references` (B, 2, 3, 96, 96) in 0–1, `mask` (B, 1, 96, 96), `outlines` (B,
    9, 48, 48), `shift` (B, 2, 2, 48, 48).
    """

    target: torch.Tensor
    references: torch.Tensor
    mask: torch.Tensor
    outlines: torch.Tensor
    shift: torch.Tensor

    def inputs(self) -> tuple[torch.Tensor, ...]:
        unseen = hidden_area(self.mask)
        return self.target * (1 - unseen), unseen, self.references, self.outlines, self.shift


def hidden_area(mask: torch.Tensor) -> torch.Tensor:
    """As `region.hidden`, of a blend mask (B, 1, 96, 96)."""
    return (mask > 0.02).float()


def draw_batch(lessons: Lessons, clips: list[int], rng: np.random.Generator, augment: bool = True) -> Batch:
    """One target frame of each named clip with a closed and an open reference of the same person."""
    samples = []
    for number in clips:
        target = int(rng.integers(lessons.data.clips[number].frames))
        samples.append(_pictures(lessons, number, range(target, target + 1), rng, augment))
    return _as_batch(samples, rng, augment)


def draw_runs(
    lessons: Lessons, runs: list[tuple[int, range]], rng: np.random.Generator, augment: bool = True
) -> Batch:
    """Consecutive frames, given as (clip, frames of it), all runs of one length; each run has one pair of
    references and is varied as one. Sample-major: the frames of a run follow one another.
    """
    return _as_batch(
        [_pictures(lessons, number, frames, rng, augment) for number, frames in runs], rng, augment
    )


@dataclass(frozen=True)
class _Pictures:
    """`images` (T + 2, 96, 96, 3) uint8 and `points` (T + 2, 55, 2): T targets, the closed and the open
    reference; `mask` (96, 96).
    """

    images: np.ndarray
    points: np.ndarray
    mask: np.ndarray


def _pictures(
    lessons: Lessons, number: int, targets: range, rng: np.random.Generator, augment: bool
) -> _Pictures:
    clip = lessons.data.clips[number]
    closed, opened = _choose_references(lessons, number, targets, rng)
    rows = [*(clip.first_frame + frame for frame in targets), closed, opened]
    images = np.stack([lessons.data.crops[row] for row in rows])
    if opened not in range(clip.first_frame, clip.first_frame + clip.frames):
        lit = images[-1] * colour_gain(images[-2], images[-1])
        images[-1] = np.clip(lit, 0, 255).astype(np.uint8)
    places = np.stack([lessons.data.points[row][list(MOTION_POINTS)] for row in rows])
    mask = lessons.masks[number]
    if augment:
        if rng.random() < 0.5:
            images, places, mask = _mirror(images, places, mask)
        images, places, mask = _move(images, places, mask, rng)
        for index in range(len(targets)):
            places[index] += rng.normal(0, _LANDMARK_NOISE_PX, places[index].shape)
    return _Pictures(images, places, mask)


def _as_batch(samples: list[_Pictures], rng: np.random.Generator, augment: bool) -> Batch:
    pixels = torch.from_numpy(np.stack([sample.images for sample in samples]))
    pixels = pixels.permute(0, 1, 4, 2, 3).float() / 255
    if augment:
        pixels = _change_light(pixels, rng)
    landmarks = torch.from_numpy(np.stack([sample.points for sample in samples]))
    drawings = np.stack([[outlines(points) for points in sample.points] for sample in samples])
    drawn = torch.from_numpy(drawings).float() / 255
    frames = pixels.shape[1] - REFERENCES
    of_references = landmarks[:, frames:].repeat_interleave(frames, dim=0)
    of_targets = landmarks[:, :frames].flatten(0, 1)
    masks = torch.from_numpy(np.stack([sample.mask for sample in samples]))[:, None]
    around = drawn[:, frames:].flatten(1, 2).repeat_interleave(frames, dim=0)
    return Batch(
        pixels[:, :frames].flatten(0, 1),
        pixels[:, frames:].repeat_interleave(frames, dim=0),
        masks.repeat_interleave(frames, dim=0),
        torch.cat([drawn[:, :frames].flatten(0, 1), around], dim=1),
        torch.stack([landmark_flow(of_targets, of_references[:, r]) for r in range(REFERENCES)], dim=1),
    )


def _choose_references(
    lessons: Lessons, number: int, targets: range, rng: np.random.Generator
) -> tuple[int, int]:
    """Rows of a closed and an open reference for some frames of a clip.

    The open one is often like the target in shape, as a bank of references gives it. Now and then there is
    only a closed one, or an open mouth that is somebody else's: what there is for a person who never opens
    theirs.
    """
    wanted = lessons.data.points[lessons.data.clips[number].first_frame + targets[len(targets) // 2]]
    source, clip = number, lessons.data.clips[number]
    if rng.random() < 0.15:
        number = int(rng.choice(lessons.siblings[clip.speaker]))
        clip = lessons.data.clips[number]
    order, kind = lessons.by_gap[number], rng.random()
    closed = order[int(rng.integers(max(1, int(0.3 * clip.frames))))]
    if kind < 0.12:
        opened = closed
    elif kind < 0.4:
        return clip.first_frame + int(closed), _open_mouth_of_another(lessons, clip.speaker, rng)
    elif kind < 0.5:
        closed, opened = rng.integers(clip.frames, size=2)
    elif kind < 0.75:
        frames = rng.integers(clip.frames, size=_BANK_FRAMES)
        if number == source:  # a neighbour in time would be the answer itself
            apart = np.maximum(targets[0] - frames, frames - targets[-1]) >= _APART_FRAMES
            frames = frames[apart] if apart.any() else frames
        opened = _most_alike(lessons.data.points[clip.span][frames], wanted, frames)
    else:
        opened = order[-1 - int(rng.integers(max(1, int(0.15 * clip.frames))))]
    return clip.first_frame + int(closed), clip.first_frame + int(opened)


def _most_alike(points: np.ndarray, wanted: np.ndarray, frames: np.ndarray) -> int:
    """The frame whose landmarks (N, 478, 2) are nearest to those wanted, (478, 2)."""
    motion = list(MOTION_POINTS)
    distance = np.linalg.norm(points[:, motion] - wanted[motion], axis=-1).mean(axis=-1)
    return int(frames[distance.argmin()])


def _open_mouth_of_another(lessons: Lessons, speaker: str, rng: np.random.Generator) -> int:
    """Row of an open mouth; every folder lends alike, so that a large one does not lend to all."""
    folder = lessons.folders[int(rng.integers(len(lessons.folders))) if len(lessons.folders) > 1 else 0]
    others = [name for name in folder if name != speaker] or [speaker]
    number = int(rng.choice(lessons.siblings[others[int(rng.integers(len(others)))]]))
    clip, order = lessons.data.clips[number], lessons.by_gap[number]
    return clip.first_frame + int(order[-1 - int(rng.integers(max(1, int(0.15 * clip.frames))))])


def _mirror(
    images: np.ndarray, places: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    flipped = places.copy()
    flipped[..., 0] = images.shape[2] - 1 - flipped[..., 0]
    return images[:, :, ::-1], flipped, mask[:, ::-1].copy()


def _move(
    images: np.ndarray, places: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Other framings and proportions for all, and a little more for each reference: heads move."""
    middle = (CROP_PX - 1) / 2
    whole = _similarity(rng, zoom=0.1, turn=0.08, shift=3.0)
    whole[1] *= rng.uniform(0.93, 1.07)  # longer and shorter faces
    moved, landmarks = np.empty_like(images), np.empty_like(places)
    for index in range(len(images)):
        is_target = index < len(images) - REFERENCES
        own = np.eye(3)[:2] if is_target else _similarity(rng, zoom=0.02, turn=0.02, shift=1.0)
        matrix = whole @ np.vstack((own, [0, 0, 1]))
        landmarks[index] = (places[index] - middle) @ matrix[:, :2].T + matrix[:, 2] + middle
        moved[index] = _warp_about_middle(images[index], matrix)
    return moved, landmarks, _warp_about_middle(mask, whole, cv2.BORDER_CONSTANT)


def _similarity(rng: np.random.Generator, zoom: float, turn: float, shift: float) -> np.ndarray:
    """(2, 3) random zoom (share), turn (radians) and shift (px) about the origin."""
    scale, angle = 1 + rng.uniform(-zoom, zoom), rng.uniform(-turn, turn)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    x, y = rng.uniform(-shift, shift, 2)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def _warp_about_middle(
    image: np.ndarray, matrix: np.ndarray, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    middle = np.full(2, (CROP_PX - 1) / 2)
    placed = matrix.copy()
    placed[:, 2] += middle - matrix[:, :2] @ middle
    image = np.ascontiguousarray(image)
    return cv2.warpAffine(image, placed, (CROP_PX, CROP_PX), borderMode=border)


def _change_light(pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Other skins and lights: gamma, gain and a mix of the channels, the same for all pictures of one
    sample.
    """
    batch = len(pixels)

    def spread(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, (batch, *shape)).astype(np.float32))

    gamma, gain = spread(-0.5, 0.5, 1, 1, 1, 1).exp(), spread(0.7, 1.2, 1, 1, 1, 1)
    mix = torch.eye(3) + spread(-0.15, 0.15, 3, 3)
    mixed = torch.einsum("bij,bnjhw->bnihw", mix / mix.sum(-1, keepdim=True), pixels.clamp(1e-4, 1) ** gamma)
    return (mixed * gain).clamp(0, 1)
