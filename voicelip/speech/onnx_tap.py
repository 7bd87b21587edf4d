"""Let an ONNX model hand out values from its inside, without parsing it.

Protobuf messages that follow one another are merged, so a model's bytes followed by those of
`ModelProto{graph{output{name}}}` are the same model with one more output.
"""

from collections.abc import Iterable

_MODEL_GRAPH, _GRAPH_OUTPUT, _VALUE_NAME = 7, 12, 1
_LENGTH_DELIMITED = 2


def with_outputs(model: bytes, names: Iterable[str]) -> bytes:
    """A serialised model that has the inner values `names` as further outputs."""
    taps = b"".join(field(_GRAPH_OUTPUT, field(_VALUE_NAME, name.encode())) for name in names)
    return model + field(_MODEL_GRAPH, taps)


def field(number: int, content: bytes) -> bytes:
    """One field of a message: its number, and content that says its length."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    """One field of a message that holds a number, not below zero."""
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the high bit set."""
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
