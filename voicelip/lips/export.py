"""Networks from PyTorch to ONNX, with the transforms that belong to them inside the graph."""

from pathlib import Path

import torch
from torch import nn

from voicelip.face.crop import CROP_PX
from voicelip.lips.mel import MEL_BANDS
from voicelip.lips.motion import MOTION_POINTS, WINDOW_COLUMNS
from voicelip.lips.motion_net import MotionNet
from voicelip.lips.renderer import GRID_PX, OUTLINES, REFERENCES, Renderer, landmark_flow

_OPSET = 18


class RendererGraph(nn.Module):
    """The renderer from plain inputs: hides the mouth of the current crop and derives the landmarks' flow by
    itself.
    """

    def __init__(self, renderer: Renderer) -> None:
        super().__init__()
        self.renderer = renderer

    def forward(
        self,
        current: torch.Tensor,
        hidden: torch.Tensor,
        references: torch.Tensor,
        outlines: torch.Tensor,
        target_points: torch.Tensor,
        reference_points: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        shift = torch.stack(
            [landmark_flow(target_points, reference_points[:, index]) for index in range(REFERENCES)], dim=1
        )
        return self.renderer(current * (1 - hidden), hidden, references, outlines, shift)


def renderer_inputs(batch: int) -> dict[str, torch.Tensor]:
    """Inputs of the right shapes, for tracing and parity."""
    points = len(MOTION_POINTS)
    return {
        "current": torch.rand(batch, 3, CROP_PX, CROP_PX),
        "hidden": torch.rand(batch, 1, CROP_PX, CROP_PX).round(),
        "references": torch.rand(batch, REFERENCES, 3, CROP_PX, CROP_PX),
        "outlines": torch.rand(batch, OUTLINES * (1 + REFERENCES), GRID_PX, GRID_PX),
        "target_points": CROP_PX * torch.rand(batch, points, 2),
        "reference_points": CROP_PX * torch.rand(batch, REFERENCES, points, 2),
    }


def export_renderer(renderer: Renderer, path: Path) -> None:
    """Write the render branch; inputs as `RendererGraph.forward`, outputs flow, weights, paint; the batch is
    free.
    """
    inputs = renderer_inputs(2)
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.onnx.export(
        RendererGraph(renderer).eval(),
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=["flow", "weights", "paint"],
        dynamic_shapes={name: {0: batch} for name in inputs},
        opset_version=_OPSET,
        external_data=False,
        verbose=False,
    )
    _plain_softmax(path)
    forget_origin(path)


def _plain_softmax(path: Path) -> None:
    """Put simple arithmetic in the place of Softmax: over few channels, ONNX Runtime's takes ten times as
    long.
    """
    import onnx
    from onnx import helper

    model = onnx.load(path)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    axes = "softmax_axes"
    for node in nodes:
        if node.op_type != "Softmax":
            model.graph.node.append(node)
            continue
        given, result = node.input[0], node.output[0]
        model.graph.node.extend(
            [
                helper.make_node("ReduceMax", [given, axes], [f"{result}_max"]),
                helper.make_node("Sub", [given, f"{result}_max"], [f"{result}_less"]),
                helper.make_node("Exp", [f"{result}_less"], [f"{result}_exp"]),
                helper.make_node("ReduceSum", [f"{result}_exp", axes], [f"{result}_sum"]),
                helper.make_node("Div", [f"{result}_exp", f"{result}_sum"], [result]),
            ]
        )
    model.graph.initializer.append(helper.make_tensor(axes, onnx.TensorProto.INT64, [1], [1]))
    onnx.save(model, path)


def forget_origin(path: Path) -> None:
    """Drop what the exporter notes of the machine: source paths in the metadata of every node and value."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.value_info,
        *graph.input,
        *graph.output,
        *graph.initializer,
    ):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)


def export_motion(network: MotionNet, path: Path) -> None:
    """Write the audio branch: `windows` (1, T, 80, 28) → `codes` (1, T, K), T free."""
    torch.onnx.export(
        network.eval(),
        (torch.randn(1, 50, MEL_BANDS, WINDOW_COLUMNS),),
        str(path),
        input_names=["windows"],
        output_names=["codes"],
        dynamic_axes={"windows": {1: "frames"}, "codes": {1: "frames"}},
        opset_version=_OPSET,
        external_data=False,
        dynamo=False,
    )
    forget_origin(path)
