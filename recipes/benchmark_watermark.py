"""How often the watermark is found after what happens to files, and how often in speech that bears none.

    python -m recipes.benchmark_watermark LIBRISPEECH GRID [--marked 84] [--spoken 24] [--dnsmos] [-o FILE]

Recordings of the folders are searched as they are (false alarms); `--marked` of them, evenly spread, and
`--spoken` sentences in stock voices are marked and then encoded, filtered, hastened, cut or mixed.
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from voicelip.errors import VoicelipError
from voicelip.media import Audio, read_audio
from voicelip.trust import watermark

SUFFIXES = {".flac", ".wav", ".mp4"}
SENTENCES = (
    "The committee will meet again on Thursday to look at the figures for the third quarter.",
    "Turn left at the old bridge, follow the river for a mile, and you will see the house on your right.",
    "Nobody had told her that the last train leaves at ten, so she walked home through the rain.",
    "Please keep your receipt, since without it we cannot exchange the goods or return your money.",
)
VOICES = ("af_heart", "am_adam", "bf_emma", "bm_george", "af_bella", "am_michael")

Attack = Callable[[Audio], Audio]


def find_files(folders: list[Path]) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES)


def spoken(count: int) -> Iterator[Audio]:
    """Sentences in stock voices, without a mark."""
    from voicelip import speech

    for number in range(count):
        voice = speech.resolve_voice(f"stock:{VOICES[number % len(VOICES)]}")
        text = SENTENCES[(number // len(VOICES)) % len(SENTENCES)]
        yield speech.speak_text(text, voice).audio


def encoded(codec: str, container: str, kilobits: int) -> Attack:
    """Through a lossy codec at 48 kHz and back."""
    import av

    def run(audio: Audio) -> Audio:
        file = io.BytesIO()
        with av.open(file, "w", format=container) as output:
            stream = output.add_stream(codec, rate=48_000, layout="mono")
            stream.codec_context.bit_rate = kilobits * 1000
            frame = sound_frame(audio.resampled(48_000))
            fitted = av.AudioResampler(stream.codec_context.format, "mono", 48_000)
            for piece in [*fitted.resample(frame), *fitted.resample(None)]:
                output.mux(stream.encode(piece))
            output.mux(stream.encode(None))
        file.seek(0)
        back = av.AudioResampler("fltp", "mono", 48_000)
        with av.open(file) as source:
            pieces = [piece for each in source.decode(audio=0) for piece in back.resample(each)]
        return Audio(np.concatenate([piece.to_ndarray()[0] for piece in pieces]), 48_000)

    return run


def sound_frame(audio: Audio) -> "object":
    from av import AudioFrame

    frame = AudioFrame.from_ndarray(audio.samples[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = audio.sample_rate, 0, Fraction(1, audio.sample_rate)
    return frame


def tempo(speed: float) -> Attack:
    """Faster at the same pitch, by FFmpeg's atempo."""

    def run(audio: Audio) -> Audio:
        import av
        from av.filter import Graph

        graph = Graph()
        rate = audio.sample_rate
        source = graph.add_abuffer(
            sample_rate=rate, format="fltp", layout="mono", time_base=Fraction(1, rate)
        )
        graph.link_nodes(source, graph.add("atempo", str(speed)), graph.add("abuffersink")).configure()
        graph.push(sound_frame(audio))
        graph.push(None)
        pieces = []
        while True:
            try:
                pieces.append(graph.pull().to_ndarray()[0])
            except (av.error.EOFError, av.error.BlockingIOError):
                return Audio(np.concatenate(pieces), rate)

    return run


def hastened(speed: float) -> Attack:
    """Faster and higher, as a tape that runs too fast."""

    def run(audio: Audio) -> Audio:
        places = np.arange(int(len(audio.samples) / speed)) * speed
        samples = np.interp(places, np.arange(len(audio.samples)), audio.samples)
        return Audio(samples.astype(np.float32), audio.sample_rate)

    return run


def at_rate(rate: int) -> Attack:
    return lambda audio: audio.resampled(rate)


def cut(seconds: float) -> Attack:
    """From the middle."""

    def run(audio: Audio) -> Audio:
        half = round(seconds * audio.sample_rate / 2)
        middle = len(audio.samples) // 2
        return Audio(audio.samples[max(0, middle - half) : middle + half], audio.sample_rate)

    return run


def quieter(decibels: float) -> Attack:
    return lambda audio: Audio(audio.samples * np.float32(10 ** (-decibels / 20)), audio.sample_rate)


def mixed(background: np.ndarray, decibels: float) -> Attack:
    """With `background` (N,), at any rate, so many dB below the speech."""

    def run(audio: Audio) -> Audio:
        other = np.resize(background, len(audio.samples))
        power = float((audio.samples**2).mean() / max(1e-12, (other**2).mean()))
        gain = np.sqrt(power) * 10 ** (-decibels / 20)
        return Audio((audio.samples + gain * other).astype(np.float32), audio.sample_rate)

    return run


def attacks(babble: np.ndarray) -> dict[str, Attack]:
    rng = np.random.default_rng(0)
    white = rng.normal(size=160_000)
    spectrum = np.fft.rfft(rng.normal(size=160_000)) / np.sqrt(np.arange(1, 80_002))
    pink = np.fft.irfft(spectrum)
    return {
        "as written": lambda audio: audio,
        **{f"AAC {rate} kb/s": encoded("aac", "mp4", rate) for rate in (32, 48, 64, 128)},
        "Opus 24 kb/s": encoded("libopus", "ogg", 24),
        "Opus 64 kb/s": encoded("libopus", "ogg", 64),
        "MP3 64 kb/s": encoded("libmp3lame", "mp3", 64),
        "16 kHz": at_rate(16_000),
        "8 kHz": at_rate(8000),
        "1.1x, same pitch": tempo(1.1),
        "0.9x, same pitch": tempo(0.9),
        "1.1x, higher": hastened(1.1),
        "0.95x, lower": hastened(0.95),
        "two voices 20 dB below": mixed(babble, 20),
        "pink noise 20 dB below": mixed(pink, 20),
        "white noise 20 dB below": mixed(white, 20),
        "two voices 10 dB below": mixed(babble, 10),
        "3 s of it": cut(3),
        "1 s of it": cut(1),
        "6 dB quieter": quieter(6),
        "3 s, AAC 64 kb/s, voices": lambda audio: encoded("aac", "mp4", 64)(mixed(babble, 20)(cut(3)(audio))),
    }


def melodies(count: int) -> Iterator[Audio]:
    """Synthesised music: harmonic tones that fade, half of them in a hall."""
    rng = np.random.default_rng(0)
    for number in range(count):
        length, fade = int(rng.uniform(2000, 9000)), rng.uniform(1500, 9000)
        notes = 110 * 2 ** (rng.integers(0, 30, 128_000 // length + 1) / 12)
        t = np.arange(length)
        tune = np.concatenate([_tone(note, t, rng) * np.exp(-t / fade) for note in notes])[:128_000]
        if number % 2:
            hall = np.exp(-np.arange(8000) / 2500) * rng.normal(size=8000)
            tune = np.convolve(tune, hall)[: len(tune)]
        yield Audio((0.3 * tune / np.abs(tune).max()).astype(np.float32), 16_000)


def _tone(note: float, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    slope, partials = rng.uniform(0.3, 1.5), np.arange(1, int(3500 / note) + 1)
    phases = 2 * np.pi * (note * partials[:, None] * t / 16_000 + rng.random(len(partials))[:, None])
    return (np.sin(phases) / partials[:, None] ** slope).sum(axis=0)


def quality(audio: Audio) -> float:
    """DNSMOS OVRL."""
    from speechmos import dnsmos

    heard = audio.resampled(16_000).samples
    return float(dnsmos.run(np.clip(heard, -1, 1), sr=16_000)["ovrl_mos"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="recordings without a mark")
    parser.add_argument("--marked", type=int, default=84)
    parser.add_argument("--spoken", type=int, default=24)
    parser.add_argument("--synthetic", type=Path, nargs="*", default=[], help="more speech to be marked")
    parser.add_argument("--attacks", nargs="*", metavar="NAME", help="only these")
    parser.add_argument(
        "--no-alarms", action="store_true", help="leave out the search of unmarked recordings"
    )
    parser.add_argument("--dnsmos", action="store_true", help="also by how much DNSMOS falls")
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()
    try:
        table = measure(arguments)
    except (VoicelipError, OSError) as error:
        parser.exit(1, f"benchmark_watermark: {error}\n")
    text = json.dumps(table, indent=1)
    print(text)
    if arguments.out:
        arguments.out.write_text(text, "utf-8")


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    files = find_files(arguments.folders)
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, arguments.marked).astype(int)]
    chosen += find_files(arguments.synthetic)
    originals = [*spoken(arguments.spoken), *(read_audio(path) for path in chosen)]
    seconds = sum(audio.duration_s for audio in originals)
    began = time.process_time()
    marked = [watermark.mark(audio) for audio in originals]
    marking_s = (time.process_time() - began) / seconds
    babble = np.add(*(np.resize(read_audio(path, 16_000).samples, 160_000) for path in files[:2]))
    found = {}
    for name, attack in attacks(babble).items():
        if arguments.attacks is not None and name not in arguments.attacks:
            continue
        scores = [watermark.find(attack(each.audio)).score for each in marked]
        found[name] = {"found": np.mean(np.array(scores) >= 0.5).round(4), "lowest": round(min(scores), 2)}
        print(name, found[name], flush=True)
    table: dict[str, object] = {
        "marked": len(marked),
        "warned": sum(bool(each.warnings) for each in marked),
        "cpu_seconds_per_second": round(marking_s, 4),
        "found": found,
    }
    if not arguments.no_alarms:
        table["alarms"] = alarms(files)
        table["alarms_in_music"] = [sum(watermark.find(tune).is_found for tune in melodies(50)), 50]
    if arguments.dnsmos:
        falls = [quality(a) - quality(b.audio) for a, b in zip(originals[::4], marked[::4], strict=True)]
        table["dnsmos_falls_by"] = {"mean": round(float(np.mean(falls)), 3), "of": len(falls)}
    return table


def alarms(files: list[Path]) -> dict[str, object]:
    began, seconds, scores = time.process_time(), 0.0, {}
    for path in files:
        audio = read_audio(path)
        seconds += audio.duration_s
        scores[path.name] = watermark.find(audio).score
    cost = (time.process_time() - began) / seconds
    highest = sorted(scores.values())[-5:]
    return {
        "files": len(files),
        "found": sum(score >= 0.5 for score in scores.values()),
        "highest": [round(score, 2) for score in highest],
        "cpu_seconds_per_second": round(cost, 4),
    }


if __name__ == "__main__":
    main()
