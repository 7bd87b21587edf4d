"""Text to be spoken, settings, and weights."""

import io
from pathlib import Path

from recipes.fuzzing.target import Target


def targets() -> list[Target]:
    """Readers of text, of training settings and of checkpoints."""
    return [
        Target("checkpoint", _checkpoints, _read_checkpoint),
        Target("training config", _configs, _read_config),
        Target("text", _texts, _read_text),
    ]


def _checkpoints(folder: Path) -> dict[str, bytes]:
    import torch
    from safetensors.torch import save

    state = {"module.a.weight": torch.zeros(3, 4), "b.bias": torch.zeros(5), "n": torch.tensor(1)}
    pickled = {}
    for name, value in (("a.pth", {"state_dict": state}), ("b.pt", state)):
        buffer = io.BytesIO()
        torch.save(value, buffer, _use_new_zipfile_serialization=name == "a.pth")
        pickled[name] = buffer.getvalue()
    return {**pickled, "c.safetensors": save(state)}


def _read_checkpoint(path: Path) -> None:
    from voicelip.state_dict import read_state

    read_state(path)


def _configs(folder: Path) -> dict[str, bytes]:
    file = Path(__file__).parent.parent / "configs" / "motion.yaml"
    return {file.name: file.read_bytes()}


def _read_config(path: Path) -> None:
    from voicelip.training.config import load_config
    from voicelip.training.motion import MotionConfig

    load_config(MotionConfig, path)


def _texts(folder: Path) -> dict[str, bytes]:
    lines = {
        "en-us": 'On <break 1s> March 3, 2024 at 10:30 *I* pay $3.50 to j@a.com [Nguyen](/wˈɪn/), IV. "No!"',
        "es": "El siglo XXI, 21 personas, 120 km/h, 1.234,5 €; ¿qué? http://a.b/c",
        "fr-fr": "le 1er mars à 10h30, 5 M€, nº 3, l'été",
        "hi": "₹500.50, 12,34,567 लोग",
        "it": "l'8 marzo, 3,5 kg, 2° piano",
        "pt-br": "às 10h30, R$ 5,00, 1ª vez",
        "en-gb": '<phoneme ph="wˈɪn">N</phoneme> <sub alias="World">W</sub> £2.50 <emphasis>x</emphasis> 1/2',
    }
    return {f"{lang}.txt": line.encode() for lang, line in lines.items()}


def _read_text(path: Path) -> None:
    from voicelip.cli.text import read_text
    from voicelip.speech.script import script

    script(read_text(None, path), path.stem)
