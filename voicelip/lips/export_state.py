"""`voicelip models export`: a state dict of ours or of Wav2Lip's as an ONNX file, compared with PyTorch."""

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import nn

from voicelip.errors import ModelFileError, OptionError
from voicelip.lips import calibration
from voicelip.lips.calibration import Inputs
from voicelip.lips.export import RendererGraph, export_motion, export_renderer, forget_origin
from voicelip.lips.mel import MEL_BANDS
from voicelip.lips.motion import WINDOW_COLUMNS
from voicelip.lips.motion_net import MotionNet
from voicelip.lips.precision import Precision, to_eight_bits, to_half
from voicelip.lips.renderer import Renderer
from voicelip.lips.wav2lip.checkpoint import NAMES, recognise
from voicelip.lips.wav2lip.fold import fold
from voicelip.lips.wav2lip.generator_net import MEL_COLUMNS, Generator
from voicelip.lips.wav2lip.layouts import PUBLISHED
from voicelip.lips.wav2lip.syncnet import SYNC_FRAMES, SyncNet
from voicelip.state_dict import State, differences, fill, read_state

FACE_PX = PUBLISHED.px
LOWER_ROWS = FACE_PX // 2
_OPSET = 18
_NOISE_EXAMPLES = 4
_TOLERANCE = 1e-3  # of float32, against PyTorch


@dataclass(frozen=True)
class Exported:
    """What was written: `kind` in words, and the largest difference from PyTorch on `examples` inputs."""

    kind: str
    path: Path
    bytes: int
    largest_difference: float
    examples: int


@dataclass(frozen=True)
class _Exportable:
    """A network with its weights, how to write it, inputs to compare on, and the precisions it may have."""

    kind: str
    network: nn.Module
    write: Callable[[Path], None]
    examples: list[Inputs]
    precisions: tuple[str, ...] = ("fp32", "fp16", "int8")


def export(source: Path, out: Path, precision: Precision = "fp32") -> Exported:
    """Write the network whose state dict is `source` to `out`; the batch stays free.

    int8 needs ranges, which are taken from the presenter, so it is offered for what draws: Wav2Lip's
    generator and our renderer. The motion network is recurrent and small, and stays in fp32.
    """
    if find_spec("onnx") is None:
        raise OptionError("exporting needs the package onnx; run first: pip install 'voicelip[train]'")
    exportable = _exportable(read_state(source), source)
    if precision not in exportable.precisions:
        known = ", ".join(exportable.precisions)
        raise OptionError(f"{source}: {exportable.kind} is not exported in {precision}; choose of {known}")
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        written = Path(folder) / "model.onnx"
        exportable.write(written)
        if precision == "fp16":
            to_half(written)
        elif precision == "int8":
            to_eight_bits(written, exportable.examples)
        largest = _largest_difference(exportable, written)
        if precision == "fp32" and largest > _TOLERANCE:
            raise ModelFileError(
                f"{source}: the exported network differs by {largest:.1e}; nothing was written"
            )
        written.replace(out)
    return Exported(exportable.kind, out, out.stat().st_size, largest, len(exportable.examples))


def _exportable(state: State, path: Path) -> _Exportable:
    if not differences(state, Renderer().state_dict()):
        return _renderer(fill(Renderer(), state, path))
    if (motion := _motion(state)) is not None:
        return _heard(fill(motion, state, path))
    network = recognise(state)
    if network is None:
        known = ", ".join(["voicelip's renderer", "voicelip's motion network", *NAMES.values()])
        raise ModelFileError(f"{path}: no network that is known here; these are: {known}")
    return _published(fill(network, state, path))


def _renderer(network: Renderer) -> _Exportable:
    graph, examples = RendererGraph(network).eval(), calibration.renderer_inputs()
    return _Exportable("voicelip's renderer", graph, lambda out: export_renderer(network, out), examples)


def _motion(state: State) -> MotionNet | None:
    last = state.get("speak.1.bias")
    if last is None:
        return None
    network = MotionNet(len(last))
    return None if differences(state, network.state_dict()) else network


def _heard(network: MotionNet) -> _Exportable:
    examples = _noise(windows=(1, 50, MEL_BANDS, WINDOW_COLUMNS))
    return _Exportable(
        "voicelip's motion network", network, lambda out: export_motion(network, out), examples, ("fp32",)
    )


def _published(network: nn.Module) -> _Exportable:
    kind = NAMES[type(network)]
    precisions: tuple[str, ...] = ("fp32", "fp16")
    if isinstance(network, Generator):
        examples, outputs = calibration.wav2lip_inputs(network.layout.px), ["drawn"]
        kind, network = f"{kind}, {network.layout.px} px", fold(network)
        precisions = (*precisions, "int8")
    elif isinstance(network, SyncNet):
        mouths = (1, 3 * SYNC_FRAMES, LOWER_ROWS, FACE_PX)
        examples, outputs = _noise(mel=(1, 1, MEL_BANDS, MEL_COLUMNS), mouths=mouths), ["sound", "seen"]
    else:
        examples, outputs = _noise(faces=(1, 3, 1, FACE_PX, FACE_PX)), ["real"]
    return _Exportable(
        kind, network, lambda out: _trace(network, examples[0], outputs, out), examples, precisions
    )


def _noise(**shapes: tuple[int, ...]) -> list[Inputs]:
    draw = np.random.default_rng(0)
    return [
        {name: draw.random(shape, np.float32) for name, shape in shapes.items()}
        for _ in range(_NOISE_EXAMPLES)
    ]


def _trace(network: nn.Module, example: Inputs, outputs: list[str], path: Path) -> None:
    with warnings.catch_warnings():  # that another exporter is the newer one
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            tuple(torch.from_numpy(np.repeat(each, 2, axis=0)) for each in example.values()),
            str(path),
            input_names=list(example),
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in (*example, *outputs)},
            opset_version=_OPSET,
            external_data=False,
            dynamo=False,
        )
    forget_origin(path)


@torch.inference_mode()
def _largest_difference(exportable: _Exportable, path: Path) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest = 0.0
    for example in exportable.examples:
        expected = exportable.network(**{name: torch.from_numpy(each) for name, each in example.items()})
        expected = expected if isinstance(expected, tuple) else (expected,)
        for given, wanted in zip(session.run(None, example), expected, strict=True):
            largest = max(largest, float(np.abs(given - wanted.numpy()).max()))
    return largest
