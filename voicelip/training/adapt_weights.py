"""The shipped networks as PyTorch modules that can go on learning, and what they learned put back into the
shipped graphs.

Exporting folds each batch normalisation into the convolution before it. A few minutes of one person are too
little to estimate statistics from anyway, so it stays folded: what is learned are the constants of the graph,
one for one, and what runs in the end is the graph that ships.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from voicelip.errors import ModelFileError
from voicelip.speech.onnx_file import Graph, Node, read_graph

_LAYERS = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.GRU)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_GATES_TO_TORCH = (1, 0, 2)  # ONNX keeps a GRU's gates as update, reset, new; PyTorch as reset, update, new


@dataclass(frozen=True)
class _Place:
    """A constant of the graph, and where it lives in the module: `parameter` of `layer`."""

    name: str
    layer: nn.Module
    parameter: str
    is_transposed: bool = False


class ShippedNetwork:
    """A network with the weights of a shipped ONNX file, which can be written into a copy of that file."""

    def __init__(self, network: nn.Module, path: Path) -> None:
        """`network` is filled from the file at `path`, which holds the same layers in the same order."""
        self._path = path
        graph = read_graph(path.read_bytes())
        self.network = _folded(network).eval()
        try:
            self._places = list(_places(self.network, graph))
            for place in self._places:
                _write(place, graph.initializers[place.name])
        except (StopIteration, RuntimeError, KeyError, IndexError) as error:
            raise ModelFileError(
                f"{path.name} holds other layers than this version trains; reinstall voicelip ({error})"
            ) from None

    def save(self, path: Path) -> None:
        """The shipped graph with the network's present weights in place of its own."""
        model = bytearray(self._path.read_bytes())
        constants = read_graph(model).initializers  # views of `model`
        for place in self._places:
            constants[place.name][...] = _read(place)
        path.write_bytes(model)


def _folded(network: nn.Module) -> nn.Module:
    """`network` without batch normalisation; each layer before one has a bias."""
    layer: nn.Module | None = None
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _LAYERS):
                layer = child
            elif isinstance(child, _NORMS):
                assert isinstance(layer, nn.Conv1d | nn.Conv2d)
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
                setattr(parent, name, nn.Identity())
    return network


def _places(network: nn.Module, graph: Graph) -> Iterator[_Place]:
    nodes = iter(graph.nodes.values())
    for layer in (module for module in network.modules() if isinstance(module, _LAYERS)):
        shapes = _shapes(layer)
        names = next(found for node in nodes if (found := _matching(node, graph, shapes)))
        if isinstance(layer, nn.GRU):
            yield from (_Place(name, layer, kind) for name, kind in zip(names, ("W", "R", "B"), strict=True))
            continue
        yield _Place(names[0], layer, "weight", graph.initializers[names[0]].shape != shapes[0])
        yield _Place(names[1] if len(names) > 1 else _added(names[0], graph), layer, "bias")


def _shapes(layer: nn.Module) -> list[tuple[int, ...]]:
    """In which a layer's weights may stand in a graph."""
    if isinstance(layer, nn.GRU):
        return [(2, 3 * layer.hidden_size, layer.input_size)]
    weight: torch.Tensor = layer.weight  # type: ignore[assignment]
    return [tuple(weight.shape), *([tuple(weight.T.shape)] if isinstance(layer, nn.Linear) else [])]


def _matching(node: Node, graph: Graph, shapes: list[tuple[int, ...]]) -> list[str]:
    """The constants of a node, if the first of them has one of the shapes."""
    constants = [name for name in node.inputs if name in graph.initializers]
    return constants if constants and graph.initializers[constants[0]].shape in shapes else []


def _added(weight: str, graph: Graph) -> str:
    """The constant that is added to what a matrix product gives."""
    product = next(node for node in graph.nodes.values() if weight in node.inputs)
    adding = next(node for node in graph.nodes.values() if product.outputs[0] in node.inputs)
    return next(name for name in adding.inputs if name in graph.initializers)


@torch.no_grad()
def _write(place: _Place, value: np.ndarray) -> None:
    tensor = torch.from_numpy(value.copy())
    if isinstance(place.layer, nn.GRU):
        for target, part in zip(_gru(place), _gru_parts(place, tensor), strict=True):
            target.copy_(_reordered(part))
        return
    target = getattr(place.layer, place.parameter)
    if (tensor.T if place.is_transposed else tensor).shape != target.shape:
        raise RuntimeError(f"{place.name}: {tuple(tensor.shape)} instead of {tuple(target.shape)}")
    target.copy_(tensor.T if place.is_transposed else tensor)


@torch.no_grad()
def _read(place: _Place) -> np.ndarray:
    if isinstance(place.layer, nn.GRU):
        parts = [_reordered(part) for part in _gru(place)]
        if place.parameter == "B":
            parts = [torch.cat(parts[:2]), torch.cat(parts[2:])]
        return torch.stack(parts).numpy().copy()
    value = getattr(place.layer, place.parameter)
    return np.ascontiguousarray((value.T if place.is_transposed else value).numpy(), np.float32).copy()


def _gru(place: _Place) -> list[torch.Tensor]:
    """The parameters of a bidirectional layer that one constant of the graph holds."""
    kinds = {"W": ["weight_ih"], "R": ["weight_hh"], "B": ["bias_ih", "bias_hh"]}[place.parameter]
    return [getattr(place.layer, f"{kind}_l0{direction}") for direction in ("", "_reverse") for kind in kinds]


def _gru_parts(place: _Place, tensor: torch.Tensor) -> list[torch.Tensor]:
    return [part for way in tensor for part in (way.chunk(2) if place.parameter == "B" else (way,))]


def _reordered(part: torch.Tensor) -> torch.Tensor:
    """A GRU's gates in the other library's order; the first two change places."""
    gates = part.chunk(3)
    return torch.cat([gates[gate] for gate in _GATES_TO_TORCH])
