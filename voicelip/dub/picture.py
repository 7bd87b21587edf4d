"""The picture of a dub: the clip's own frames, with the mouths of its speakers saying what they now say."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from voicelip import hub
from voicelip.dub.cast import Role
from voicelip.dub.lip_times import heard, opacity, talking
from voicelip.dub.mouths import Mouth, Part
from voicelip.dub.original import OriginalSound, listen
from voicelip.dub.picture_options import PictureOptions
from voicelip.dub.regions import Neighbours
from voicelip.dub.seen import passed_frames, passed_warnings
from voicelip.dub.speaker_lips import lips_of
from voicelip.dub.speakers import Casting, cast_faces
from voicelip.dub.timemap import TimeMap
from voicelip.dub.turns import Turn
from voicelip.errors import OptionError, UnreadableMediaError
from voicelip.face import FaceStatus, FaceTrack, detectors
from voicelip.face.choose import face_of_photo
from voicelip.face.crowd import Piece
from voicelip.face.crowd_store import Faces, stored_faces
from voicelip.face.looks import identities_of
from voicelip.face.people import SeenPerson
from voicelip.face.recogniser import recognise
from voicelip.face.stored_piece import StoredPiece
from voicelip.lips.drawing import BATCH
from voicelip.lips.generator import Shot
from voicelip.media import Clip, Picture, ahead, depth_of
from voicelip.progress import Progress, silent

Span = tuple[float, float]  # start and end, s
_LOOKS = 3  # at each person, to compare them with a photo


class DubPicture:
    """Every frame of a dub.

    Making one finds the faces (once for a clip: they are kept on disk), tells whose they are, and hears the
    clip's own sound. `stems` hold what each speaker says, by name as in `roles`: (N,) float32 at 16 kHz from
    the dub's first moment on, silent elsewhere; they are read where needed, so they may be memory maps.
    `turns` say when each is heard. The dub's frame k shows the clip's frame `times.source_index(k)`, the last
    one once the clip has ended; `count` is how many there are, by default as many as the clip lasts.

    A mouth is made anew in its speaker's turns, and shut where it talks in the clip and nobody hears it: in
    `original_heard`, seconds of the dub in which the clip's own voices come through, it is left as it is.

    `told` says how each speaker's face was found, `whose` which of the clip's faces it is; `passed` counts
    frames in which somebody is heard whose mouth is not in sight, by reason; `drawn` frames with a mouth
    made anew, by speaker; `warnings` is what the user should know. Raises NoFaceError where the cast asks
    for a face that the clip does not show.
    """

    def __init__(
        self,
        clip: Clip,
        roles: Sequence[Role],
        turns: Sequence[Turn],
        stems: Mapping[str, np.ndarray],
        *,
        count: int | None = None,
        times: TimeMap | None = None,
        original_heard: Sequence[Span] = (),
        options: PictureOptions | None = None,
        progress: Progress = silent,
    ) -> None:
        if missing := {role.speaker for role in roles} - stems.keys():
            raise OptionError(f"no speech is given for {', '.join(sorted(missing))}")
        self._clip, self._options = clip, options or PictureOptions()
        fps = clip.info.fps
        self._source = _source_indices(clip, times or TimeMap(), count)
        self.count = len(self._source)
        self._heard = {role.speaker: heard(turns, role.speaker, self.count, fps) for role in roles}
        self._silenced = ~_within(original_heard, self.count, float(fps))
        faces = find_faces(clip, self._options, progress)
        sound = listen(clip)
        self._casting = self._cast(faces, roles, sound)
        self.told = self._casting.told
        self.whose = {name: self._casting.faces_of(name) for name in self._heard}
        self.drawn = dict.fromkeys(self._heard, 0)
        self._mouths = self._plan(faces, stems, sound)
        passed = {
            name: passed_frames(faces, self._casting, name, self._source, heard_now)
            for name, heard_now in self._heard.items()
        }
        self.passed = sum(passed.values(), Counter())
        self.warnings = (*self._casting.warnings, *passed_warnings(passed, self._heard))

    def tracks(self) -> Iterator[tuple[int, FaceTrack]]:
        """Every face whose mouth is made anew: the clip's frame where its track begins, and the track."""
        pieces = {id(mouth.piece): mouth.piece for mouth in self._mouths}
        return ((piece.start, piece.track()) for piece in pieces.values())

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Picture]:
        """Frames `start` up to, not including, `stop` of the dub, the same wherever the reading begins."""
        stop = self.count if stop is None else min(stop, self.count)
        # Whole batches, since what is computed together may differ in the last bit from what is not.
        first = start // BATCH * BATCH
        last = min(-(-stop // BATCH) * BATCH, self.count)
        depth = depth_of(self._clip.info.width, self._clip.info.height)
        batch: list[Shot] = []
        for shot in ahead(self._shots(first, last), depth):
            batch.append(shot)
            if len(batch) == BATCH or shot.output_index == last - 1:
                for number, picture in enumerate(self._with_mouths(batch), batch[0].output_index):
                    if start <= number < stop:
                        yield picture
                batch = []
        for mouth in self._mouths:
            mouth.let_go()

    def _shots(self, first: int, last: int) -> Iterator[Shot]:
        """What the clip shows in these frames of the dub."""
        source = self._source[first:last]
        if not len(source):
            return
        frames = self._clip.frames(int(source[0]), int(source[-1]) + 1)
        shown = None
        for number, index in enumerate(source.tolist(), first):
            while shown is None or shown.index < index:
                following = next(frames, None)
                if following is None:  # damaged: its last picture stays
                    break
                shown = following
            if shown is None:
                moment_s = float(index / self._clip.info.fps)
                raise UnreadableMediaError(
                    f"{self._clip.path}: no picture from {moment_s:.2f} s on can be decoded; export it again"
                )
            yield Shot(number, shown.index, shown.picture)

    def _with_mouths(self, batch: list[Shot]) -> list[Picture]:
        pictures = {shot.output_index: shot.picture for shot in batch}
        first, last = batch[0].output_index, batch[-1].output_index
        for mouth in self._mouths:
            if mouth.first > last:
                continue
            if mouth.last <= first:
                mouth.let_go()
                continue
            for number, patch in mouth.patches(batch).items():
                pictures[number] = pictures[number].with_patch(patch)
        return [pictures[shot.output_index] for shot in batch]

    # What is made anew, and where

    def _cast(self, faces: Faces, roles: Sequence[Role], sound: OriginalSound | None) -> Casting:
        windows = {name: self._in_clip(mask) for name, mask in self._heard.items()}

        def apart(photo: Path, people: Sequence[SeenPerson]) -> list[float]:
            seen = face_of_photo(photo, detectors.create(self._options.detector, self._options.device))
            wanted = recognise(seen.image, seen.mesh.points)
            found = (identities_of(self._clip, person.pieces, _LOOKS) for person in people)
            return [float(np.linalg.norm(own - wanted, axis=1).min(initial=np.inf)) for own in found]

        return cast_faces(faces, roles, windows, sound.opening if sound else None, apart)

    def _in_clip(self, mask: np.ndarray) -> np.ndarray:
        """A mask of the dub's frames as one of the clip's."""
        result = np.zeros(self._clip.info.frame_count, bool)
        result[self._source[mask]] = True
        return result

    def _plan(
        self, faces: Faces, stems: Mapping[str, np.ndarray], sound: OriginalSound | None
    ) -> list[Mouth]:
        mouths: list[Mouth] = []
        by_speaker = {name: self._casting.pieces(faces, name) for name in self._heard}
        generators = lips_of(self._clip, by_speaker, sound, self._options)
        for name, pieces in by_speaker.items():
            part = Part(self._clip, self._source, stems[name], generators[name], self._options.strength)
            for _, own in groupby(sorted(pieces, key=_by_face), key=lambda piece: piece.face):
                mouths += self._mouths_of(name, list(own), part, faces, sound)
        return sorted(mouths, key=lambda mouth: mouth.first)

    def _mouths_of(
        self,
        speaker: str,
        pieces: list[StoredPiece],
        part: Part,
        faces: Faces,
        sound: OriginalSound | None,
    ) -> Iterator[Mouth]:
        """The mouths of one face through one shot, given in `pieces` without gaps."""
        start, stop = pieces[0].start, pieces[-1].stop
        first, last = np.searchsorted(self._source, (start, stop)).tolist()
        if first == last:
            return
        opening = np.concatenate([piece.opening for piece in pieces])
        talks = talking(opening, sound.loud[start:stop] if sound else None, self._clip.info.fps)
        shut = talks[self._source[first:last] - start] & self._silenced[first:last]
        shown = opacity(self._heard[speaker][first:last] | shut, self._clip.info.fps)
        for piece in pieces:
            begin, end = np.searchsorted(self._source, (piece.start, piece.stop)).tolist()
            part_of_it = shown[begin - first : end - first]
            seen = piece.status[self._source[begin:end] - piece.start] == FaceStatus.TRACKED
            if (part_of_it[seen] > 0).any():
                self.drawn[speaker] += int((part_of_it[seen] > 0).sum())
                yield Mouth(part, piece, begin, part_of_it, Neighbours(piece, faces.pieces))


def _by_face(piece: StoredPiece) -> tuple[int, int]:
    return piece.face, piece.start


def _source_indices(clip: Clip, times: TimeMap, count: int | None) -> np.ndarray:
    """(K,) int: the clip's frame that each frame of the dub shows, rising."""
    fps, available = clip.info.fps, clip.info.frame_count
    if count is None:
        count = max(1, round(times.output(available / fps) * fps))
    if times.is_identity:
        return np.minimum(np.arange(count), available - 1)
    indices = [times.source_index(number, fps) for number in range(count)]
    return np.minimum(np.array(indices), available - 1)


def _within(spans: Sequence[Span], count: int, fps: float) -> np.ndarray:
    """(count,) bool: the frames whose middle lies in one of the spans."""
    middles = (np.arange(count) + 0.5) / fps
    result = np.zeros(count, bool)
    for start, end in spans:
        result |= (start <= middles) & (middles < end)
    return result


def find_faces(clip: Clip, options: PictureOptions, progress: Progress) -> Faces:
    """Everybody in the clip; a second run reads them from disk."""

    def compute() -> Iterator[Piece]:
        detector = detectors.create(options.detector, options.device, progress)
        follow = getattr(detector, "everybody", None)
        if follow is None:
            raise OptionError(f"--detector {options.detector} follows one face only; dub with another one")
        images = (frame.picture.rgb(exact=False) for frame in clip.frames(0, clip.info.frame_count))

        def counted() -> Iterator[np.ndarray]:
            for number, image in enumerate(ahead(images, depth_of(clip.info.width, clip.info.height)), 1):
                yield image
                progress("faces", number, clip.info.frame_count, "frames")

        return follow(counted())

    settings = f"{detectors.settings(options.detector)} {clip.info.fps}"
    return stored_faces(clip.path, settings, hub.home() / "tracks", compute)
