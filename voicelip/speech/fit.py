"""Fit the embedded engine to a speaker: a style and decoder constants of their own, found by gradient
descent.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from voicelip import hub
from voicelip.media import Audio
from voicelip.progress import Progress, silent
from voicelip.speech import encoder, fit_phrases, mapper, phonemes
from voicelip.speech.accent import accented
from voicelip.speech.clone import nearest_mixture
from voicelip.speech.decoder_front import FrontHalf, Phrase
from voicelip.speech.decoder_weights import decoder_weights
from voicelip.speech.onnx_file import Graph, read_graph
from voicelip.speech.voices import stock_voices

if TYPE_CHECKING:
    from voicelip.speech.fit_descent import Descent, Rehearsal
    from voicelip.speech.fit_target import Target

Mode = Literal["quick", "full"]

STEPS = {"quick": 40, "full": 80}
PHRASES = {"quick": 6, "full": len(fit_phrases.TRAINING)}  # to prepare one costs as much as a step
# Farther than this the pitch is not moved, for the voice would sound unnatural.
LEAST_FACTOR, GREATEST_FACTOR = 0.6, 1.6
PITCH_SCALE, PITCH_BIAS = "encoder.predictor.F0_proj.weight_scale", "encoder.predictor.F0_proj.bias"


@dataclass(frozen=True)
class FittedVoice:
    """What a fit found; all that the engine needs to speak as the person.

    `mixture` are the stock voices nearest to the person, `style` (510, 256) float32 is what the fit started
    from, `overrides` maps initializers of the model to arrays that replace them, `pace` is a factor on the
    speed, and `scores` tells how good it is (name → number; `secs` is the similarity on a phrase kept aside).
    """

    mixture: tuple[tuple[str, float], ...]
    style: np.ndarray
    overrides: Mapping[str, np.ndarray]
    pace: float = 1.0
    scores: Mapping[str, float] = field(default_factory=dict)
    mode: Mode = "full"
    seed: int = 0


def fit_voice(
    references: Sequence[Audio],
    mode: Mode = "full",
    seed: int = 0,
    progress: Progress = silent,
    resume_from: Path | None = None,
) -> FittedVoice:
    """Make the engine sound like the one speaker of `references`.

    `resume_from` is a file that keeps the state of an unfinished fit; it is read if it exists and removed at
    the end.
    """
    with _threads():
        rehearsal = _rehearsal(references, mode, seed, progress)
        descent = rehearsal.descent
        if resume_from is not None:
            descent.resume(resume_from)
        descent.run(rehearsal.training, rehearsal.held_out, progress, resume_from)
    if resume_from is not None:
        resume_from.unlink(missing_ok=True)
    return FittedVoice(
        mixture=rehearsal.mixture,
        style=rehearsal.style,
        overrides=_overrides(descent, rehearsal.graph, rehearsal.pitch_factor),
        scores={"secs": round(descent.best_similarity, 4), "pitch_factor": round(rehearsal.pitch_factor, 4)},
        mode=mode,
        seed=seed,
    )


@dataclass(frozen=True)
class _Rehearsal:
    """All that a descent starts from: nearest stock voices, the style made with them, the engine's graph."""

    mixture: tuple[tuple[str, float], ...]
    style: np.ndarray
    graph: Graph
    descent: "Descent"
    training: list["Rehearsal"]
    held_out: list["Rehearsal"]
    pitch_factor: float


def _rehearsal(references: Sequence[Audio], mode: Mode, seed: int, progress: Progress) -> _Rehearsal:
    import torch

    from voicelip.speech import fit_descent, fit_target
    from voicelip.speech.decoder import build_decoder, quickest_dtype

    model = hub.fetch("kokoro", progress).read_bytes()
    graph = read_graph(model)
    weights = decoder_weights(graph)
    target = fit_target.target_of(references)
    stock = stock_voices()
    front = FrontHalf(model)
    mixture = nearest_mixture(target.centroid)
    style = _start(mixture, target)

    def spoken(texts: Sequence[tuple[str, str]]) -> list[tuple[Phrase, np.ndarray]]:
        """Each in the accent that it will be spoken in, so that the likeness is there in any of them."""
        styles = [accented(style, mixture, target.centroid, lang) for lang, _ in texts]
        return [spoken_phrase(front, *text, each) for text, each in zip(texts, styles, strict=True)]

    training, held_out = spoken(fit_phrases.TRAINING[: PHRASES[mode]]), spoken(fit_phrases.HELD_OUT)
    factor = _pitch_factor([phrase for phrase, _ in training], target.median_hz)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    decoder = build_decoder(weights, quickest_dtype(device)).to(device)
    plan = fit_descent.Plan(steps=STEPS[mode])
    descent = fit_descent.Descent(decoder, stock.means, target, plan, seed, encoder.network(progress))
    mix = fit_descent.SourceMix(
        *(weights[f"generator.m_source.l_linear.{part}"] for part in ("weight", "bias"))
    )

    def ready(phrases: list[tuple[Phrase, np.ndarray]]) -> list["Rehearsal"]:
        return [descent.rehearse(_at_pitch(phrase, factor), row, mix) for phrase, row in phrases]

    return _Rehearsal(mixture, style, graph, descent, ready(training), ready(held_out), factor)


def _start(mixture: tuple[tuple[str, float], ...], target: "Target") -> np.ndarray:
    """(510, 256) style to start from: half way between the mixture and what the voice mapper finds.

    As like the person as the mixture, and less strained: the mapper's voices are nearer in pitch.
    """
    style = stock_voices().mixture(mixture)
    if target.median_hz is None:
        return style
    halfway: np.ndarray = 0.5 * (style + mapper.style_like(target.windows, target.median_hz))
    return halfway.astype(np.float32)


def spoken_phrase(front: FrontHalf, lang: str, text: str, style: np.ndarray) -> tuple[Phrase, np.ndarray]:
    """The phrase, and the style row that its length chooses."""
    letters = phonemes.phonemize(text, lang)
    return front.phrase(letters, style), style[len(phonemes.tokens(letters)) - 1]


def _at_pitch(phrase: Phrase, factor: float) -> Phrase:
    return replace(phrase, pitch=phrase.pitch * np.float32(factor))


def _pitch_factor(phrases: Sequence[Phrase], median_hz: float | None) -> float:
    """What the predicted pitch is multiplied by to have the references' median."""
    if median_hz is None:
        return 1.0
    own = float(np.median([phrase.median_hz for phrase in phrases]))
    return float(np.clip(median_hz / own, LEAST_FACTOR, GREATEST_FACTOR))


def _overrides(descent: "Descent", graph: Graph, factor: float) -> dict[str, np.ndarray]:
    """The graph's constants as the fitted voice has them."""
    changed = {
        name: graph.initializers[name] + offset.detach().cpu().numpy()
        for name, offset in descent.speaker.offsets().items()
    }
    for name in (PITCH_SCALE, PITCH_BIAS):
        changed[name] = graph.initializers[name] * np.float32(factor)
    return {name: np.asarray(array, np.float32) for name, array in changed.items()}


@contextmanager
def _threads() -> Iterator[None]:
    """All free cores for torch, up to four, for more do not help with two seconds; fewer if the user says so.

    Threads wait for each other, so one that has to share its core with another program holds up all: beside
    one busy program on two cores a fit takes four times as long with two threads as with one.
    """
    import torch

    before = torch.get_num_threads()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    most = int(asked) if asked.isdecimal() and int(asked) else min(4, _free_cores())
    torch.set_num_threads(min(most, os.cpu_count() or 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _free_cores() -> int:
    """How many cores the last minute left idle, at least one; all where the system does not say."""
    cores = os.cpu_count() or 1
    try:
        busy = os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has no load average
        return cores
    return max(1, round(cores - busy))
