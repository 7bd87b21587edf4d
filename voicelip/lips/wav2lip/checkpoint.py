"""Published checkpoints of Wav2Lip's networks; which of them a file is, its keys and shapes tell."""

from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from voicelip.errors import ModelFileError
from voicelip.lips.wav2lip.discriminator import QualityDiscriminator
from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.layouts import LAYOUTS
from voicelip.lips.wav2lip.syncnet import SyncNet
from voicelip.state_dict import State, differences, fill, read_state

Network = TypeVar("Network", bound=nn.Module)

NAMES: dict[type[nn.Module], str] = {
    Generator: "Wav2Lip's generator",
    SyncNet: "Wav2Lip's sync expert",
    QualityDiscriminator: "Wav2Lip's quality discriminator",
}


def load_network(path: Path, kind: type[Network]) -> Network:
    """The network `kind` (Generator, SyncNet or QualityDiscriminator) with the file's weights, for inference.

    A generator gets the layout that fits the file. Raises ModelFileError for a file that is damaged, unsafe
    or another network, InputNotFoundError without one.
    """
    state = read_state(path)
    wrong = []
    for network in _kinds(kind):
        if not (differing := differences(state, network.state_dict())):
            return fill(network, state, path)
        wrong.append(differing)
    said = _other_network(state, kind) or _nearest(wrong, kind)
    raise ModelFileError(f"{path}: not the weights of {NAMES[kind]}: {said}")


def recognise(state: State) -> nn.Module | None:
    """The published network, without weights yet, that has these keys and shapes."""
    networks = [network for kind in NAMES for network in _kinds(kind)]
    return next((each for each in networks if not differences(state, each.state_dict())), None)


def _kinds(kind: type[Network]) -> list[Network]:
    """The network in each of its layouts, without weights: making up 36 M takes longer than reading them."""
    with torch.device("meta"):
        return [kind(layout) for layout in LAYOUTS] if kind is Generator else [kind()]


def _other_network(state: State, wanted: type[nn.Module]) -> str:
    """What else the file is, when it is another of the published networks."""
    found = recognise(state)
    return f"it is {NAMES[type(found)]}" if found is not None and type(found) is not wanted else ""


def _nearest(wrong: list[str], kind: type[nn.Module]) -> str:
    """How the file differs from the layout with the fewest differing keys."""
    if kind is not Generator:
        return wrong[0]
    counts = [sum(int(part.split()[0]) for part in each.split("; ")) for each in wrong]
    nearest = min(range(len(wrong)), key=counts.__getitem__)
    return f"nearest is the {LAYOUTS[nearest].px} px one, but {wrong[nearest]}"
