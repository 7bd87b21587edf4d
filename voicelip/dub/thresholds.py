"""From where on something in a dub is worth a human's look, and what makes a pipeline stop."""

import operator
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from voicelip.errors import InputNotFoundError, OptionError
from voicelip.plain_yaml import NotYamlError, read_yaml


@dataclass(frozen=True)
class Thresholds:
    """A cue is flagged beyond these. Defaults are where dubs of the embedded models rarely are."""

    wer: float = 0.25  # word errors over words, as a recogniser hears the new speech
    likeness: float = 0.6  # least cosine of GE2E embeddings with the voice's reference
    pace: float = 1.25  # speed of the engine times stretch
    late_s: float = 0.3  # begun after the subtitle
    over_s: float = 1.5  # spoken on after the subtitle's end
    too_long_s: float = 0.0  # by which it misses its time at the limits of pace
    lips_r: float = 0.6  # least correlation of the mouth with what the new speech asks of it
    lag_frames: float = 2.0  # between mouth and speech
    unseen: float = 0.5  # share of the cue in which the speaker's mouth is not in sight
    pause_opening: float = 0.05  # of a mouth while nobody is heard, over its own closed state

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
                raise OptionError(f"the threshold {name} is {value!r}; give a number from 0 on")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Thresholds":
        """From names and values; those left out keep their defaults."""
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise OptionError(f"no threshold is called {', '.join(unknown)}; known are {', '.join(known)}")
        return cls(**values)

    @classmethod
    def read(cls, path: str | Path | None) -> "Thresholds":
        """From a YAML file with a line `name: value` for each that is not to be the default."""
        if path is None:
            return cls()
        try:
            values = read_yaml(Path(path).read_text("utf-8-sig"))
        except FileNotFoundError:
            raise InputNotFoundError(f"{path}: no such file; check the name and the folder") from None
        except (OSError, UnicodeDecodeError, NotYamlError):
            raise OptionError(f"{path}: is not YAML; write a line `name: value` for each threshold") from None
        if not isinstance(values, dict):
            raise OptionError(f"{path}: holds no thresholds; write a line `name: value` for each")
        return cls.of({str(name): value for name, value in values.items()})

    def to_dict(self) -> dict[str, float]:
        """As plain values."""
        return asdict(self)


# What `--fail-on` may name: kinds of flags, and measures with a comparison.
KINDS = (
    "credentials", "watermark", "unmeasured", "wer", "likeness", "too_long", "late", "over", "pace", "lips",
    "lag", "unseen", "pause_opening",
)  # fmt: skip
MEASURES = (
    "wer", "likeness", "pace", "late_s", "over_s", "too_long_s", "lips_r", "lag_frames", "unseen",
    "mean_wer", "flags", "pause_opening",
)  # fmt: skip
_COMPARED = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_RULE = re.compile(r"([a-z_]+)\s*(?:(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?))?")


def rules(text: str) -> tuple[str, ...]:
    """The rules in such as `wer>0.2,too_long,mean_wer>0.08`; raises OptionError for what is none."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for rule in found:
        match = _RULE.fullmatch(rule)
        known = match and match.group(1) in (MEASURES if match.group(2) else KINDS)
        if not known:
            raise OptionError(
                f"--fail-on {rule!r} is no rule; write one of {', '.join(KINDS)}, or such as wer>0.2 with "
                f"one of {', '.join(MEASURES)}"
            )
    return found


def breaks(rule: str, value: float | None) -> bool:
    """Whether a measure's value is what a rule with a comparison forbids."""
    match = _RULE.fullmatch(rule)
    if match is None or match.group(2) is None or value is None:
        return False
    return bool(_COMPARED[match.group(2)](value, float(match.group(3))))


def subject(rule: str) -> tuple[str, bool]:
    """What a rule is about, and whether it compares."""
    match = _RULE.fullmatch(rule)
    assert match is not None  # `rules` looked at it
    return match.group(1), match.group(2) is not None
