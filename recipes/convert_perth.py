"""Make the watermark's two networks, pretrained/watermark_mark.onnx and watermark_find.onnx, from Perth's.

    pip download resemble-perth==1.0.1 --no-deps && unzip resemble_perth-*.whl
    python -m recipes.convert_perth perth/perth_net/pretrained/implicit/perth_net_250000.pth.tar -o pretrained

Perth's (Resemble AI, MIT) encoder is kept whole. Of its decoder's three branches one is kept: the other two,
for slowed and hastened speech, put out a constant whatever they hear, so nothing is lost. Weights become
eight bits with a scale for each output channel; computing stays in float32.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BANDS = 128
_LAYERS = 7
_SLOPE = 0.01  # of LeakyReLU, torch's default
_OPSET = 17


def load(path: Path) -> dict[str, np.ndarray]:
    """The checkpoint's arrays; nothing in it is executed."""
    import torch

    return {
        name: value.numpy()
        for name, value in torch.load(path, map_location="cpu", weights_only=True)["model"].items()
    }


def network(weights: dict[str, np.ndarray], prefix: str, output: int | None = None) -> onnx.ModelProto:
    """Seven convolutions along time, (1, 128, T) → (1, C, T); `output` keeps one channel of the last."""
    nodes, constants, value = [], [], "levels"
    for number in range(_LAYERS):
        weight, bias = (weights[f"{prefix}.{number}.conv.{part}"] for part in ("weight", "bias"))
        if number == _LAYERS - 1 and output is not None:
            weight, bias = weight[output : output + 1], bias[output : output + 1]
        scale = np.abs(weight).max(axis=(1, 2)) / 127
        steps = np.rint(weight / scale[:, None, None]).astype(np.int8)
        named = {"steps": steps, "scale": scale, "bias": bias}
        constants += [numpy_helper.from_array(each, f"{name}{number}") for name, each in named.items()]
        nodes.append(
            helper.make_node(
                "DequantizeLinear", [f"steps{number}", f"scale{number}"], [f"weight{number}"], axis=0
            )
        )
        is_last = number == _LAYERS - 1
        result = "result" if is_last else f"conv{number}"
        reach = weight.shape[2] // 2
        nodes.append(
            helper.make_node(
                "Conv", [value, f"weight{number}", f"bias{number}"], [result], pads=[reach, reach]
            )
        )
        if not is_last:
            value = f"active{number}"
            nodes.append(helper.make_node("LeakyRelu", [result], [value], alpha=_SLOPE))
    shapes = (("levels", [1, BANDS, "frames"]), ("result", [1, len(bias), "frames"]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes]
    graph = helper.make_graph(nodes, prefix, ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    model.doc_string = "From Perth 1.0.1, Copyright (c) 2025 Resemble AI, MIT licence."
    onnx.checker.check_model(model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder")
    arguments = parser.parse_args()
    weights = load(arguments.checkpoint)
    onnx.save(network(weights, "encoder.layers"), arguments.out / "watermark_mark.onnx")
    onnx.save(network(weights, "decoder.normal_layers", 1), arguments.out / "watermark_find.onnx")


if __name__ == "__main__":
    main()
