"""Write ONNX: nodes, constants, and a small graph of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from voicelip.speech import onnx_file as onnx
from voicelip.speech.onnx_tap import field, number_field

ATTRIBUTE_TYPE, INT, INTS = 20, 2, 7
VALUE_NAME, VALUE_TYPE, TYPE_TENSOR, TENSOR_SCALAR = 1, 2, 1, 1
MODEL_VERSION, MODEL_OPERATORS, OPERATORS_VERSION = 1, 8, 2
FORMAT, OPERATORS = 8, 13


def node(kind: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    """An operation with one output, called as that, as a field of a graph."""
    parts = [field(onnx.NODE_INPUT, name.encode()) for name in inputs]
    parts += [field(onnx.NODE_OUTPUT, output.encode()), field(onnx.NODE_NAME, output.encode())]
    parts += [field(onnx.NODE_KIND, kind.encode())]
    parts += [field(onnx.NODE_ATTRIBUTE, _attribute(name, value)) for name, value in attributes.items()]
    return field(onnx.GRAPH_NODE, b"".join(parts))


def tensor(name: str, array: np.ndarray) -> bytes:
    """A constant, as a field of a graph."""
    dims = b"".join(number_field(onnx.TENSOR_DIMS, size) for size in array.shape)
    kind = number_field(onnx.TENSOR_TYPE, scalar_type(array.dtype))
    content = field(onnx.TENSOR_NAME, name.encode()) + field(onnx.TENSOR_RAW, array.tobytes())
    return field(onnx.GRAPH_INITIALIZER, dims + kind + content)


def model(parts: Sequence[bytes], given: tuple[str, Any], wanted: tuple[str, Any]) -> bytes:
    """A graph of nodes and constants with one input and one output, each with its type of numbers."""
    ends = _value(onnx.GRAPH_INPUT, *given) + _value(onnx.GRAPH_OUTPUT, *wanted)
    operators = field(MODEL_OPERATORS, number_field(OPERATORS_VERSION, OPERATORS))
    return onnx.with_graph(number_field(MODEL_VERSION, FORMAT) + operators, b"".join(parts) + ends)


def scalar_type(dtype: Any) -> int:
    """ONNX's number for a type of numbers."""
    return next(number for number, known in onnx.DTYPES.items() if np.dtype(known) == np.dtype(dtype))


def _value(end: int, name: str, dtype: Any) -> bytes:
    kind = field(TYPE_TENSOR, number_field(TENSOR_SCALAR, scalar_type(dtype)))
    return field(end, field(VALUE_NAME, name.encode()) + field(VALUE_TYPE, kind))


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    start = field(onnx.ATTRIBUTE_NAME, name.encode())
    if isinstance(value, int):
        return start + number_field(onnx.ATTRIBUTE_INT, value) + number_field(ATTRIBUTE_TYPE, INT)
    numbers = b"".join(number_field(onnx.ATTRIBUTE_INTS, one) for one in value)
    return start + numbers + number_field(ATTRIBUTE_TYPE, INTS)
