"""What may be chosen about a dub, and what comes of one."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from voicelip.consent.asking import Agreement
from voicelip.dub.fit import Limits
from voicelip.dub.job import CueState
from voicelip.errors import OptionError


@dataclass(frozen=True)
class DubOptions:
    """The defaults suit an interview or a talk in front of the camera."""

    # Whether speech that is too long is hastened, or the picture slowed as well.
    fit: Literal["speech", "video"] = "speech"
    limits: Limits = field(default_factory=Limits)
    # What is under the speech: a music-and-effects track; else the clip's own sound, ducked under the dub,
    # with its speech taken out by a model, or left out.
    background: Path | None = None
    bed: Literal["duck", "separate", "none"] = "duck"
    lufs: float = -16.0  # of the whole: −16 for the web, −23 for broadcasting (EBU R 128)
    keep_original: bool = True  # the clip's own sound as a second track
    original_lang: str | None = None
    subs_in: bool = False  # the dub's text as a subtitle track
    label: bool = False  # a small visible mark in the picture
    engine: str = "kokoro"
    model_dir: Path | None = None
    finish: bool = True
    lips: str = "embedded"
    adapted: str = "auto"
    detector: str = "mesh"
    strength: float = 1.0
    device: str = "auto"
    crf: int = 18
    preset: str = "veryfast"
    agreement: Agreement = field(default_factory=Agreement)

    def __post_init__(self) -> None:
        if not -40 <= self.lufs <= -5:
            raise OptionError(f"{self.lufs:g} LUFS is out of range; choose -16 (web) or -23 (broadcast)")
        if not 0 <= self.strength <= 2:
            raise OptionError(f"strength {self.strength:g} is out of range; choose 0 to 2")
        if self.background is not None and self.bed == "separate":
            raise OptionError("a background track needs no separation; leave one of them out")
        if not 1 <= self.limits.fastest <= 2 or not 1 <= self.limits.stretch <= 1.5:
            raise OptionError(
                "speech can be hastened up to 2 times by the engine and stretched up to 1.5 times"
            )
        if not 1 <= self.limits.slowest <= 2:
            raise OptionError("the picture can be slowed up to 2 times")

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for the job folder; files are in its list of inputs."""
        plain = asdict(self)
        for name in ("background", "model_dir", "agreement"):
            plain.pop(name)
        return plain


@dataclass(frozen=True)
class DubResult:
    """What was written, and how every cue met its time."""

    path: Path
    job: Path
    duration_s: float
    frames: int
    fps: float
    cues: tuple[CueState, ...]
    timings_s: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    passed_through: Mapping[str, int] = field(default_factory=dict)  # reason → frames left as they were
    takes_made: int = 0  # by this run; the others were in the job folder
    frames_made: int = 0
    adapted: str | None = None

    @property
    def fits(self) -> dict[str, int]:
        """How many cues each rule served."""
        rules = [cue.fit.rule for cue in self.cues if cue.fit]
        return {rule: rules.count(rule) for rule in dict.fromkeys(rules)}

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        plain = {**asdict(self), "path": str(self.path), "job": os.fspath(self.job), "fits": self.fits}
        return {**plain, "warnings": list(self.warnings), "cues": [asdict(cue) for cue in self.cues]}
