"""Whose face is whose: what the cast says, else whose mouth moves with the clip's own sound.

While a speaker's subtitles run, the original sound is that speaker's. So of the people in sight then, the one
whose mouth opens as the sound asks is the speaker; who listens moves otherwise, or not at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voicelip.dub.cast import Role
from voicelip.errors import NoFaceError
from voicelip.face.choose import STRANGER
from voicelip.face.crowd_store import Faces
from voicelip.face.people import SeenPerson, people
from voicelip.face.stored_piece import StoredPiece
from voicelip.face.track import FaceStatus

_TALKS_R = 0.25  # correlation of a mouth with the sound from which it makes it; listeners stay below
_SILENT_R = 0.15  # … and below which, over enough frames, it does not
_FEWEST_FRAMES = 40
_ANOTHER = 0.6  # distance of recognition descriptors, about 0.3 for one person and 0.8 for two
_ALIKE = 0.82  # likeness difference; two people of the GRID corpus differ by more
_STILL = 0.008  # spread of a closed mouth's opening as measured, in inter-ocular distances
_LAGS = range(-4, 5)  # frames by which picture and sound may be apart

# How far everybody is from the face in a photo, as recognition descriptors are apart.
Apart = Callable[[Path, Sequence[SeenPerson]], list[float]]


@dataclass(frozen=True)
class Casting:
    """`of` says whose face a piece shows, by face number; faces that are nobody's are left out. `told` is how
    each speaker's face was found, `warnings` what is uncertain about it.
    """

    of: dict[int, str]
    told: dict[str, str]
    warnings: tuple[str, ...]

    def faces_of(self, speaker: str) -> tuple[int, ...]:
        """The numbers of the faces that are this speaker's."""
        return tuple(sorted(face for face, whose in self.of.items() if whose == speaker))

    def pieces(self, faces: Faces, speaker: str) -> list[StoredPiece]:
        """The pieces that show `speaker`."""
        return [piece for piece in faces.pieces if self.of.get(piece.face) == speaker]


@dataclass
class _Search:
    people: list[SeenPerson]
    whose: dict[int, str] = field(default_factory=dict)  # by place in `people`
    told: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def give(self, number: int, speaker: str, told: str) -> None:
        self.whose[number] = speaker
        self.told.setdefault(speaker, told)

    @property
    def free(self) -> list[int]:
        return [number for number in range(len(self.people)) if number not in self.whose]


def cast_faces(
    faces: Faces,
    roles: Sequence[Role],
    windows: dict[str, np.ndarray],
    opening: np.ndarray | None,
    apart: Apart,
) -> Casting:
    """Find every role's face.

    `windows` (T,) bool says, by speaker, in which of the clip's frames their subtitles run; `opening` (T,) is
    what the clip's own sound asks of a mouth, None where there is no sound. `apart` compares
    people with a photo. Raises NoFaceError where the cast asks for a face that
    is never in sight.
    """
    search = _Search(people(faces.pieces))
    for role in roles:
        if isinstance(role.face, Path):
            _by_photo(search, role.speaker, role.face, apart)
        elif role.face is not None:
            _by_index(search, role.speaker, role.face)
    unknown = [role.speaker for role in roles if role.face is None]
    if len(roles) == len(unknown) == 1 and len(search.people) == 1:
        search.give(0, unknown[0], "the only face")
    else:
        _by_motion(search, windows, opening)
        for name in (name for name in unknown if name not in search.told):
            _guess(search, name, windows[name], opening, is_alone=len(roles) == 1)
    _by_likeness(search, windows, opening)
    of = {piece.face: name for n, name in search.whose.items() for piece in search.people[n].pieces}
    return Casting(of, search.told, tuple(search.warnings))


def _by_photo(search: _Search, speaker: str, photo: Path, apart: Apart) -> None:
    distances = apart(photo, search.people)
    if not distances or min(distances) > _ANOTHER:
        raise NoFaceError(
            f"no face in the clip looks like {photo.name}, the face of {speaker or 'the speaker'}; "
            "try another photo, or give the place from the left"
        )
    search.give(int(np.argmin(distances)), speaker, f"like {photo.name}")


def _by_index(search: _Search, speaker: str, index: int) -> None:
    """The `index`-th face from the left, in the first frame that shows so many."""
    pieces = [(piece, number) for number, person in enumerate(search.people) for piece in person.pieces]
    stop = max((piece.stop for piece, _ in pieces), default=0)
    count = np.zeros(stop, np.int32)
    for piece, _ in pieces:
        count[piece.start : piece.stop] += np.isfinite(piece.iod)
    enough = np.flatnonzero(count > index)
    if not len(enough):
        most = int(count.max(initial=0))
        raise NoFaceError(
            f"there is no face {index} for {speaker or 'the speaker'}: at most {most} "
            f"{'is' if most == 1 else 'are'} in sight at once; count from 0, left to right"
        )
    frame = int(enough[0])
    here = [
        (piece.centre[frame - piece.start, 0], n) for piece, n in pieces if piece.start <= frame < piece.stop
    ]
    ordered = sorted((float(x), n) for x, n in here if np.isfinite(x))
    search.give(ordered[index][1], speaker, f"face {index} from the left")


def _by_motion(search: _Search, windows: dict[str, np.ndarray], opening: np.ndarray | None) -> None:
    """Give every speaker the people whose mouths move with the sound of their turns; one person may be taken
    for several, from shot to shot.
    """
    found = {}
    for number in search.free:
        scores = {name: _agreement(search.people[number], mask, opening) for name, mask in windows.items()}
        name = max(scores, key=lambda name: _strength(scores[name]))
        if _talks(scores[name]):
            found[number] = (name, _strength(scores[name]))
    for number in sorted(found, key=lambda n: -found[n][1]):
        name = found[number][0]
        rivals = [n for n, whose in search.whose.items() if whose == name]
        if not any(search.people[n].meets(search.people[number]) for n in rivals):
            search.give(number, name, "mouth motion")


def _guess(
    search: _Search, speaker: str, window: np.ndarray, opening: np.ndarray | None, is_alone: bool
) -> None:
    """Somebody for a speaker whom the sound does not tell, unless it tells that they are out of sight."""
    named = speaker or "the speaker"
    remedy = "name the face in the cast (a photo, or the place from the left)"
    scores = {n: _agreement(search.people[n], window, opening) for n in search.free}
    possible = [
        n for n, (r, frames) in scores.items() if not (r < _SILENT_R and frames >= 2 * _FEWEST_FRAMES)
    ]
    if not is_alone or not possible:
        search.warnings.append(f"nobody in the picture seems to be {named}; if somebody is, {remedy}")
        return
    best = min(possible)  # people are in order of how much of the picture they are
    search.give(best, speaker, "the largest face")
    search.warnings.append(
        f"the sound does not tell whose face is that of {named}; the largest is taken; else {remedy}"
    )


def _by_likeness(search: _Search, windows: dict[str, np.ndarray], opening: np.ndarray | None) -> None:
    """Give those whom nothing told so far, in other shots, to the speaker whom they look like."""
    told = dict(search.whose)
    for number in search.free:
        person = search.people[number]
        known = {
            n: person.unlikeness(search.people[n].looks) for n in told if not search.people[n].meets(person)
        }
        if not known:
            continue
        nearest = min(known, key=lambda n: known[n])
        score = _agreement(person, windows[told[nearest]], opening)
        if not _is_silent(score) and known[nearest] < (STRANGER if _talks(score) else _ALIKE):
            search.whose[number] = told[nearest]


def _talks(score: tuple[float, int]) -> bool:
    r, frames = score
    return r >= _TALKS_R and frames >= _FEWEST_FRAMES


def _is_silent(score: tuple[float, int]) -> bool:
    r, frames = score
    return r < _SILENT_R and frames >= 2 * _FEWEST_FRAMES


def _strength(score: tuple[float, int]) -> float:
    r, frames = score
    return r * float(np.sqrt(frames))


def _agreement(person: SeenPerson, window: np.ndarray, opening: np.ndarray | None) -> tuple[float, int]:
    """Correlation of a mouth's opening with what the sound asks, at the best lag, over the frames of `window`
    (T,) in which it is seen; and how many these are.
    """
    if opening is None:
        return 0.0, 0
    pairs = []
    for piece in person.pieces:
        stop = min(piece.stop, len(window), len(opening))
        if stop <= piece.start:
            continue
        seen = window[piece.start : stop] & (piece.status[: stop - piece.start] == FaceStatus.TRACKED)
        frames = piece.start + np.flatnonzero(seen)
        if len(frames) >= 5:
            pairs.append((piece.opening[frames - piece.start], frames))
    count = sum(len(frames) for _, frames in pairs)
    if count == 0:
        return 0.0, 0
    real = np.concatenate([values - values.mean() for values, _ in pairs])
    if real.std() < _STILL:
        return 0.0, count
    best = 0.0
    for lag in _LAGS:
        wanted = [opening[np.clip(frames + lag, 0, len(opening) - 1)] for _, frames in pairs]
        expected = np.concatenate([values - values.mean() for values in wanted])
        norm = float(np.linalg.norm(real) * np.linalg.norm(expected))
        best = max(best, float(real @ expected) / norm if norm > 0 else 0.0)
    return best, count
