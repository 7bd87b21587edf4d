"""The lips of every speaker of a dub: adapted to them where they were, and as mobile as their own footage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from voicelip.dub.original import OriginalSound
from voicelip.dub.picture_options import PictureOptions
from voicelip.errors import OptionError
from voicelip.face import stabilise
from voicelip.face.stored_piece import StoredPiece
from voicelip.lips import face_store, generators
from voicelip.lips.acquaintance import acquainted
from voicelip.lips.adapted import adapted
from voicelip.lips.embedded import EmbeddedGenerator
from voicelip.lips.generator import LipGenerator
from voicelip.media import Clip

_MOST_PIECES = 12  # of a speaker's footage; more do not tell more


def lips_of(
    clip: Clip,
    by_speaker: Mapping[str, Sequence[StoredPiece]],
    sound: OriginalSound | None,
    options: PictureOptions,
) -> dict[str, LipGenerator]:
    """A generator for each speaker whose face is in `by_speaker`."""
    shipped = generators.create(options.lips, options.lips_options, options.device)
    seen = {name: pieces for name, pieces in by_speaker.items() if pieces}
    if len(seen) > 1 and options.adapted not in (face_store.AUTO, face_store.NONE):
        raise OptionError(
            f"the face {options.adapted} is one person's, and {len(seen)} speakers are seen; "
            "leave --adapted out, and each gets their own"
        )
    result = {name: shipped for name in by_speaker}
    for name, pieces in seen.items():
        own_clip = clip.path if len(seen) == 1 else None
        generator, _ = adapted(shipped, options.adapted, own_clip, partial(_looks, pieces))
        if isinstance(generator, EmbeddedGenerator) and generator.person is None:
            generator = replace(generator, person=acquainted(_footage(pieces, sound), generator.basis))
        result[name] = generator
    return result


def _looks(pieces: Sequence[StoredPiece]) -> list[np.ndarray]:
    return list(np.concatenate([piece.looks for piece in pieces if len(piece.looks)] or [np.zeros((0, 1))]))


def _footage(
    pieces: Sequence[StoredPiece], sound: OriginalSound | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    chosen = np.unique(np.linspace(0, len(pieces) - 1, _MOST_PIECES).round().astype(int))
    for piece in (pieces[n] for n in chosen):
        expected = sound.opening[piece.start : piece.stop] if sound else None
        yield stabilise(piece.track()).points, expected
