"""Frames in which somebody is heard whose mouth cannot be made anew, and why."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from voicelip.dub.speakers import Casting
from voicelip.face import FaceStatus
from voicelip.face.crowd_store import Faces

_SAID = {
    "no_face": "no face is in sight",
    "out_of_view": "only other faces are in sight",
    "turned_away": "the face is turned away",
    "covered": "the mouth is covered",
}


def passed_frames(
    faces: Faces, casting: Casting, speaker: str, source: np.ndarray, heard: np.ndarray
) -> Counter[str]:
    """How many of the dub's frames with `speaker` `heard` (K,) bool pass through as they are, by reason;
    `source` (K,) are the clip's frames that they show.
    """
    length = int(source.max(initial=0)) + 1
    best = np.full(length, _NOT_THERE, np.int8)
    anybody = np.zeros(length, bool)
    for piece in faces.pieces:
        stop = min(piece.stop, length)
        span = slice(piece.start, max(piece.start, stop))
        status = piece.status[: span.stop - span.start]
        anybody[span] |= status != FaceStatus.NO_FACE
        if casting.of.get(piece.face) == speaker:
            best[span] = np.minimum(best[span], _RANK[status])
    found, anybody = best[source[heard]], anybody[source[heard]]
    counts = {
        status.name.lower(): int((found == _RANK[status]).sum())
        for status in (FaceStatus.TURNED_AWAY, FaceStatus.COVERED)
    }
    absent = found >= _RANK[FaceStatus.NO_FACE]
    counts["out_of_view"] = int((absent & anybody).sum())
    counts["no_face"] = int((absent & ~anybody).sum())
    return Counter({reason: count for reason, count in counts.items() if count})


def passed_warnings(passed: Mapping[str, Counter[str]], heard: Mapping[str, np.ndarray]) -> list[str]:
    """The same in words, a line for each speaker and reason."""
    lines = []
    for speaker, reasons in passed.items():
        whose = f"{speaker}'s speech" if speaker else "speech"
        for reason, count in reasons.items():
            of = f"{count} of the {int(heard[speaker].sum())} frames with {whose}"
            lines.append(f"in {of} {_SAID[reason]}; they were left as they are")
    return lines


# Of several views of one person in a frame the first of these counts.
_ORDER = (FaceStatus.TRACKED, FaceStatus.COVERED, FaceStatus.TURNED_AWAY, FaceStatus.NO_FACE)
_RANK = np.argsort(np.array(_ORDER)).astype(np.int8)
_NOT_THERE = len(_ORDER)
