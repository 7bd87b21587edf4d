"""A clip or photo whose mouth says a sound: the face is followed, the sound heard, every frame drawn."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from voicelip import hub
from voicelip.consent.asking import Granted
from voicelip.errors import NoFaceError, OptionError, UnreadableMediaError
from voicelip.face import (
    FaceStatus,
    FaceTrack,
    MouthCrops,
    choice_of,
    detectors,
    stabilise,
)
from voicelip.face.cache import cached_track
from voicelip.face.looks import looks_of
from voicelip.hashing import content_hash
from voicelip.lips import generators
from voicelip.lips.drawing import BATCH, drawn
from voicelip.lips.generator import Job, LipGenerator, LipSession, Shot
from voicelip.lips.mel import SAMPLE_RATE
from voicelip.media import (
    Audio,
    Clip,
    Picture,
    VideoWriter,
    ahead,
    depth_of,
    paced_frames,
    paced_length,
    read_audio,
)
from voicelip.media.label import labelled
from voicelip.progress import Progress
from voicelip.stopwatch import Stopwatch
from voicelip.trust import watermark
from voicelip.trust.credentials import Finish

if TYPE_CHECKING:
    from voicelip.speech import Segment

_LOOKS = 5  # frames in which a face is compared with those that lips were adapted to
_OWN_SOUND_S = 60.0  # of the clip, enough to tell how its speaker moves


@dataclass(frozen=True)
class LipsyncOptions:
    """How footage meets speech; the defaults suit a clip of one person facing the camera."""

    # A clip shorter than the speech goes back and forth or holds; a longer one is cut or kept to its end.
    when_short: Literal["bounce", "hold"] = "bounce"
    when_long: Literal["cut", "keep"] = "cut"
    face_index: int | None = None  # counted from the left; default: the largest face
    face_like: Path | None = None  # a photo of the person
    strength: float = 1.0  # of the mouth's motion
    static: bool = False  # only the clip's first frame is used, as a photo would be
    detector: str = "mesh"
    lips: str = "embedded"
    adapted: str = "auto"  # the face whose adapted lips are used; auto: the one that the clip shows, if any
    lips_options: object | None = None  # of the generator's own kind, such as Wav2LipOptions
    device: str = "auto"  # of models that run in torch: cpu, cuda, cuda:N or mps
    crf: int = 18
    preset: str = "veryfast"
    label: bool = False  # a small visible mark in a corner

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 2:
            raise OptionError(f"strength {self.strength:g} is out of range; choose 0 to 2")
        detectors.check_name(self.detector)
        if self.face_index is not None and self.face_like is not None:
            raise OptionError("face_index and face_like both choose a face; give one of them")


@dataclass(frozen=True)
class Result:
    """What was written, and what there is to know about it."""

    path: Path
    duration_s: float
    frames: int
    fps: float
    timings_s: dict[str, float]
    warnings: tuple[str, ...] = ()
    passed_through: dict[str, int] = field(default_factory=dict)  # reason → frames left as they were
    words: tuple["Segment", ...] = ()  # of speech made from text, as written, and when they are heard
    adapted: str | None = None  # the face that the lips were adapted to

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        words = [asdict(word) for word in self.words]
        return {**asdict(self), "path": str(self.path), "warnings": list(self.warnings), "words": words}


@dataclass(frozen=True)
class Work:
    """What a video is made with and for."""

    out: Path
    options: LipsyncOptions
    overwrite: bool
    progress: Progress
    watch: Stopwatch
    finish: Finish
    granted: Granted


def regenerate(clip: Clip, audio: Audio, work: Work, warnings: tuple[str, ...]) -> Result:
    """Write the video in which the chosen person of `clip` says `audio`; `warnings` go into the result."""
    options, watch, progress = work.options, work.watch, work.progress
    fps = clip.info.fps
    spoken = max(1, -(-len(audio.samples) * fps.numerator // (audio.sample_rate * fps.denominator)))
    generator = generators.create(options.lips, options.lips_options, options.device)
    frames = spoken if options.static else paced_length(clip.info.frame_count, spoken, options.when_long)
    searched = 1 if options.static else min(frames, clip.info.frame_count)
    with watch.stage("faces"):
        if getattr(generator, "needs_faces", True):
            track = follow(clip, searched, options, progress)
            crops = stabilise(track)
        else:
            track, crops = _unsearched(searched)
        work.granted.confirm(clip, track)
    with watch.stage("listening"):
        generator, adapted = _adapted(generator, options.adapted, clip, track)
        job = Job(
            audio.resampled(SAMPLE_RATE).samples,
            frames,
            fps,
            crops,
            clip.pictures_at,
            options.strength,
            _own_sound(clip),
        )
        session = generator.session(job)
    passed: Counter[str] = Counter()
    with (
        watch.stage("lips"),
        VideoWriter(
            work.out,
            clip.info.width,
            clip.info.height,
            fps,
            audio.sample_rate,
            clip.info.colour,
            options.crf,
            options.preset,
            work.overwrite,
            finish=work.finish,
        ) as writer,
    ):
        pictures = _rendered(clip, frames, options, track, crops, session, passed)
        sound = _MarkedSound(audio)
        for index, picture in enumerate(ahead(pictures, depth_of(clip.info.width, clip.info.height))):
            sound.write_until(writer, index / fps + 1)
            writer.write_frame(labelled(picture) if options.label else picture)
            progress("lips", index + 1, frames, "frames")
        frames = writer.frames_written
    warnings = (*warnings, *sound.warnings, *clip.problems, *_passed_warnings(passed, frames))
    return Result(
        work.out,
        round(float(frames / fps), 3),
        frames,
        float(fps),
        watch.seconds,
        warnings,
        dict(passed),
        adapted=adapted,
    )


def follow(clip: Clip, frames: int, options: LipsyncOptions, progress: Progress) -> FaceTrack:
    """Follow the chosen face through the first `frames` frames; a second run reads the result from disk."""

    def compute() -> FaceTrack:
        detector = detectors.create(options.detector, options.device, progress)
        source_images = (frame.picture.rgb(exact=False) for frame in clip.frames(0, frames))

        def images() -> Iterator[np.ndarray]:
            for number, image in enumerate(
                ahead(source_images, depth_of(clip.info.width, clip.info.height)), start=1
            ):
                yield image
                progress("faces", number, frames, "frames")

        return detector.track(images(), choice_of(options.face_index, options.face_like, detector))

    settings = (
        f"{detectors.settings(options.detector)} {clip.info.fps} {frames} "
        f"{options.face_index} {_photo_hash(options.face_like)}"
    )
    track, _ = cached_track(clip.path, settings, hub.home() / "tracks", compute)
    if not track.tracked.any():
        raise NoFaceError(
            f"{clip.path}: no face that can be animated is seen; use a clip that shows it from the front"
        )
    return track


def _adapted(
    generator: LipGenerator, wanted: str, clip: Clip, track: FaceTrack
) -> tuple[LipGenerator, str | None]:
    """The generator that knows the person in the clip, if one was adapted to them, and the face's name."""
    from voicelip.lips.adapted import adapted

    return adapted(generator, wanted, clip.path, lambda: looks_of(clip, track, _LOOKS))


def _unsearched(frames: int) -> tuple[FaceTrack, MouthCrops]:
    """What stands for a track where no face is looked for: every frame is usable, and no point is known."""
    points = np.full((frames, 478, 2), np.nan, np.float32)
    status, shot = np.zeros(frames, np.int8), np.zeros(frames, np.int32)
    whole = np.repeat(np.eye(2, 3)[None], frames, axis=0)
    return FaceTrack(points, status, np.zeros(frames, np.float32), shot), MouthCrops(whole, points)


def _own_sound(clip: Clip) -> np.ndarray | None:
    """The beginning of the sound that the clip came with; what cannot be read is done without."""
    if not clip.info.has_audio:
        return None
    try:
        return read_audio(clip.path, SAMPLE_RATE, stop_s=_OWN_SOUND_S).samples
    except UnreadableMediaError:
        return None


def _rendered(
    clip: Clip,
    frames: int,
    options: LipsyncOptions,
    track: FaceTrack,
    crops: MouthCrops,
    session: LipSession,
    passed: Counter[str],
) -> Iterator[Picture]:
    """Every output frame in order: regenerated where the face is usable, the source's own elsewhere, counted
    by reason.
    """
    batch: list[Shot] = []
    opacity = track.opacity()
    source_frames = (
        repeat(next(iter(clip.frames(0, 1))), frames)
        if options.static
        else paced_frames(clip, frames, options.when_short, options.when_long)
    )
    for index, frame in enumerate(ahead(source_frames, depth_of(clip.info.width, clip.info.height))):
        source = min(frame.index, len(track) - 1)
        batch.append(Shot(index, source, frame.picture))
        if len(batch) == BATCH:
            yield from _render_batch(batch, track, crops, opacity, session, passed)
            batch = []
    yield from _render_batch(batch, track, crops, opacity, session, passed)


def _render_batch(
    batch: list[Shot],
    track: FaceTrack,
    crops: MouthCrops,
    opacity: np.ndarray,
    session: LipSession,
    passed: Counter[str],
) -> list[Picture]:
    patches = drawn(session, batch, crops, [float(opacity[shot.source_index]) for shot in batch])
    for shot in batch:
        if shot.output_index not in patches:
            passed[FaceStatus(int(track.status[shot.source_index])).name.lower()] += 1
    return [
        shot.picture.with_patch(patches[shot.output_index]) if shot.output_index in patches else shot.picture
        for shot in batch
    ]


class _MarkedSound:
    """The speech with its watermark, handed over just ahead of the picture, so that little of it waits."""

    def __init__(self, audio: Audio) -> None:
        self._marker = watermark.Marker(audio.sample_rate, watermark.peak_of(audio))
        self._blocks = self._marker.mark([audio.samples])
        self._rate, self._written = audio.sample_rate, 0

    def write_until(self, writer: VideoWriter, time_s: Fraction) -> None:
        while self._written < time_s * self._rate:
            block = next(self._blocks, None)
            if block is None:
                return
            writer.write_audio(block)
            self._written += len(block)

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._marker.warnings


def _passed_warnings(passed: Counter[str], frames: int) -> list[str]:
    said = {
        "no_face": "show no face",
        "turned_away": "show the face turned away",
        "covered": "show the mouth covered",
    }
    return [
        f"{count} of {frames} frames {said[reason]}; they were left as they are"
        for reason, count in passed.items()
    ]


def _photo_hash(photo: Path | None) -> str:
    return content_hash(photo) if photo else ""
