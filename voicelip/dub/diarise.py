"""Who speaks when, by voice alone: phrases with GE2E embeddings, gathered into as many groups as there are
people.

Agglomerative clustering by the cosine of the groups' middles, each weighted by its seconds. Middles of a few
phrases are steadier than phrases: measured on LibriSpeech and GRID, middles of one person are alike by 0.8 or
more and those of two people by less, while single phrases of 1.5 s overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech.engine import Segment

Speakers = int | Literal["auto"]

SAME_PERSON = 0.79
_SHORTEST_S = 0.6  # below this nothing can be told from an embedding
_ENOUGH_S = 4.0  # of speech make a person; less is somebody of the others in an odd moment
_STRICTER = 0.03  # steps towards more groups, where more people are asked for
_ROUNDS = 3


@dataclass(frozen=True)
class _Group:
    """Phrases held to be of one person; `total` is the sum of their embeddings times seconds."""

    members: tuple[int, ...]
    total: np.ndarray
    seconds: float

    def with_other(self, other: "_Group") -> "_Group":
        return _Group(self.members + other.members, self.total + other.total, self.seconds + other.seconds)


def speakers_of(
    phrases: Sequence[Segment], audio: Audio, speakers: Speakers, progress: Progress = silent
) -> list[int]:
    """For each phrase the number of its speaker, from 0 in order of appearance."""
    audio = audio.resampled(16_000)
    known = [i for i, phrase in enumerate(phrases) if phrase.end_s - phrase.start_s >= _SHORTEST_S]
    if len(known) < 2 or speakers == 1:
        return [0] * len(phrases)
    seconds = np.array([phrases[i].end_s - phrases[i].start_s for i in known])
    labels = grouped(_embeddings([phrases[i] for i in known], audio, progress), seconds, speakers)
    return _in_order(_spread(labels, known, len(phrases)))


def grouped(embeddings: np.ndarray, seconds: np.ndarray, speakers: Speakers) -> np.ndarray:
    """(P,) int: the person of each of (P, 256) embeddings; at most as many people as asked for."""
    least = SAME_PERSON
    people = _people(_merged(_singles(embeddings, seconds), least))
    while isinstance(speakers, int) and len(people) < speakers and least < 1 - _STRICTER:
        least += _STRICTER
        found = _people(_merged(_singles(embeddings, seconds), least))
        people = found if len(found) > len(people) else people
    if isinstance(speakers, int):
        people = _merged(people, -1.0, speakers)
    return _nearest(embeddings, seconds, _middles(people))


def _embeddings(phrases: Sequence[Segment], audio: Audio, progress: Progress) -> np.ndarray:
    from voicelip.speech import encoder

    found = []
    for number, phrase in enumerate(phrases, 1):
        start, end = (round(moment * audio.sample_rate) for moment in (phrase.start_s, phrase.end_s))
        found.append(encoder.embed(Audio(audio.samples[start:end], audio.sample_rate)))
        progress("telling speakers apart", number, len(phrases), "phrases")
    return np.stack(found)


def _singles(embeddings: np.ndarray, seconds: np.ndarray) -> list[_Group]:
    return [
        _Group((i,), embedding * length, float(length))
        for i, (embedding, length) in enumerate(zip(embeddings, seconds, strict=True))
    ]


def _merged(groups: list[_Group], least: float, down_to: int = 1) -> list[_Group]:
    """Groups whose middles are alike become one, the most alike first."""
    groups = list(groups)
    alike = _likeness(groups)
    while len(groups) > down_to:
        i, j = sorted(int(k) for k in np.unravel_index(alike.argmax(), alike.shape))
        if alike[i, j] < least:
            break
        groups[i] = groups[i].with_other(groups.pop(j))
        alike = np.delete(np.delete(alike, j, axis=0), j, axis=1)
        alike[i] = alike[:, i] = _middles(groups) @ _middles([groups[i]])[0]
        alike[i, i] = -np.inf
    return groups


def _likeness(groups: list[_Group]) -> np.ndarray:
    middles = _middles(groups)
    alike: np.ndarray = middles @ middles.T
    np.fill_diagonal(alike, -np.inf)
    return alike


def _people(groups: list[_Group]) -> list[_Group]:
    """The groups that are large enough to be a person; at least the largest."""
    large = [group for group in groups if group.seconds >= _ENOUGH_S and len(group.members) > 1]
    return large or [max(groups, key=lambda group: group.seconds)]


def _middles(groups: Sequence[_Group]) -> np.ndarray:
    total = np.stack([group.total for group in groups])
    middles: np.ndarray = total / np.linalg.norm(total, axis=1, keepdims=True)
    return middles


def _nearest(embeddings: np.ndarray, seconds: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Each embedding to the middle most like it, the middles following what they were given."""
    for _ in range(_ROUNDS):
        labels: np.ndarray = (embeddings @ middles.T).argmax(axis=1)
        for person in set(labels.tolist()):
            total = (embeddings * seconds[:, None])[labels == person].sum(axis=0)
            middles[person] = total / np.linalg.norm(total)
    return labels


def _spread(labels: np.ndarray, known: Sequence[int], count: int) -> list[int]:
    """What is too short to be told apart is said by whoever spoke before it, the first by whoever follows."""
    found = dict(zip(known, labels.tolist(), strict=True))
    spread, last = [], int(labels[0])
    for i in range(count):
        last = found.get(i, last)
        spread.append(last)
    return spread


def _in_order(labels: Sequence[int]) -> list[int]:
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    return [places[label] for label in labels]
