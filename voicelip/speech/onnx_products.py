"""Whole-number convolutions of an ONNX graph as matrix products: the same numbers in a third of the time.

onnxruntime multiplies unsigned weights by a path that leaves the int8 instructions of processors unused, and
lays every input out anew for it. Laid out by the graph, with signed weights, a product takes the quick path.
Sums of whole numbers are exact, so nothing changes but the time (Chellapilla, Puri, Simard 2006, "High
Performance Convolutional Neural Networks for Document Processing": convolution as a product).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicelip.speech import onnx_file as onnx
from voicelip.speech.onnx_write import node, scalar_type, tensor

NARROWEST = 16  # channels; below, laying out costs more than it saves
OFFSET = "products/offset"  # from unsigned to signed weights
TIME = "products/time"


@dataclass(frozen=True)
class _Convolution:
    """Over time, stride 1; weights (channels out, channels in, taps) uint8."""

    node: onnx.Node
    weights_shape: tuple[int, int, int]
    spacing: int
    pads: tuple[int, int]


def as_products(model: bytes) -> bytes:
    """The serialised model with its whole-number convolutions over time as matrix products."""
    parts = list(onnx.graph_parts(model))
    shapes = dict(onnx.tensor_shape(value) for number, value, _ in parts if number == onnx.GRAPH_INITIALIZER)
    constants = {OFFSET: np.array(128, np.int32), TIME: np.array([1])}
    graph: list[bytes] = []
    for number, value, raw in parts:
        found = _convolution(onnx.read_node(value), shapes) if number == onnx.GRAPH_NODE else None
        graph += [bytes(raw)] if found is None else _product(found, constants)
    graph += [tensor(name, array) for name, array in constants.items()]
    return onnx.with_graph(model, b"".join(graph))


def _convolution(node: onnx.Node, shapes: Mapping[str, tuple[int, ...]]) -> _Convolution | None:
    """What a node convolves, if it can be a product."""
    if node.kind != "ConvInteger" or len(node.inputs) != 4:
        return None
    shape, given = shapes.get(node.inputs[1], ()), node.attributes
    if len(shape) != 3 or shape[1] < NARROWEST or given.get("group", 1) != 1:
        return None
    strides, spacings, pads = (given.get(name) for name in ("strides", "dilations", "pads"))
    if strides != [1] or not isinstance(spacings, list) or not isinstance(pads, list):
        return None
    return _Convolution(node, (shape[0], shape[1], shape[2]), spacings[0], (pads[0], pads[1]))


def _product(conv: _Convolution, constants: dict[str, Any]) -> Iterator[bytes]:
    """The nodes that stand for a convolution; what they need of new constants is added to those.

    onnxruntime computes what hangs on constants alone, the weights' new layout, when it loads the graph.
    """
    outs, ins, taps = conv.weights_shape
    values, weights, values_zero, weights_zero = conv.node.inputs
    name = f"{conv.node.name}/product"
    yield from _signed(weights, f"{name}/weights")
    yield from _signed(weights_zero, f"{name}/zero")
    constants[f"products/shape{taps * ins}x{outs}"] = np.array([taps * ins, outs])
    yield node("Transpose", [f"{name}/weights"], f"{name}/turned", perm=[2, 1, 0])
    yield node("Reshape", [f"{name}/turned", f"products/shape{taps * ins}x{outs}"], f"{name}/matrix")
    yield node("Transpose", [values], f"{name}/columns", perm=[0, 2, 1])
    columns = f"{name}/columns"
    if taps > 1:
        yield from _laid_out(conv, name, values_zero, constants)
        columns = f"{name}/windows"
    yield node("MatMulInteger", [columns, f"{name}/matrix", values_zero, f"{name}/zero"], f"{name}/sums")
    yield node("Transpose", [f"{name}/sums"], conv.node.outputs[0], perm=[0, 2, 1])


def _signed(unsigned: str, signed: str) -> Iterator[bytes]:
    yield node("Cast", [unsigned], f"{signed}/wide", to=scalar_type(np.int32))
    yield node("Sub", [f"{signed}/wide", OFFSET], f"{signed}/less")
    yield node("Cast", [f"{signed}/less"], signed, to=scalar_type(np.int8))


def _laid_out(conv: _Convolution, name: str, zero: str, constants: dict[str, Any]) -> Iterator[bytes]:
    """(1, T, C) → (1, T, taps · C): beside each moment those that its window covers."""
    taps = conv.weights_shape[2]
    before, after = conv.pads
    pads = f"products/pads{before}_{after}"
    constants[pads] = np.array([0, before, 0, 0, after, 0])
    yield node("Pad", [f"{name}/columns", pads, zero], f"{name}/padded")
    shifted = []
    for tap in range(taps):
        start, end = tap * conv.spacing, (tap - taps + 1) * conv.spacing
        edges = (f"products/from{start}", f"products/to{end}")
        constants[edges[0]], constants[edges[1]] = np.array([start]), np.array([end or 2**31 - 1])
        shifted.append(f"{name}/tap{tap}")
        yield node("Slice", [f"{name}/padded", *edges, TIME], shifted[-1])
    yield node("Concat", shifted, f"{name}/windows", axis=2)
