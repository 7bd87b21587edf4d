"""Smaller numbers in an ONNX model: half precision, or eight bits with ranges taken from real inputs."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from voicelip.lips.calibration import Inputs

Precision = Literal["fp32", "fp16", "int8"]


def to_half(path: Path) -> None:
    """Weights and activations in float16; inputs and outputs stay float32."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(onnx.load(path), keep_io_types=True)
    _drop_repeated_casts(model)
    onnx.save(model, path)


def _drop_repeated_casts(model: Any) -> None:
    """The converter casts a value once for each reader, always under the same name."""
    made: set[str] = set()
    nodes = []
    for node in model.graph.node:
        if made.isdisjoint(node.output):
            made.update(node.output)
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def to_eight_bits(path: Path, examples: list[Inputs]) -> None:
    """Convolutions and matrix products in int8, weights by channel; activations as `examples` range."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = path.with_suffix(".prepared")
    try:
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(path),
            _Reader(examples),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "ConvTranspose", "MatMul", "Gemm"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    finally:
        prepared.unlink(missing_ok=True)


class _Reader:
    """Hands the quantiser one example after another."""

    def __init__(self, examples: list[Inputs]) -> None:
        self._left = iter(examples)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._left, None)
