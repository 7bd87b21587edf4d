"""Read an ONNX file's nodes and constants, and cut a part out of its graph.

ONNX is a protocol buffer; of its wire format (varints, and fields that say their length) so little is
needed here that a dependency on the `onnx` package would not pay.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from voicelip.speech import onnx_tap
from voicelip.speech.onnx_tap import with_outputs

# Field numbers of onnx.proto.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 5, 11, 12
NODE_INPUT, NODE_OUTPUT, NODE_NAME, NODE_KIND, NODE_ATTRIBUTE = 1, 2, 3, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_INTS = 1, 3, 8
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW = 1, 2, 8, 9
TENSOR_FLOATS, TENSOR_INT32S, TENSOR_INT64S = 4, 5, 7

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}
VARINT, FIXED64, FIXED32 = 0, 1, 5


@dataclass(frozen=True)
class Node:
    """An operation: its name and kind, the names of the values that go in and come out, and those of its
    attributes that are whole numbers.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kind: str = ""
    attributes: Mapping[str, int | list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """Constants by name, and nodes by name."""

    initializers: dict[str, np.ndarray]
    nodes: dict[str, Node]


def read_graph(model: bytes | bytearray) -> Graph:
    """All nodes and constants of a serialised model."""
    initializers, nodes = {}, {}
    for number, value, _ in graph_parts(model):
        if number == GRAPH_INITIALIZER:
            name, array = _tensor(value)
            initializers[name] = array
        elif number == GRAPH_NODE:
            node = read_node(value)
            nodes[node.name] = node
    return Graph(initializers, nodes)


def cut(model: bytes, outputs: Iterable[str]) -> bytes:
    """The serialised model with only what `outputs`, inner values of its graph, need."""
    outputs = tuple(outputs)
    parts = list(graph_parts(model))
    needed = set(outputs)
    kept: set[int] = set()
    for i in reversed(range(len(parts))):  # nodes stand in the order of computation
        if parts[i][0] == GRAPH_NODE and needed.intersection((node := read_node(parts[i][1])).outputs):
            needed.update(node.inputs)
            kept.add(i)
    graph = b"".join(
        bytes(raw)
        for i, (number, value, raw) in enumerate(parts)
        if i in kept
        or (number == GRAPH_INITIALIZER and _tensor_name(value) in needed)
        or number not in (GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_OUTPUT)
    )
    return with_outputs(with_graph(model, graph), outputs)


def graph_parts(model: bytes | bytearray) -> Iterator[tuple[int, Any, memoryview]]:
    """The graph's fields: number, value, and the whole field's bytes."""
    return _fields(next(value for number, value, _ in _fields(memoryview(model)) if number == MODEL_GRAPH))


def with_graph(model: bytes, graph: bytes) -> bytes:
    """The model's versions and operator sets around another graph."""
    rest = b"".join(bytes(raw) for number, _, raw in _fields(memoryview(model)) if number != MODEL_GRAPH)
    return rest + onnx_tap.field(MODEL_GRAPH, graph)


def read_node(data: memoryview) -> Node:
    """A node from its bytes in the graph."""
    texts: dict[int, list[str]] = {NODE_INPUT: [], NODE_OUTPUT: [], NODE_NAME: [], NODE_KIND: []}
    attributes = {}
    for number, value, _ in _fields(data):
        if number in texts:
            texts[number].append(str(value, "utf-8"))
        elif number == NODE_ATTRIBUTE:
            name, numbers = _attribute(value)
            attributes[name] = numbers
    inputs, outputs = tuple(texts[NODE_INPUT]), tuple(texts[NODE_OUTPUT])
    return Node("".join(texts[NODE_NAME]), inputs, outputs, "".join(texts[NODE_KIND]), attributes)


def _attribute(data: memoryview) -> tuple[str, int | list[int]]:
    name, single, several = "", 0, []
    for number, value, _ in _fields(data):
        if number == ATTRIBUTE_NAME:
            name = str(value, "utf-8")
        elif number == ATTRIBUTE_INT:
            single = value
        elif number == ATTRIBUTE_INTS:
            several += [value] if isinstance(value, int) else list(_varints(value))
    return name, several or single


def tensor_shape(data: memoryview) -> tuple[str, tuple[int, ...]]:
    """A constant's name and shape, from its bytes in the graph."""
    dims: list[int] = []
    for number, value, _ in _fields(data):
        if number == TENSOR_DIMS:
            dims += [value] if isinstance(value, int) else list(_varints(value))
    return _tensor_name(data), tuple(dims)


def _tensor_name(data: memoryview) -> str:
    return next((str(value, "utf-8") for number, value, _ in _fields(data) if number == TENSOR_NAME), "")


def _tensor(data: memoryview) -> tuple[str, np.ndarray]:
    dims: list[int] = []
    name, kind, raw = "", 1, memoryview(b"")
    for number, value, _ in _fields(data):
        if number == TENSOR_DIMS:
            dims += [value] if isinstance(value, int) else list(_varints(value))
        elif number == TENSOR_TYPE:
            kind = value
        elif number == TENSOR_NAME:
            name = str(value, "utf-8")
        elif number in (TENSOR_INT32S, TENSOR_INT64S):
            values = [value] if isinstance(value, int) else list(_varints(value))
            raw = memoryview(np.array(values, np.uint64).astype(DTYPES[kind]).tobytes())
        elif number in (TENSOR_FLOATS, TENSOR_RAW):
            raw = value
    if kind not in DTYPES:
        return name, np.zeros(0)
    return name, np.frombuffer(raw, DTYPES[kind]).reshape(dims)


def _fields(data: memoryview) -> Iterator[tuple[int, Any, memoryview]]:
    """Field numbers, their values (numbers, or the bytes of everything else), and the whole field's bytes."""
    at = 0
    while at < len(data):
        start = at
        key, at = _varint(data, at)
        wire = key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value, data[start:at]
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(wire)
        if size is None:
            size, at = _varint(data, at)
        yield key >> 3, data[at : at + size], data[start : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def _varints(data: memoryview) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value
