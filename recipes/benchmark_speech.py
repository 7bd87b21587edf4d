"""Measure the speech room: intelligibility (WER), speed (RTF), and likeness of cloned voices (SECS).

    pip install . faster-whisper
    python recipes/benchmark_speech.py wer
    python recipes/benchmark_speech.py languages
    python recipes/benchmark_speech.py speed --voice stock:af_heart --voice alice
    python recipes/benchmark_speech.py clone path/to/ten_each

`ten_each` holds a folder per speaker with at least six recordings, such as ten utterances of five speakers
of LibriSpeech test-other (https://www.openslr.org/12, CC BY 4.0). The first five are the reference.
RTF is time over duration; "CPU" counts the processor's seconds, which other programs do not disturb.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.evaluation.speech import centroid, secs
from voicelip.media import Audio, read_audio, write_audio
from voicelip.speech import Voice, load_engine, resolve_voice, speak_text
from voicelip.speech.encoder import embed
from voicelip.speech.recognise import heard_text
from voicelip.speech.voices import DEFAULT_VOICES, stock_voices
from voicelip.speech.word_errors import word_errors

# The first sentences of the Harvard list of phonetically balanced English, and everyday ones.
ENGLISH = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "It is easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.",
    "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.",
    "Four hours of steady work faced us.",
    "A large size in stockings is hard to sell.",
    "The boy was there when the sun rose.",
    "Welcome to our spring release, which brings many improvements.",
    "Please send your answer before the end of the week.",
    "The meeting begins at nine in the morning and lasts two hours.",
    "Could you tell me where the nearest station is?",
    "She opened the window because the room was too warm.",
    "Our team has worked on this problem for several months.",
    "I have never seen such a beautiful garden before!",
    "If it rains tomorrow, we will stay at home and read.",
    "The price of coffee has gone up again this year.",
    "Thank you for watching, and see you next time.",
)

OTHERS = {
    "en-gb": (
        "The weather in the north will be cloudy with some rain.",
        "Would you like another cup of tea?",
    ),
    "es": (
        "El tren llega a la estación a las ocho de la mañana.",
        "¿Dónde puedo comprar un libro para mi hermana?",
        "La casa de mis abuelos está cerca del mar.",
    ),
    "fr-fr": (
        "Bonjour et bienvenue dans notre nouveau magasin.",
        "Le train arrive à la gare à huit heures du matin.",
        "La maison de mes parents est près de la mer.",
    ),
    "it": (
        "Il treno arriva alla stazione alle otto di mattina.",
        "La casa dei miei nonni è vicino al mare.",
        "Vorrei comprare un libro per mia sorella.",
    ),
    "pt-br": (
        "O trem chega na estação às oito horas da manhã.",
        "A casa dos meus avós fica perto do mar.",
        "Eu gostaria de comprar um livro para minha irmã.",
    ),
    "hi": ("आज मौसम बहुत अच्छा है।", "मुझे पानी चाहिए।", "हम कल बाजार जाएंगे।"),
}

CLONE_TEXT = (
    "The old bridge was closed for repairs, so everyone had to take the longer road. "
    "We arrived late in the evening, tired but happy to be home."
)


@dataclass
class Clock:
    """Adds up how long synthesis takes and how long its speech lasts."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    spoken_s: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall_s += time.perf_counter() - wall
        self.cpu_s += time.process_time() - cpu

    def __str__(self) -> str:
        return f"RTF {self.wall_s / self.spoken_s:.2f} (CPU {self.cpu_s / self.spoken_s:.2f})"


def spoken(clock: Clock, text: str, voice: Voice | str, lang: str) -> Audio:
    with clock.running():
        audio = speak_text(text, voice, lang).audio
    clock.spoken_s += audio.duration_s
    return audio


def wer(sentences: tuple[str, ...], lang: str, is_verbose: bool) -> str:
    """One table row for a language."""
    clock, errors, count = Clock(), 0, 0
    speak_text("Ready.", f"stock:{DEFAULT_VOICES[lang]}", lang)
    for sentence in sentences:
        heard = heard_text(spoken(clock, sentence, f"stock:{DEFAULT_VOICES[lang]}", lang), lang[:2])
        wrong, number = word_errors(sentence, heard)
        errors, count = errors + wrong, count + number
        if wrong and is_verbose:
            print(f"    {sentence}\n  → {heard}")
    name = DEFAULT_VOICES[lang]
    return f"{lang:6} {name:10} {len(sentences):3} sentences  WER {errors / count:6.1%}  {clock}"


def speed(voice: str) -> None:
    """First sound from nothing and with all loaded, gaps in a stream, and a long text in one call."""
    print(voice)
    print(f"  first sound, a new process:    {first_sound_of_a_process(voice):.2f} s")
    known = resolve_voice(voice)
    list(streamed(known, ENGLISH[0]))
    clock, heard_s, gaps_s = Clock(), 0.0, 0.0
    for waited_s, spoken_s in streamed(known, " ".join(ENGLISH)):
        if not heard_s:
            print(f"  first sound, model loaded:     {waited_s:.2f} s, {spoken_s:.2f} s long")
            heard_s = waited_s
        gaps_s += max(0.0, waited_s - heard_s)
        heard_s = max(heard_s, waited_s) + spoken_s
    print(f"  gaps in what is heard of a stream as it is made: {gaps_s:.2f} s")
    spoken(clock, " ".join(ENGLISH), known, "en-us")
    print(f"  {clock.spoken_s:.0f} s of speech in one call: {clock}")


def streamed(voice: Voice, text: str) -> Iterator[tuple[float, float]]:
    """When each piece of a stream is there, in seconds from its start, and how long it lasts."""
    began = time.perf_counter()
    engine: Any = load_engine("kokoro")
    for piece in engine.stream(text, voice, "en-us"):
        yield time.perf_counter() - began, piece.audio.duration_s


def first_sound_of_a_process(voice: str) -> float:
    """Seconds from the start of Python to the first piece of a stream."""
    code = (
        "import sys; from voicelip.speech import load_engine, resolve_voice; "
        "next(load_engine('kokoro').stream(sys.argv[2], resolve_voice(sys.argv[1]), 'en-us')); print()"
    )
    began = time.perf_counter()
    command = [sys.executable, "-c", code, voice, " ".join(ENGLISH[10:])]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - began


def nearest_stock(embedding: np.ndarray) -> Voice:
    stock = stock_voices()
    name = stock.names[int(np.argmax(stock.embeddings @ embedding))]
    return resolve_voice(f"stock:{name}")


def clone(folder: Path) -> None:
    """SECS of cloned speech against recordings that the clone has not heard."""
    print(f"{'speaker':8} {'real':>6} {'nearest stock':>24} {'clone':>6}  mixture")
    rows = []
    for speaker in sorted(path for path in folder.iterdir() if path.is_dir()):
        recordings = [read_audio(path) for path in sorted(speaker.iterdir())]
        reference, rest = recordings[:5], recordings[5:]
        target = centroid([embed(audio) for audio in rest])
        cloned = clone_of(reference)
        assert cloned.embedding is not None
        nearest = nearest_stock(cloned.embedding)
        real = float(np.mean([secs(audio, target) for audio in reference]))
        scores = [secs(speak_text(CLONE_TEXT, voice).audio, target) for voice in (nearest, cloned)]
        rows.append([real, *scores])
        parts = " ".join(f"{name}:{weight:.2f}" for name, weight in cloned.mixture)
        row = f"{speaker.name:8} {real:6.3f} {nearest.name:>17} {scores[0]:6.3f} {scores[1]:6.3f}  {parts}"
        print(row, flush=True)
    mean = np.mean(rows, axis=0)
    print(f"{'mean':8} {mean[0]:6.3f} {'':17} {mean[1]:6.3f} {mean[2]:6.3f}")


def clone_of(reference: list[Audio]) -> Voice:
    """Clone from several recordings as a user would: from one file that holds them all."""
    rate = reference[0].sample_rate
    joined = Audio(np.concatenate([audio.samples for audio in reference]), rate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.wav"
        write_audio(path, joined)
        return resolve_voice(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("wer", "languages", "clone", "speed"))
    parser.add_argument("folder", nargs="?", type=Path, help="recordings for `clone`")
    parser.add_argument("--voice", action="append", help="for `speed`; may be given again")
    parser.add_argument("-v", "--verbose", action="store_true", help="print what was heard wrongly")
    arguments = parser.parse_args()
    if arguments.part == "speed":
        for voice in arguments.voice or ["stock:af_heart"]:
            speed(voice)
    elif arguments.part == "wer":
        print(wer(ENGLISH, "en-us", arguments.verbose))
    elif arguments.part == "languages":
        for lang, sentences in OTHERS.items():
            print(wer(sentences, lang, arguments.verbose), flush=True)
    elif arguments.folder is None:
        parser.error("clone needs the folder of recordings")
    else:
        clone(arguments.folder)


if __name__ == "__main__":
    main()
