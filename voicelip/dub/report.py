"""What a quality report says: every cue's figures, and flags, what needs a human first on top."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.dub.job import CueState, Job, JobState
from voicelip.dub.thresholds import Thresholds, breaks, subject

_WEIGHTS = {
    "credentials": 100.0, "watermark": 90.0, "too_long": 40.0, "wer": 30.0, "unseen": 12.0, "lips": 10.0,
    "late": 9.0, "likeness": 8.0, "lag": 8.0, "pace": 5.0, "over": 4.0, "pause_opening": 3.0,
    "unmeasured": 1.0,
}  # fmt: skip
_ONE_ERROR_TELLS = 0.5  # a word of three or more heard wrongly may be the recogniser's fault


@dataclass(frozen=True)
class Flag:
    """Something for a human; `weight` says how pressing. `cue` is None where it is about the whole dub."""

    kind: str
    cue: int | None
    text: str
    weight: float


@dataclass(frozen=True)
class CueReport:
    """One cue; what was not measured, or cannot be, is None."""

    number: int
    line: int
    speaker: str
    voice: str
    lang: str
    text: str
    start_s: float  # of the speech, else of the subtitle
    end_s: float
    rule: str | None = None
    pace: float | None = None  # speed times stretch
    late_s: float | None = None
    over_s: float | None = None
    too_long_s: float | None = None
    advice: str = ""
    heard: str | None = None
    errors: int | None = None
    wer: float | None = None
    likeness: float | None = None
    lips_r: float | None = None
    lag_frames: int | None = None
    unseen: float | None = None


@dataclass(frozen=True)
class Report:
    """All of a dub. `pause_opening` is by speaker; `credentials` as `voicelip verify` calls them."""

    job: Path
    video: Path | None
    cues: tuple[CueReport, ...]
    flags: tuple[Flag, ...]
    thresholds: Thresholds
    errors: int = 0  # word errors of all cues
    words: int = 0
    likeness: float | None = None  # mean
    lips_r: float | None = None  # mean
    pause_opening: Mapping[str, float] = field(default_factory=dict)
    watermark: bool | None = None
    credentials: str | None = None
    passed_through: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def mean_wer(self) -> float | None:
        """Word errors of all cues over all words."""
        return round(self.errors / self.words, 4) if self.words else None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        plain = {**asdict(self), "job": str(self.job), "video": str(self.video) if self.video else None}
        return {**plain, "mean_wer": self.mean_wer, "thresholds": self.thresholds.to_dict()}


def failing(report: Report, wanted: Sequence[str]) -> list[str]:
    """Which rules, of those that `rules` read, a dub breaks, each with what breaks it."""
    found = []
    for rule in wanted:
        about, compares = subject(rule)
        if compares:
            broken = [each for each, value in _values(report, about) if breaks(rule, value)]
        else:
            broken = [_where(flag.cue) for flag in report.flags if flag.kind == about]
        if broken:
            more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
            found.append(f"{rule} ({', '.join(broken[:3])}{more})")
    return found


def _values(report: Report, measure: str) -> list[tuple[str, float | None]]:
    if measure == "mean_wer":
        return [("the whole", report.mean_wer)]
    if measure == "flags":
        return [("the whole", float(len(report.flags)))]
    if measure == "pause_opening":
        return [(name or "the speaker", value) for name, value in report.pause_opening.items()]
    return [(_where(cue.number), getattr(cue, measure)) for cue in report.cues]


def _where(cue: int | None) -> str:
    return "the whole" if cue is None else f"cue {cue}"


def report_of(
    job: Job, state: JobState, states: Sequence[CueState], video: Path | None, limits: Thresholds,
    measured: Mapping[str, Any],
) -> Report:  # fmt: skip
    """The report on cues with their scores, and on what was `measured` of the whole file."""
    cues = tuple(_cue_report(state) for state in states)
    scored = [state.scores for state in states if "wer" in state.scores]
    report = Report(
        job=job.folder,
        video=video,
        cues=cues,
        flags=(),
        thresholds=limits,
        errors=sum(scores["errors"] for scores in scored),
        words=sum(scores["words"] for scores in scored),
        likeness=_mean([cue.likeness for cue in cues]),
        lips_r=_mean([cue.lips_r for cue in cues]),
        pause_opening=measured.get("pause_opening", {}),
        watermark=measured.get("watermark"),
        credentials=measured.get("credentials"),
        passed_through=state.result.get("passed_through", {}),
        warnings=tuple(state.result.get("warnings", ())),
    )
    flags = [flag for cue in cues for flag in _flags_of_cue(cue, limits)] + _flags_of_whole(report)
    return replace(report, flags=tuple(sorted(flags, key=lambda flag: (-flag.weight, flag.cue or 0))))


def _cue_report(state: CueState) -> CueReport:
    fit, scores = state.fit, state.scores
    found = CueReport(
        state.number, state.line, state.speaker, state.voice, state.lang, state.text,
        fit.start_s if fit else state.start_s, fit.end_s if fit else state.end_s,
    )  # fmt: skip
    if fit:
        found = replace(
            found, rule=fit.rule, pace=round(fit.speed * fit.stretch, 3), late_s=fit.late_s,
            over_s=fit.over_s, too_long_s=fit.too_long_s, advice=fit.advice,
        )  # fmt: skip
    return replace(
        found, heard=scores.get("heard"), errors=scores.get("errors"), wer=scores.get("wer"),
        likeness=scores.get("likeness"), lips_r=scores.get("lips_r"), lag_frames=scores.get("lag_frames"),
        unseen=scores.get("unseen"),
    )  # fmt: skip


def _flags_of_cue(cue: CueReport, limits: Thresholds) -> list[Flag]:
    """A flag's weight grows with how far its threshold is passed."""
    found = []

    def flag(kind: str, is_beyond: bool, text: str, share: float = 1.0) -> None:
        if is_beyond:
            found.append(Flag(kind, cue.number, text, round(_WEIGHTS[kind] * min(max(share, 1.0), 5.0), 2)))

    if cue.too_long_s is not None:
        flag("too_long", cue.too_long_s > limits.too_long_s, cue.advice, 1 + cue.too_long_s)
    if cue.wer is not None:
        text = f"understood as: {cue.heard or 'nothing'}"
        is_beyond = cue.wer > limits.wer and ((cue.errors or 0) > 1 or cue.wer > _ONE_ERROR_TELLS)
        flag("wer", is_beyond, text, cue.wer / max(limits.wer, 0.01))
    if cue.late_s is not None:
        flag("late", cue.late_s > limits.late_s, f"begins {cue.late_s:.1f} s late", 1 + cue.late_s)
    if cue.over_s is not None:
        flag("over", cue.over_s > limits.over_s, f"goes on {cue.over_s:.1f} s after the subtitle")
    if cue.pace is not None:
        flag("pace", cue.pace > limits.pace, f"spoken {cue.pace:.2f} times as fast as usual")
    if cue.likeness is not None:
        text = f"hardly sounds like {cue.voice} ({cue.likeness:.2f})"
        flag("likeness", cue.likeness < limits.likeness, text)
    if cue.unseen is not None:
        text = f"the mouth is not in sight in {cue.unseen:.0%} of it"
        flag("unseen", cue.unseen > limits.unseen, text, cue.unseen / max(limits.unseen, 0.01))
    if cue.lips_r is not None:
        flag("lips", cue.lips_r < limits.lips_r, f"the mouth hardly follows the speech (r {cue.lips_r:.2f})")
        lag = cue.lag_frames or 0
        is_late = abs(lag) > limits.lag_frames and cue.lips_r >= limits.lips_r
        flag("lag", is_late, f"the mouth is {abs(lag)} frames {'late' if lag > 0 else 'early'}")
    return found


def _flags_of_whole(report: Report) -> list[Flag]:
    found = []
    if report.credentials in ("none", "tampered"):
        words = {
            "none": "there are no content credentials",
            "tampered": "the file was changed after it was signed",
        }
        found.append(Flag("credentials", None, words[report.credentials], _WEIGHTS["credentials"]))
    if report.watermark is False:
        found.append(Flag("watermark", None, "no watermark is heard in it", _WEIGHTS["watermark"]))
    for speaker, opening in report.pause_opening.items():
        if opening > report.thresholds.pause_opening:
            text = f"the mouth of {speaker or 'the speaker'} stays open in pauses ({opening:.3f})"
            found.append(Flag("pause_opening", None, text, _WEIGHTS["pause_opening"]))
    if report.video is None:
        found.append(Flag("unmeasured", None, "the dub is not made yet", _WEIGHTS["unmeasured"]))
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 4) if known else None
