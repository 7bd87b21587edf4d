"""Make pretrained/face_mesh.onnx from the Face Mesh network inside MediaPipe's face_landmarker.task.

    pip install tflite onnx
    python -m recipes.convert_face_mesh -o pretrained/face_mesh.onnx

The weights stay as they are, in half precision. Only the form of one layer changes: ONNX Runtime keeps images
in the layout that convolutions are fastest in, but does not know PReLU there. So PReLU with slopes a is drawn
as a x + (1 - a) max(x, 0), both by depthwise 1x1 convolutions, which costs half of what PReLU does.
"""

import argparse
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

from voicelip import hub

_MEMBER = "face_landmarks_detector.tflite"
_OUTPUTS = ("points", "presence")  # the third one, a tongue's score, is not needed
_KINDS = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}


@dataclass
class _Network:
    """A TFLite graph, and the ONNX nodes made of it so far; tensors are called by their numbers."""

    model: Any
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    widened: dict[int, int] = field(default_factory=dict)  # float32 tensor → the float16 one it is made of

    def __post_init__(self) -> None:
        self.graph = self.model.Subgraphs(0)

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(side) for side in self.graph.Tensors(tensor).ShapeAsNumpy())

    def values(self, tensor: int) -> np.ndarray:
        tensor = self.widened.get(tensor, tensor)
        stored = self.graph.Tensors(tensor)
        data = self.model.Buffers(stored.Buffer()).DataAsNumpy().tobytes()
        return np.frombuffer(data, _KINDS[stored.Type()]).reshape(self.shape(tensor))

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def constant(self, values: np.ndarray) -> str:
        """The name of a constant; half precision is stored so and widened when the network is loaded."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        if values.dtype != np.float16:
            return name
        self.add("Cast", [name], f"{name}_wide", to=TensorProto.FLOAT)
        return f"{name}_wide"


def converted(data: bytes) -> onnx.ModelProto:
    """The network in `data`, a TFLite file: image (1, 3, 256, 256) in 0–1 → points (1, 1434, 1, 1) in px and
    presence (1, 1, 1, 1) in log-odds.
    """
    network = _Network(tflite.Model.GetRootAsModel(data, 0))
    graph = network.graph
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        code = network.model.OperatorCodes(operator.OpcodeIndex())
        _LAYERS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())](network, operator)
    outputs = []
    for index, name in enumerate(_OUTPUTS):
        tensor = graph.Outputs(index)
        network.add("Identity", [f"t{tensor}"], name)
        outputs.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, network.shape(tensor)[3], 1, 1])
        )
    image = helper.make_tensor_value_info(f"t{graph.Inputs(0)}", TensorProto.FLOAT, [1, 3, 256, 256])
    made = helper.make_graph(network.nodes, "face_mesh", [image], outputs, network.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = onnx.utils.Extractor(model).extract_model([image.name], list(_OUTPUTS))
    onnx.checker.check_model(model)
    return model


def _widen(network: _Network, operator: Any) -> None:
    network.widened[operator.Outputs(0)] = operator.Inputs(0)


def _convolution(network: _Network, operator: Any) -> None:
    _convolve(network, operator, tflite.Conv2DOptions(), (0, 3, 1, 2), groups=1)


def _depthwise(network: _Network, operator: Any) -> None:
    channels = network.shape(operator.Inputs(0))[3]
    _convolve(network, operator, tflite.DepthwiseConv2DOptions(), (3, 0, 1, 2), groups=channels)


def _convolve(network: _Network, operator: Any, options: Any, order: tuple[int, ...], groups: int) -> None:
    _read(operator, options)
    weights = network.values(operator.Inputs(1)).transpose(order)
    _, height, width, _ = network.shape(operator.Inputs(0))
    top, bottom = _padding(height, weights.shape[2], options.StrideH(), options.Padding())
    left, right = _padding(width, weights.shape[3], options.StrideW(), options.Padding())
    inputs = [f"t{operator.Inputs(0)}", network.constant(weights)]
    network.add(
        "Conv",
        [*inputs, network.constant(network.values(operator.Inputs(2)))],
        f"t{operator.Outputs(0)}",
        strides=[options.StrideH(), options.StrideW()],
        pads=[top, left, bottom, right],
        group=groups,
    )


def _padding(length: int, kernel: int, stride: int, kind: int) -> tuple[int, int]:
    """Rows before and after: TensorFlow's SAME puts the odd one after."""
    if kind == tflite.Padding.VALID:
        return 0, 0
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def _prelu(network: _Network, operator: Any) -> None:
    slope = network.values(operator.Inputs(1)).reshape(-1, 1, 1, 1)
    given, result = f"t{operator.Inputs(0)}", f"t{operator.Outputs(0)}"
    rest = np.float32(1) - slope.astype(np.float32)
    network.add("Relu", [given], f"{result}_positive")
    network.add("Conv", [f"{result}_positive", network.constant(rest)], f"{result}_bent", group=len(slope))
    network.add("Conv", [given, network.constant(slope)], f"{result}_straight", group=len(slope))
    network.add("Add", [f"{result}_straight", f"{result}_bent"], result)


def _add(network: _Network, operator: Any) -> None:
    _read(operator, tflite.AddOptions())
    network.add("Add", [f"t{operator.Inputs(0)}", f"t{operator.Inputs(1)}"], f"t{operator.Outputs(0)}")


def _max_pool(network: _Network, operator: Any) -> None:
    options = _read(operator, tflite.Pool2DOptions())
    network.add(
        "MaxPool",
        [f"t{operator.Inputs(0)}"],
        f"t{operator.Outputs(0)}",
        kernel_shape=[options.FilterHeight(), options.FilterWidth()],
        strides=[options.StrideH(), options.StrideW()],
    )


def _pad(network: _Network, operator: Any) -> None:
    before, after = network.values(operator.Inputs(1))[[0, 3, 1, 2]].T.astype(np.int64)
    widths = network.constant(np.concatenate([before, after]))
    network.add("Pad", [f"t{operator.Inputs(0)}", widths], f"t{operator.Outputs(0)}")


def _sigmoid(network: _Network, operator: Any) -> None:
    network.add("Sigmoid", [f"t{operator.Inputs(0)}"], f"t{operator.Outputs(0)}")


def _same(network: _Network, operator: Any) -> None:
    network.add("Identity", [f"t{operator.Inputs(0)}"], f"t{operator.Outputs(0)}")


def _read(operator: Any, options: Any) -> Any:
    """Fill `options` with the operator's; a fused activation would have to be drawn too."""
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    if options.FusedActivationFunction() != tflite.ActivationFunctionType.NONE:
        raise SystemExit("a layer with a fused activation: not in the Face Mesh that this was written for")
    return options


_LAYERS = {
    tflite.BuiltinOperator.DEQUANTIZE: _widen,
    tflite.BuiltinOperator.CONV_2D: _convolution,
    tflite.BuiltinOperator.DEPTHWISE_CONV_2D: _depthwise,
    tflite.BuiltinOperator.PRELU: _prelu,
    tflite.BuiltinOperator.ADD: _add,
    tflite.BuiltinOperator.MAX_POOL_2D: _max_pool,
    tflite.BuiltinOperator.PAD: _pad,
    tflite.BuiltinOperator.LOGISTIC: _sigmoid,
    tflite.BuiltinOperator.RESHAPE: _same,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=Path("pretrained/face_mesh.onnx"))
    arguments = parser.parse_args()
    with zipfile.ZipFile(hub.fetch("face-landmarker")) as task:
        model = converted(task.read(_MEMBER))
    onnx.save(model, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
