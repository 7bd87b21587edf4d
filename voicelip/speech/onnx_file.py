"""Read an ONNX file's nodes and constants, and cut a part out of its graph.

ONNX is a protocol buffer; of its wire format (varints, and fields that say their length) so little is
needed here that a dependency on the `onnx` package would not pay.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicelip.speech.onnx_tap import field, with_outputs

# Field numbers of onnx.proto.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_OUTPUT = 1, 5, 12
NODE_INPUT, NODE_OUTPUT, NODE_NAME = 1, 2, 3
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW = 1, 2, 8, 9
TENSOR_FLOATS, TENSOR_INT32S, TENSOR_INT64S = 4, 5, 7

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}
VARINT, FIXED64, FIXED32 = 0, 1, 5


@dataclass(frozen=True)
class Node:
    """An operation: its name, and the names of the values that go in and come out."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Constants by name, and nodes by name."""

    initializers: dict[str, np.ndarray]
    nodes: dict[str, Node]


def read_graph(model: bytes | bytearray) -> Graph:
    """All nodes and constants of a serialised model."""
    initializers, nodes = {}, {}
    for number, value, _ in _fields(_graph(model)):
        if number == GRAPH_INITIALIZER:
            name, array = _tensor(value)
            initializers[name] = array
        elif number == GRAPH_NODE:
            node = _node(value)
            nodes[node.name] = node
    return Graph(initializers, nodes)


def cut(model: bytes, outputs: Iterable[str]) -> bytes:
    """The serialised model with only what `outputs`, inner values of its graph, need."""
    outputs = tuple(outputs)
    parts = list(_fields(_graph(model)))
    needed = set(outputs)
    kept: set[int] = set()
    for i in reversed(range(len(parts))):  # nodes stand in the order of computation
        if parts[i][0] == GRAPH_NODE and needed.intersection((node := _node(parts[i][1])).outputs):
            needed.update(node.inputs)
            kept.add(i)
    graph = b"".join(
        bytes(raw)
        for i, (number, value, raw) in enumerate(parts)
        if i in kept
        or (number == GRAPH_INITIALIZER and _tensor_name(value) in needed)
        or number not in (GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_OUTPUT)
    )
    rest = b"".join(bytes(raw) for number, _, raw in _fields(memoryview(model)) if number != MODEL_GRAPH)
    return with_outputs(rest + field(MODEL_GRAPH, graph), outputs)


def _graph(model: bytes | bytearray) -> memoryview:
    return next(value for number, value, _ in _fields(memoryview(model)) if number == MODEL_GRAPH)


def _node(data: memoryview) -> Node:
    texts: dict[int, list[str]] = {NODE_INPUT: [], NODE_OUTPUT: [], NODE_NAME: []}
    for number, value, _ in _fields(data):
        if number in texts:
            texts[number].append(str(value, "utf-8"))
    return Node("".join(texts[NODE_NAME]), tuple(texts[NODE_INPUT]), tuple(texts[NODE_OUTPUT]))


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
