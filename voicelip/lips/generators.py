"""Lip generators by name, NAME or NAME:ARGUMENT.

Other packages add theirs through the entry point group `voicelip.lips`: a callable from a `LipSetup` to a
`LipGenerator`.
"""

from importlib.metadata import entry_points
from pathlib import Path

from voicelip.errors import OptionError, UnknownNameError
from voicelip.lips.generator import LipGenerator, LipSetup

ENTRY_POINTS = "voicelip.lips"
_BUILT_IN = ("embedded", "wav2lip:CHECKPOINT", "wav2lip", "wav2lip-gan")


def lip_names() -> list[str]:
    """Built-in generators and those that other packages announce."""
    return [*_BUILT_IN, *sorted(point.name for point in entry_points(group=ENTRY_POINTS))]


def create(name: str, options: object | None = None, device: str = "auto") -> LipGenerator:
    """The generator called `name`; raises UnknownNameError with the known names."""
    kind, _, argument = name.partition(":")
    setup = LipSetup(argument, options, device)
    if name == "embedded":
        return _embedded(setup)
    if kind == "wav2lip" or name == "wav2lip-gan":
        return _wav2lip(kind, setup)
    for point in entry_points(group=ENTRY_POINTS, name=kind):
        return point.load()(setup)
    raise UnknownNameError(f"no lip generator is called {name!r}; known: {', '.join(lip_names())}")


def _embedded(setup: LipSetup) -> LipGenerator:
    if setup.options is not None:
        said = type(setup.options).__name__
        raise OptionError(
            f"the embedded lips take no {said}; those options go with --lips wav2lip:CHECKPOINT"
        )
    from voicelip.lips.embedded import EmbeddedGenerator

    return EmbeddedGenerator.load()


def _wav2lip(kind: str, setup: LipSetup) -> LipGenerator:
    from voicelip import device, hub
    from voicelip.lips.wav2lip.generator import Wav2LipGenerator
    from voicelip.lips.wav2lip.options import Wav2LipOptions

    if not isinstance(setup.options, Wav2LipOptions | None):
        raise OptionError(f"{kind} takes Wav2LipOptions, not {type(setup.options).__name__}")
    path = Path(setup.argument).expanduser() if setup.argument else hub.fetch(kind)
    return Wav2LipGenerator.load(path, setup.options, device.choose(setup.device))
