"""Join clips of the GRID corpus into a talk of one or two people, to try dubbing on.

python recipes/build_talk.py GRID talk.mp4 --minutes 1 --people s1 s4 --background music

Beside talk.mp4 it writes what was really said (talk.source.srt, talk.words.json), a translation written for
the purpose in each language (talk.es.srt …), and the background alone (talk.background.wav). GRID holds
recordings of people for research: keep what is built from it to yourself.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
import pysubs2

from recipes.talk_texts import LANGUAGES, TEXTS
from voicelip.errors import VoicelipError
from voicelip.media import Audio, Clip, VideoWriter, read_audio, write_audio

RATE = 22_050
FPS = 25
CLIP_FRAMES = 75
CLIPS_OF_A_CUE = (1, 2, 2)  # as the texts are: one short, two long
NAMES = ("Tom", "Anna")
BACKGROUND_DB = -26.0  # below full scale, under speech at about −20
_GRAMMAR: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {},  # the letter itself
    {"z": "zero", "1": "one", "2": "two", "3": "three", "4": "four"}
    | {"5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine"},
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


@dataclass(frozen=True)
class Word:
    """One word as it is heard in the talk."""

    text: str
    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True)
class Piece:
    """A clip, who is seen talking in it, and the cue (counted from 0) that it belongs to."""

    path: Path
    speaker: int
    cue: int


@dataclass(frozen=True)
class Talk:
    """What was joined: words in order, and the times (start, end) and speaker of each cue."""

    words: tuple[Word, ...]
    cues: tuple[tuple[float, float, int], ...]


def pieces_of(grid: Path, people: list[str], clips: int) -> list[Piece]:
    """The clips in order; of two people, each says a cue in turn."""
    queues = [_clips_of(grid, person) for person in people]
    found: list[Piece] = []
    for cue, count in enumerate(cycle(CLIPS_OF_A_CUE)):
        speaker = cue % len(people)
        for path in islice(queues[speaker], count):
            if len(found) == clips:
                return found
            found.append(Piece(path, speaker, cue))
    return found


def words_of(grid: Path, piece: Piece, person: str, start_s: float) -> list[Word]:
    """From the corpus's alignment; else the words that the clip's name tells, spread over its speech."""
    align = grid / "align" / person / f"{piece.path.stem}.align"
    name = NAMES[piece.speaker]
    if align.exists():
        rows = [line.split() for line in align.read_text("ascii").splitlines()]
        return [
            Word(text, start_s + int(start) / 25_000, start_s + int(end) / 25_000, name)
            for start, end, text in rows
            if text not in ("sil", "sp")
        ]
    texts = [kind.get(letter, letter) for kind, letter in zip(_GRAMMAR, piece.path.stem, strict=False)]
    begin, end = _spoken_part(read_audio(piece.path, RATE).samples)
    edges = np.linspace(start_s + begin, start_s + end, len(texts) + 1)
    return [Word(text, float(edges[i]), float(edges[i + 1]), name) for i, text in enumerate(texts)]


def talk_of(grid: Path, people: list[str], pieces: list[Piece]) -> Talk:
    """Words and cues; a cue lasts from its first word to somewhat beyond its last, as subtitles do."""
    clip_s = CLIP_FRAMES / FPS
    each = [words_of(grid, piece, people[piece.speaker], i * clip_s) for i, piece in enumerate(pieces)]
    cues = []
    for cue in range(pieces[-1].cue + 1):
        own = [i for i, piece in enumerate(pieces) if piece.cue == cue]
        end_s = min(each[own[-1]][-1].end_s + 0.5, (own[-1] + 1) * clip_s)
        cues.append((each[own[0]][0].start_s, end_s, pieces[own[0]].speaker))
    return Talk(tuple(word for words in each for word in words), tuple(cues))


def write_talk(out: Path, people: int, pieces: list[Piece], background: np.ndarray, grid: list[Path]) -> None:
    """The video: the one who talks, and beside them the other, who listens. `grid` holds a clip of each."""
    width, height = 360, 288
    listening = [_idle_images(path) for path in grid]
    with VideoWriter(out, people * width, height, FPS, RATE, crf=16, overwrite=True) as writer:
        for index, piece in enumerate(pieces):
            start = index * CLIP_FRAMES * RATE // FPS
            stop = (index + 1) * CLIP_FRAMES * RATE // FPS
            sound = background[start:stop].copy()
            speech = read_audio(piece.path, RATE).samples[: len(sound)]
            sound[: len(speech)] += speech
            writer.write_audio(np.clip(sound, -1, 1))
            for number, image in enumerate(_images(piece.path)):
                at = index * CLIP_FRAMES + number
                row = [idle[_bounced(at, len(idle))] for idle in listening]
                row[piece.speaker] = image
                writer.write_frame(np.ascontiguousarray(np.concatenate(row, axis=1)))


def made_background(kind: str, samples: int, seed: int = 0) -> np.ndarray:
    """(N,) float32 of `music` (broken chords), `noise` (a murmur of low frequencies) or `none`."""
    rng = np.random.default_rng(seed)
    if kind == "none":
        return np.zeros(samples, np.float32)
    sound = _music(samples) if kind == "music" else _murmur(rng.standard_normal(samples))
    level = 10 ** (BACKGROUND_DB / 20) / np.sqrt(np.mean(sound**2))
    return (sound * level).astype(np.float32)


def _music(samples: int) -> np.ndarray:
    """Four chords of three notes, one note every 0.3 s, each dying away."""
    chords = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (130.8, 164.8, 196.0), (196.0, 246.9, 293.7))
    step = round(0.3 * RATE)
    t = np.arange(4 * step) / RATE
    sound = np.zeros(samples + len(t))
    for number in range(samples // step + 1):
        hz = chords[number // 8 % 4][number % 3]
        note = sum(np.sin(2 * np.pi * hz * k * t) / k**2 for k in (1, 2, 3)) * np.exp(-3 * t)
        sound[number * step : number * step + len(t)] += note * np.minimum(1, t / 0.005)
    return sound[:samples]


def _murmur(noise: np.ndarray) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    return sosfilt(butter(2, (80, 900), "bandpass", fs=RATE, output="sos"), noise)


def write_subtitles(out: Path, talk: Talk, people: int) -> None:
    """What was said, and the same times with a text in each language."""
    for number, lang in enumerate(LANGUAGES):
        texts = [TEXTS[i % len(TEXTS)][number] for i in range(len(talk.cues))]
        _save(out.with_suffix(f".{lang}.srt"), talk, texts, people)
    heard = [
        " ".join(word.text for word in talk.words if start <= word.start_s < end)
        for start, end, _ in talk.cues
    ]
    _save(out.with_suffix(".source.srt"), talk, heard, people)
    words = json.dumps([asdict(word) for word in talk.words], indent=0)
    out.with_suffix(".words.json").write_text(words, "utf-8")


def _save(path: Path, talk: Talk, texts: list[str], people: int) -> None:
    found = pysubs2.SSAFile()
    for (start_s, end_s, speaker), text in zip(talk.cues, texts, strict=True):
        named = f"{NAMES[speaker]}: {text}" if people > 1 else text
        found.append(pysubs2.SSAEvent(round(start_s * 1000), round(end_s * 1000), text=named))
    found.save(str(path))


def _clips_of(grid: Path, person: str) -> Iterator[Path]:
    paths = [path for folder in ("val", "train") for path in sorted((grid / folder / person).glob("*.mp4"))]
    if not paths:
        sys.exit(f"build_talk: {grid}: no clips of {person}")
    return cycle(paths)


def _images(path: Path) -> Iterator[np.ndarray]:
    """75 images (288, 360, 3), the last repeated where the clip is shorter."""
    image: np.ndarray = np.zeros((288, 360, 3), np.uint8)
    frames = Clip(path).frames(0, CLIP_FRAMES)
    for _ in range(CLIP_FRAMES):
        frame = next(frames, None)
        if frame is not None:
            image = cv2.resize(frame.image, (360, 288), interpolation=cv2.INTER_AREA)
        yield image


def _idle_images(path: Path) -> list[np.ndarray]:
    """The person after they have spoken, to be played back and forth."""
    _, end_s = _spoken_part(read_audio(path, RATE).samples)
    first = min(round((end_s + 0.2) * FPS), CLIP_FRAMES - 10)
    return list(_images(path))[first:]


def _spoken_part(samples: np.ndarray) -> tuple[float, float]:
    """Seconds between which the sound is within 12 dB of its loud parts."""
    frame = RATE // 50
    levels = np.sqrt((samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1))
    loud = np.flatnonzero(levels > np.percentile(levels, 95) / 4)
    return float(loud[0] / 50), float((loud[-1] + 1) / 50)


def _bounced(number: int, count: int) -> int:
    place = number % (2 * count - 2)
    return min(place, 2 * count - 2 - place)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("grid", type=Path, help="folder with train/, val/ and align/")
    parser.add_argument("out", type=Path, help="the video to write, .mp4")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--people", nargs="+", default=["s1"], metavar="SPEAKER", help="one or two (s1)")
    parser.add_argument("--background", choices=("none", "music", "noise"), default="none")
    arguments = parser.parse_args()
    if not 1 <= len(arguments.people) <= 2:
        parser.error("--people takes one or two speakers")
    try:
        build(arguments.grid, arguments.out, arguments.minutes, arguments.people, arguments.background)
    except (VoicelipError, OSError) as error:
        sys.exit(f"build_talk: {error}")


def build(grid: Path, out: Path, minutes: float, people: list[str], background: str) -> Talk:
    """Write the talk and all that belongs to it."""
    clips = max(1, round(minutes * 60 * FPS / CLIP_FRAMES))
    pieces = pieces_of(grid, people, clips)
    talk = talk_of(grid, people, pieces)
    sound = made_background(background, clips * CLIP_FRAMES * RATE // FPS)
    examples = [next(_clips_of(grid, person)) for person in people]
    write_talk(out, len(people), pieces, sound, examples)
    write_subtitles(out, talk, len(people))
    if background != "none":
        write_audio(out.with_suffix(".background.wav"), Audio(sound, RATE), overwrite=True)
    print(f"{out}: {clips * CLIP_FRAMES / FPS:.0f} s, {len(talk.cues)} cues", flush=True)
    return talk


if __name__ == "__main__":
    main()
