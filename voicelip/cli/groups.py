"""Options that commands share, gathered by what they are about.

A command takes a group as one parameter, and `flat` shows typer the group's options in its place.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal

if TYPE_CHECKING:
    from voicelip.consent.asking import Agreement
    from voicelip.pipeline import LipsyncOptions


@dataclass(frozen=True)
class Voicing:
    """What speaks, and how its sound is finished."""

    engine: o.Engine = "kokoro"
    model_dir: o.ModelDir = None
    finish: o.Finish = True


@dataclass(frozen=True)
class Footage:
    """Whose face in the clip, and how the clip is brought to the length of the speech."""

    when_short: o.Short = o.WhenShort.bounce
    when_long: o.Long = o.WhenLong.cut
    face_index: o.FaceIndex = None
    face_like: o.FaceLike = None
    static: o.Static = False


@dataclass(frozen=True)
class Mouth:
    """What finds a face and makes its mouth anew, and where."""

    strength: o.Strength = 1.0
    detector: o.Detector = "mesh"
    lips: o.Lips = "embedded"
    adapted: o.AdaptedTo = "auto"
    device: o.Device = "auto"


@dataclass(frozen=True)
class Wav2Lip:
    """For published checkpoints only."""

    pads: o.Pads = (0, 10, 0, 0)
    box: o.FaceBox = None
    nosmooth: o.NoSmooth = False
    paste: o.PasteHow = o.Paste.mouth

    def options(self) -> object | None:
        """None where nothing was chosen, so that generators without such options need not refuse them."""
        from voicelip.lips.wav2lip.options import Wav2LipOptions

        chosen = Wav2LipOptions(self.pads, self.box, not self.nosmooth, self.paste.value)
        return None if chosen == Wav2LipOptions() else chosen


@dataclass(frozen=True)
class Video:
    """How the picture is written."""

    crf: o.Crf = 18
    preset: o.Preset = "veryfast"
    label: o.Label = False


@dataclass(frozen=True)
class Consented:
    """What the user says about consent."""

    consent: o.Consent = None
    purpose: o.Purpose = None

    @property
    def agreement(self) -> "Agreement":
        """The same, as the package takes it."""
        return o.agreement(self.consent, self.purpose)


@dataclass(frozen=True)
class Report:
    """How a result is told of."""

    as_json: o.Json = False
    verbose: o.Verbose = False
    quiet: o.Quiet = False

    def terminal(self) -> Terminal:
        """The block in which the command runs."""
        return Terminal(self.as_json, self.verbose, self.quiet)


def lipsync_options(footage: Footage, mouth: Mouth, wav2lip: Wav2Lip, video: Video) -> "LipsyncOptions":
    """All that may be chosen about a talking head."""
    from voicelip.pipeline import LipsyncOptions

    return LipsyncOptions(
        when_short=footage.when_short.value,
        when_long=footage.when_long.value,
        face_index=footage.face_index,
        face_like=footage.face_like,
        static=footage.static,
        lips_options=wav2lip.options(),
        **vars(mouth),
        **vars(video),
    )


def flat(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its groups' options for parameters."""
    given = inspect.signature(command).parameters
    groups: dict[str, Any] = {
        name: each.annotation for name, each in given.items() if is_dataclass(each.annotation)
    }
    options: list[Parameter] = []
    for name, each in given.items():
        options += _options(groups[name]) if name in groups else [each.replace(kind=Parameter.KEYWORD_ONLY)]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{each.name: values.pop(each.name) for each in fields(group)})
        command(**values)

    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in options}
    return run


def _options(group: Any) -> list[Parameter]:
    return [
        Parameter(
            each.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if each.default is MISSING else each.default,
            annotation=each.type,
        )
        for each in fields(group)
    ]
