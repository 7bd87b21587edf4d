"""The voice bench: speakers' voices made from some of their recordings, and measured against the others.

A speaker is a folder: `reference/` and `test/` inside it, or recordings of which the first half, at most
five, are the reference. Every speaker's result is kept as soon as it is there, so that a run can go on.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.errors import InputNotFoundError, VoicelipError
from voicelip.evaluation import speech as metrics
from voicelip.evaluation.speaker_judge import judge
from voicelip.media import Audio, read_audio, write_audio
from voicelip.progress import Progress, silent
from voicelip.speech import Voice, campplus, encoder
from voicelip.speech.enrol import Fit, describe, fitted, join
from voicelip.speech.pitch import pitch_of
from voicelip.speech.recognise import heard_text
from voicelip.speech.reference import clean, read_references
from voicelip.speech.speaking import speak_text
from voicelip.speech.voices import stock_voices
from voicelip.speech.word_errors import letter_errors, word_errors

SOUND_SUFFIXES = {".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".mp4", ".mov", ".mkv", ".webm"}
MOST_REFERENCES = 5

# By which likeness is measured; the judge takes no part in making voices.
ENCODERS: Mapping[str, Callable[[Audio], np.ndarray]] = {
    "ge2e": encoder.embed,
    "campplus": campplus.embed,
    "judge": judge,
}

# None of them is spoken during a fit or for the bank.
SENTENCES = {
    "en": (
        "The train to the north leaves every hour from platform nine.",
        "If you look closely you can see three ships on the horizon.",
        "My grandmother used to bake bread for the whole neighbourhood.",
        "They finished building the bridge just before the winter storms.",
        "Would you mind checking whether the kitchen window is closed?",
    ),
    "es": (
        "El tren hacia el norte sale cada hora de la estación.",
        "Mi abuela horneaba pan para todo el barrio.",
        "Esta mañana el mercado estaba lleno de gente.",
        "Los niños juegan en la plaza después de la escuela.",
        "¿Puedes cerrar la ventana de la cocina, por favor?",
        "El médico dijo que necesitaba descansar una semana.",
        "Nadie esperaba una respuesta tan rápida.",
        "La lluvia cayó durante toda la noche sobre la ciudad.",
    ),
    "fr": (
        "Le train pour le nord part toutes les heures.",
        "Ma grand-mère préparait du pain pour tout le quartier.",
        "Ce matin, le marché était plein de monde.",
        "Les enfants jouent sur la place après l'école.",
        "Pouvez-vous fermer la fenêtre de la cuisine ?",
        "Le médecin a dit qu'elle devait se reposer une semaine.",
        "Personne n'attendait une réponse aussi rapide.",
        "La pluie est tombée toute la nuit sur la ville.",
    ),
    "it": (
        "Il treno per il nord parte ogni ora dalla stazione.",
        "Mia nonna faceva il pane per tutto il quartiere.",
        "Questa mattina il mercato era pieno di gente.",
        "I bambini giocano in piazza dopo la scuola.",
        "Puoi chiudere la finestra della cucina, per favore?",
        "Il medico ha detto che doveva riposare una settimana.",
        "Nessuno si aspettava una risposta così veloce.",
        "La pioggia è caduta tutta la notte sulla città.",
    ),
    "pt": (
        "O trem para o norte sai a cada hora da estação.",
        "Minha avó fazia pão para todo o bairro.",
        "Esta manhã o mercado estava cheio de gente.",
        "As crianças brincam na praça depois da escola.",
        "Você pode fechar a janela da cozinha, por favor?",
        "O médico disse que ela precisava descansar uma semana.",
        "Ninguém esperava uma resposta tão rápida.",
        "A chuva caiu durante toda a noite sobre a cidade.",
    ),
    "hi": (
        "आज मौसम बहुत अच्छा है।",
        "हम कल सुबह बाजार जाएंगे।",
        "मेरी दादी सबके लिए रोटी बनाती थीं।",
        "बच्चे स्कूल के बाद मैदान में खेलते हैं।",
        "क्या आप खिड़की बंद कर सकते हैं?",
        "डॉक्टर ने कहा कि उसे आराम करना चाहिए।",
        "किसी को इतनी जल्दी जवाब की उम्मीद नहीं थी।",
        "पूरी रात शहर में बारिश होती रही।",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Speaker:
    """Whose voice is made from `references` and measured against `tests`."""

    name: str
    references: tuple[Path, ...]
    tests: tuple[Path, ...]


@dataclass(frozen=True)
class Scores:
    """Of one speaker, or means over several. `ge2e`, `campplus` and `judge` are three encoders' cosines
    (SECS); the first two take part in fits.
    """

    ge2e: float
    ge2e_stock: float  # of the nearest stock voice
    ge2e_same: float  # of the speaker's own references: what is reached at best
    ge2e_other: float  # of the other speakers: what chance gives
    campplus: float
    campplus_stock: float
    campplus_same: float
    campplus_other: float
    judge: float
    judge_stock: float
    judge_same: float
    judge_other: float
    rank: float  # of the speaker among all, by GE2E; 1 is best
    wer: float
    wer_stock: float  # of the nearest stock voice: what the recogniser gets wrong anyway
    cer: float
    dnsmos: float
    dnsmos_real: float
    pitch_semitones: float  # of the medians, spoken over real
    rtf: float  # seconds of synthesis over seconds of speech
    make_s: float  # to make the voice

    @classmethod
    def mean(cls, several: Sequence["Scores"]) -> "Scores":
        """Means that leave out what could not be measured; of the pitch's error the absolute values."""
        columns = {each.name: [getattr(one, each.name) for one in several] for each in fields(cls)}
        columns["pitch_semitones"] = [abs(value) for value in columns["pitch_semitones"]]
        return cls(**{name: _mean(values) for name, values in columns.items()})


@dataclass(frozen=True)
class Measured:
    """A speaker's scores, and the files that can be listened to."""

    speaker: str
    scores: Scores
    spoken: Path
    real: Path


@dataclass(frozen=True)
class Failed:
    """A speaker left out, and why."""

    speaker: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """How voices are made and what they say."""

    fit: Fit = "none"
    lang: str = "en-us"
    finish: bool = True
    seed: int = 0
    sentences: tuple[str, ...] = ()
    with_dnsmos: bool = True

    @property
    def texts(self) -> tuple[str, ...]:
        """The sentences, by default those of the language."""
        return self.sentences or SENTENCES[self.lang[:2]]


@dataclass
class Crowd:
    """All the people that a voice could be taken for: names, and centroids by each encoder."""

    names: list[str] = field(default_factory=list)
    centroids: dict[str, list[np.ndarray]] = field(default_factory=lambda: {name: [] for name in ENCODERS})

    def add(self, name: str, recordings: Sequence[Audio]) -> None:
        """Take in a person."""
        self.names.append(name)
        for which, embed in ENCODERS.items():
            self.centroids[which].append(metrics.centroid([embed(audio) for audio in recordings]))

    def centroid(self, name: str, which: str) -> np.ndarray:
        """One person's, by one encoder."""
        return self.centroids[which][self.names.index(name)]

    def rank(self, name: str, embedding: np.ndarray) -> int:
        """At which place `name` comes when people are ordered by likeness to the embedding."""
        cosines = np.stack(self.centroids["ge2e"]) @ embedding
        return 1 + int((cosines > cosines[self.names.index(name)]).sum())

    def others(self, name: str, which: str) -> float:
        """Mean cosine of the other people with one."""
        centroids = np.stack(self.centroids[which])
        i = self.names.index(name)
        cosines = np.delete(centroids @ centroids[i], i)
        return float(cosines.mean()) if len(cosines) else float("nan")


def find_speakers(folder: Path) -> list[Speaker]:
    """The speakers of `folder` that have recordings enough."""
    if not folder.is_dir():
        raise InputNotFoundError(f"{folder}: no such folder; name one that holds SPEAKER/*.wav")
    people = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = [speaker for speaker in map(_speaker, people) if speaker]
    if not found:
        raise InputNotFoundError(
            f"{folder}: holds no SPEAKER folder with two recordings or more; put them in so"
        )
    return found


def _speaker(folder: Path) -> Speaker | None:
    if (folder / "reference").is_dir() and (folder / "test").is_dir():
        references, tests = _sounds(folder / "reference"), _sounds(folder / "test")
    else:
        sounds = _sounds(folder)
        count = min(MOST_REFERENCES, len(sounds) // 2)
        references, tests = sounds[:count], sounds[count:]
    return Speaker(folder.name, references, tests) if references and tests else None


def _sounds(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SOUND_SUFFIXES))


def crowd_of(speakers: Sequence[Speaker], others: Path | None = None, progress: Progress = silent) -> Crowd:
    """Everybody there is: the speakers by their tests, and one person for each recording of `others`."""
    crowd = Crowd()
    extra = _sounds(others) if others else ()
    total = len(speakers) + len(extra)
    for speaker in speakers:
        crowd.add(speaker.name, [read_audio(path) for path in speaker.tests])
        progress("listen", len(crowd.names), total, "people")
    known = {speaker.name for speaker in speakers}
    for path in extra:
        name = path.stem.split("-")[0]
        if name not in known:
            crowd.add(name, [read_audio(path)])
        progress("listen", min(total, len(crowd.names)), total, "people")
    return crowd


class Bench:
    """Makes and measures voices; results and sounds stay in `folder`, and what is there is not made again."""

    def __init__(self, folder: Path, plan: Plan, crowd: Crowd) -> None:
        self._folder, self._plan, self._crowd = folder, plan, crowd

    def run(self, speakers: Sequence[Speaker], progress: Progress = silent) -> Iterator[Measured | Failed]:
        """Each speaker in turn; one that fails does not end the run."""
        for number, speaker in enumerate(speakers, start=1):
            try:
                yield self._known(speaker) or self.measure(speaker, progress)
            except VoicelipError as error:
                yield Failed(speaker.name, str(error))
            progress("speakers", number, len(speakers), "speakers")

    def measure(self, speaker: Speaker, progress: Progress = silent) -> Measured:
        """Make the speaker's voice, let it speak, and compare."""
        began = time.perf_counter()
        voice = self._make(speaker, progress)
        make_s = time.perf_counter() - began
        tests = [read_audio(path) for path in speaker.tests]
        began = time.perf_counter()
        spoken = [self._say(text, voice) for text in self._plan.texts]
        spoken_s = sum(audio.duration_s for audio in spoken)
        rtf = (time.perf_counter() - began) / spoken_s
        stock = [self._say(text, _nearest_stock(voice)) for text in self._plan.texts]
        references = [clean(read_audio(path)) for path in speaker.references]
        scores = Scores(
            **self._likeness(speaker.name, spoken, stock, references),
            **_intelligibility(self._plan, spoken),
            wer_stock=_intelligibility(self._plan, stock)["wer"],
            dnsmos=self._dnsmos(spoken),
            dnsmos_real=self._dnsmos(tests),
            pitch_semitones=_pitch_error(spoken, tests),
            rtf=rtf,
            make_s=make_s,
        )
        return self._keep(speaker, scores, spoken, tests)

    def _make(self, speaker: Speaker, progress: Progress) -> Voice:
        references = read_references(speaker.references, progress)
        profile = describe(speaker.name, references, self._plan.lang, False, progress)
        profile = fitted(profile, references, self._plan.fit, self._plan.seed, progress)
        return profile.voice(self._folder)

    def _say(self, text: str, voice: Voice) -> Audio:
        return speak_text(text, voice, self._plan.lang, finish=self._plan.finish).audio

    def _likeness(
        self, name: str, spoken: Sequence[Audio], stock: Sequence[Audio], references: Sequence[Audio]
    ) -> dict[str, float]:
        crowd = self._crowd
        found: dict[str, float] = {}
        for which, embed in ENCODERS.items():
            target = crowd.centroid(name, which)
            for kind, sounds in (("", spoken), ("_stock", stock), ("_same", references)):
                found[which + kind] = float(np.mean([embed(audio) @ target for audio in sounds]))
            found[f"{which}_other"] = crowd.others(name, which)
        found["rank"] = crowd.rank(name, metrics.centroid([encoder.embed(audio) for audio in spoken]))
        return found

    def _dnsmos(self, sounds: Sequence[Audio]) -> float:
        return _mean([metrics.dnsmos(audio) for audio in sounds]) if self._plan.with_dnsmos else float("nan")

    def _paths(self, speaker: Speaker) -> tuple[Path, Path, Path]:
        return tuple(self._folder / f"{speaker.name}{end}" for end in (".json", "-spoken.wav", "-real.wav"))  # type: ignore[return-value]

    def _keep(
        self, speaker: Speaker, scores: Scores, spoken: Sequence[Audio], tests: Sequence[Audio]
    ) -> Measured:
        figures, spoken_path, real_path = self._paths(speaker)
        write_audio(spoken_path, join(spoken[:2]), overwrite=True)
        write_audio(real_path, join(tests[:1]), overwrite=True)
        kept = {
            "plan": _plain(self._plan, speaker),
            "people": len(self._crowd.names),
            "scores": asdict(scores),
        }
        temporary = figures.with_suffix(".part")
        temporary.write_text(json.dumps(kept, indent=1), "utf-8")
        temporary.replace(figures)
        return Measured(speaker.name, scores, spoken_path, real_path)

    def _known(self, speaker: Speaker) -> Measured | None:
        """What an earlier run with the same plan measured."""
        figures, spoken, real = self._paths(speaker)
        try:
            kept = json.loads(figures.read_text("utf-8"))
            same = (kept["plan"], kept["people"]) == (_plain(self._plan, speaker), len(self._crowd.names))
            scores = Scores(**kept["scores"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (
            Measured(speaker.name, scores, spoken, real)
            if same and spoken.exists() and real.exists()
            else None
        )


def to_dict(results: Sequence[Measured | Failed]) -> dict[str, Any]:
    """Everything measured as plain values for JSON; what could not be measured is null."""
    measured = [result for result in results if isinstance(result, Measured)]
    return {
        "speakers": {result.speaker: _finite(result.scores) for result in measured},
        "mean": _finite(Scores.mean([result.scores for result in measured])) if measured else None,
        "failed": {result.speaker: result.reason for result in results if isinstance(result, Failed)},
    }


def _nearest_stock(voice: Voice) -> Voice:
    stock = stock_voices()
    name = stock.names[int(np.argmax(stock.embeddings @ voice.embedding))]
    return Voice(name, ((name, 1.0),))


def _intelligibility(plan: Plan, spoken: Sequence[Audio]) -> dict[str, float]:
    wrong = {"wer": [0, 0], "cer": [0, 0]}
    for text, audio in zip(plan.texts, spoken, strict=True):
        heard = heard_text(audio, plan.lang[:2])
        for name, count in (("wer", word_errors), ("cer", letter_errors)):
            errors, total = count(text, heard)
            wrong[name][0] += errors
            wrong[name][1] += total
    return {name: errors / total for name, (errors, total) in wrong.items()}


def _pitch_error(spoken: Sequence[Audio], tests: Sequence[Audio]) -> float:
    said, real = pitch_of(join(spoken)), pitch_of(join(tests))
    return float(12 * np.log2(said.median_hz / real.median_hz)) if said and real else float("nan")


def _plain(plan: Plan, speaker: Speaker) -> dict[str, Any]:
    """What a result depends on, as JSON gives it back."""
    names = [path.name for path in (*speaker.references, *speaker.tests)]
    return {**asdict(plan), "sentences": list(plan.texts), "recordings": names}


def _finite(scores: Scores) -> dict[str, float | None]:
    return {name: round(value, 5) if isfinite(value) else None for name, value in asdict(scores).items()}


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
