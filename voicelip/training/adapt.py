"""`voicelip adapt`: the lip networks learn one person from a clip of them speaking, and are kept as a face
profile if they do better on its held-out end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from voicelip import hub
from voicelip.errors import OptionError, VoicelipError
from voicelip.hashing import content_hash
from voicelip.lips import face_profile, face_store
from voicelip.lips.embedded import RENDERER_FILE
from voicelip.lips.face_profile import FaceFacts, FaceProfile
from voicelip.lips.hearing import BASIS_FILE, MOTION_FILE
from voicelip.lips.motion import MotionBasis
from voicelip.lips.motion_net import MotionNet
from voicelip.lips.person import Person
from voicelip.lips.renderer import Renderer
from voicelip.progress import Progress, silent
from voicelip.training import adapt_motion, adapt_renderer
from voicelip.training.adapt_footage import Footage, FootageCheck, read_footage
from voicelip.training.adapt_weights import ShippedNetwork
from voicelip.version import __version__

_MOTION_SHARE = 0.5  # of the time that is left after reading the footage
_LEAST_GAIN_DB = 0.05  # of the renderer; less is chance

Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class AdaptOptions:
    """How to learn. `minutes` is a bound: with time enough, the same seed gives the same networks."""

    name: str | None = None  # default: the clip's file name
    minutes: float = 5.0
    seed: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not 0.5 <= self.minutes <= 600:
            raise OptionError(f"minutes {self.minutes:g} is out of range; choose 0.5 to 600")


@dataclass(frozen=True)
class Adapted:
    """The profile that was made, and what the user should know."""

    profile: FaceProfile
    warnings: tuple[str, ...]


def adapt(
    clip: str | Path,
    options: AdaptOptions | None = None,
    progress: Progress = silent,
    consents: tuple[str, ...] = (),
    check: FootageCheck | None = None,
) -> Adapted:
    """Learn the person in `clip`, who is seen and heard speaking, and keep the face profile.

    `consents` are ids of the records under which it is made, and `check` raises what forbids learning the
    followed face (`voicelip.consent.keeping.adapt_face` asks for both).

    Raises a VoicelipError subclass for anything the user can mend, and if nothing could be bettered; then,
    and when stopped, nothing is kept.
    """
    clip, options = Path(clip), options or AdaptOptions()
    began = time.monotonic()
    name = face_store.check_free(options.name or clip.stem, options.overwrite)
    footage = read_footage(clip, progress, check)
    clock = _Clock(began, 60 * options.minutes)
    basis = MotionBasis.load(hub.pretrained(BASIS_FILE))
    motion = ShippedNetwork(MotionNet(len(basis.components)), hub.pretrained(MOTION_FILE))
    lag = adapt_motion.check_sound(motion.network, footage, basis, clip.name)
    footage = footage.shifted(lag) if lag else footage
    person, motion_scores = _learn_motion(motion.network, footage, basis, options.seed, clock, progress)
    renderer = ShippedNetwork(Renderer(), hub.pretrained(RENDERER_FILE))
    drawn_better, renderer_scores = _learn_renderer(renderer.network, footage, options.seed, clock, progress)
    if person is None and not drawn_better:
        raise VoicelipError(
            f"{clip.name}: what was learned does no better than the shipped networks on its held-out end; "
            "nothing was kept (a longer clip may help)"
        )
    learned = {MOTION_FILE: motion} if person else {}
    learned |= {RENDERER_FILE: renderer} if drawn_better else {}
    with face_store.new_folder(name) as folder:
        for file, network in learned.items():
            network.save(folder / file)
        facts = FaceFacts(
            name=name,
            voicelip=__version__,
            created=face_profile.now(),
            file=clip.name,
            sha256=content_hash(clip),
            seconds=round(footage.seconds, 2),
            scores=motion_scores | renderer_scores,
            settings={"minutes": options.minutes, "seed": options.seed, "late_frames": lag},
            base=face_profile.base_hashes([*learned, *([BASIS_FILE] if person else [])]),
            networks={file: content_hash(folder / file) for file in learned},
            consents=consents,
        )
        face_profile.write(folder, facts, person, footage.looks)
    return Adapted(face_store.load_face(name), _warnings(lag, clock))


class _Clock:
    def __init__(self, began_s: float, most_s: float) -> None:
        self.ends_s = began_s + most_s
        self.ran_out = False

    def part(self, share: float) -> Callable[[], bool]:
        """Whether there is time yet, of `share` of what is left now."""
        now = time.monotonic()
        end = now + share * max(0.0, self.ends_s - now)

        def goes_on() -> bool:
            self.ran_out |= time.monotonic() >= end
            return time.monotonic() < end

        return goes_on


def _learn_motion(
    network: nn.Module, footage: Footage, basis: MotionBasis, seed: int, clock: _Clock, progress: Progress
) -> tuple[Person | None, Scores]:
    """Leaves the best weights in `network`; no person if the shipped ones do better without any."""
    stretches = adapt_motion.heard(footage.learned)
    exam = adapt_motion.Exam.of(stretches, adapt_motion.heard(footage.held_out))
    before = exam.base_score(network, basis)
    person = adapt_motion.know(stretches, basis)
    examples = adapt_motion.lessons(stretches, person, basis)

    def score(candidate: nn.Module) -> float:
        return exam.person_score(candidate, person, basis).lmd

    best, state = score(network), _state(network)
    adapt_motion.correct_linearly(network, examples, stretches)
    if (now := score(network)) < best:
        best, state = now, _state(network)
    goes_on = clock.part(_MOTION_SHARE)

    def told(step: int, lmd: float) -> bool:
        progress("motion", step, adapt_motion.STEPS, f"steps, lips off by {min(best, lmd):.2f} %")
        return goes_on()

    for now, weights in adapt_motion.learn(network, examples, basis, seed, score, told):
        if now < best:
            best, state = now, weights
    network.load_state_dict(state)
    after = exam.person_score(network, person, basis)
    scores = {"lmd": _pair(before.lmd, after.lmd), "r": _pair(before.r, after.r)}
    return (person, scores) if after.lmd < before.lmd else (None, scores)


def _learn_renderer(
    network: nn.Module, footage: Footage, seed: int, clock: _Clock, progress: Progress
) -> tuple[bool, Scores]:
    """Leaves the best weights in `network`, and says whether they are worth keeping."""
    before = best = adapt_renderer.drawing_score(network, footage.held_out)
    state = _state(network)
    goes_on = clock.part(1.0)

    def told(step: int, psnr: float) -> bool:
        progress("renderer", step, adapt_renderer.STEPS, f"steps, {psnr:.2f} dB")
        return goes_on()

    for best, state in adapt_renderer.learn(network, footage.learned, footage.held_out, seed, told):  # noqa: B007
        pass
    network.load_state_dict(state)
    return best - before >= _LEAST_GAIN_DB, {"mouth_psnr": _pair(before, best)}


def _state(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _pair(before: float, after: float) -> dict[str, float]:
    return {"before": round(before, 4), "after": round(after, 4)}


def _warnings(lag: int, clock: _Clock) -> tuple[str, ...]:
    found: list[str] = []
    if abs(lag) > 1:
        way = "later" if lag > 0 else "earlier"
        found.append(
            f"the picture comes {abs(lag)} frames {way} than its sound; that was set right for learning"
        )
    if clock.ran_out:
        found.append("the time was up before learning ended; more --minutes may give more")
    return tuple(found)
