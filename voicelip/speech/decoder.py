"""Kokoro's decoder in PyTorch, to be fitted: StyleTTS 2's (Li et al. 2023) with an iSTFTNet (Kaneko et al.
2022) generator.

It takes what the front half of the ONNX graph hands out and makes the same sound, but gradients flow
through it. Only the modulation by style can be changed: a speaker is an offset on each layer's gains and
shifts (AdaIN, Huang and Belongie 2017).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

STYLE = 128
EPSILON = 1e-5
N_FFT, HOP = 20, 5


def conv(
    channels_in: int, channels: int, kernel: int, stride: int = 1, dilation: int = 1, bias: bool = True
) -> nn.Conv2d:
    """A convolution over time that keeps the length; sound is (1, C, 1, T), channels last, the layout
    processors like.
    """
    padding = dilation * (kernel - 1) // 2 if stride == 1 else stride // 2
    return nn.Conv2d(
        channels_in, channels, (1, kernel), (1, stride), (0, padding), dilation=(1, dilation), bias=bias
    )


class AdaIN(nn.Module):
    """Normalises each channel over time, then gives it the style's gain and shift."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(STYLE, 2 * channels)
        self.offset: Tensor
        self.register_buffer("offset", torch.zeros(2 * channels), persistent=False)

    def parts(self, x: Tensor, style: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(1, C, 1, T), (128,) → x normalised, gain (1, C, 1, 1), shift (1, C, 1, 1)."""
        gain, shift = (self.fc(style) + self.offset).to(x.dtype)[None, :, None, None].chunk(2, dim=1)
        return F.batch_norm(x, None, None, training=True, eps=EPSILON), 1 + gain, shift

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(1, C, 1, T), (128,) → (1, C, 1, T)."""
        normal, gain, shift = self.parts(x, style)
        return normal * gain + shift


def _parts(norm: nn.Module, x: Tensor, style: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What `AdaIN.parts` gives; a ModuleList forgets what its modules are."""
    assert isinstance(norm, AdaIN)
    return norm.parts(x, style)


class StyledBlock(nn.Module):
    """Two convolutions with leaky ReLUs, and a shortcut; may double the time resolution."""

    def __init__(self, channels_in: int, channels: int, doubles: bool = False) -> None:
        super().__init__()
        self.doubles = doubles
        self.norm1, self.norm2 = AdaIN(channels_in), AdaIN(channels)
        self.conv1 = conv(channels_in, channels, 3)
        self.conv2 = conv(channels, channels, 3)
        self.conv1x1 = conv(channels_in, channels, 1, bias=False)
        if doubles:
            self.pool = nn.ConvTranspose2d(
                channels_in, channels_in, (1, 3), (1, 2), (0, 1), (0, 1), groups=channels_in
            )

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(1, C, 1, T) → (1, C', 1, T or 2T)."""
        inner = F.leaky_relu(self.norm1(x, style), 0.2)
        if self.doubles:
            inner = self.pool(inner)
            x = x.repeat_interleave(2, dim=3)
        inner = F.leaky_relu(self.norm2(self.conv1(inner), style), 0.2)
        return (self.conv2(inner) + self.conv1x1(x)) * (1 / math.sqrt(2))


class SnakeBlock(nn.Module):
    """Three dilated residual units with the periodic activation x + sin²(αx)/α (Ziyin et al. 2020)."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(conv(channels, channels, kernel, dilation=d) for d in (1, 3, 5))
        self.convs2 = nn.ModuleList(conv(channels, channels, kernel) for _ in range(3))
        self.adain1 = nn.ModuleList(AdaIN(channels) for _ in range(3))
        self.adain2 = nn.ModuleList(AdaIN(channels) for _ in range(3))
        self.alpha1 = nn.ParameterList(torch.ones(1, channels, 1, 1) for _ in range(3))
        self.alpha2 = nn.ParameterList(torch.ones(1, channels, 1, 1) for _ in range(3))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(1, C, 1, T) → (1, C, 1, T)."""
        for i in range(3):
            inner = self.convs1[i](Snake.apply(*_parts(self.adain1[i], x, style), self.alpha1[i]))
            x = x + self.convs2[i](Snake.apply(*_parts(self.adain2[i], inner, style), self.alpha2[i]))
        return x


class Snake(torch.autograd.Function):
    """u + sin²(αu)/α of u = gain·x + shift, in few passes over memory: much of the time goes there.

    sin² is written as (1 − cos 2αu)/2, and u is computed anew when gradients flow back.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, shift: Tensor, alpha: Tensor) -> Tensor:
        """x (1, C, 1, T), the others (1, C, 1, 1); alpha stays as it is."""
        ctx.save_for_backward(x, gain, shift, alpha)
        twice = 2 * alpha.to(x.dtype)
        wave = (x * (twice * gain)).add_(twice * shift).cos_().mul_(-1 / twice)
        return (x * gain).add_(shift + 1 / twice).add_(wave)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:  # type: ignore[override]
        """The slope of the activation is 1 + sin 2αu."""
        x, gain, shift, alpha = ctx.saved_tensors
        twice = 2 * alpha.to(x.dtype)
        slope = (x * (twice * gain)).add_(twice * shift).sin_().add_(1)
        inner = slope.mul_(gradient)
        to_gain = (inner * x).sum(dim=3, keepdim=True)
        return inner * gain, to_gain, inner.sum(dim=3, keepdim=True), None


class Generator(nn.Module):
    """Features at 80 Hz and the harmonic source's spectrum → waveform."""

    def __init__(self) -> None:
        super().__init__()
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(channels, channels // 2, (1, 2 * up), (1, up), (0, up // 2))
            for channels, up in ((512, 10), (256, 6))
        )
        self.noise_convs = nn.ModuleList([conv(N_FFT + 2, 256, 12, stride=6), conv(N_FFT + 2, 128, 1)])
        self.noise_res = nn.ModuleList([SnakeBlock(256, 7), SnakeBlock(128, 11)])
        self.resblocks = nn.ModuleList(SnakeBlock(c, k) for c in (256, 128) for k in (3, 7, 11))
        self.conv_post = conv(128, N_FFT + 2, 7)

    def forward(self, x: Tensor, style: Tensor, source: Tensor) -> Tensor:
        """(1, 512, 1, 2T), (128,), (1, 22, 1, 120T + 1) → (600T,)."""
        for i in range(2):
            from_source = self.noise_res[i](self.noise_convs[i](source), style)
            x = self.ups[i](F.leaky_relu(x, 0.1))
            if i == 1:
                x = torch.cat([x[..., 1:2], x], dim=3)
            x = x + from_source
            x = sum(block(x, style) for block in self.resblocks[3 * i : 3 * i + 3]) * (1 / 3)
        return inverse_stft(self.conv_post(F.leaky_relu(x, 0.01))[0, :, 0].float())


class Decoder(nn.Module):
    """Aligned text features, pitch and energy → 24 kHz sound in the style's voice, one phrase at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.asr_res = nn.Sequential(conv(512, 64, 1))
        self.F0_conv = conv(1, 1, 3, stride=2)
        self.N_conv = conv(1, 1, 3, stride=2)
        self.encode = StyledBlock(514, 1024)
        self.decode = nn.ModuleList(
            [*(StyledBlock(1090, 1024) for _ in range(3)), StyledBlock(1090, 512, doubles=True)]
        )
        self.generator = Generator()

    def forward(self, text: Tensor, pitch: Tensor, energy: Tensor, style: Tensor, source: Tensor) -> Tensor:
        """(512, T), (2T,) Hz, (2T,), (128,), (22, 120T + 1) → (600T,) samples."""
        dtype = self.F0_conv.weight.dtype
        features = text[None, :, None].to(dtype, memory_format=torch.channels_last)
        curves = [
            self.F0_conv(pitch[None, None, None].to(dtype)),
            self.N_conv(energy[None, None, None].to(dtype)),
        ]
        x = self.encode(torch.cat([features, *curves], dim=1), style)
        residual = [self.asr_res(features), *curves]
        for block in self.decode:
            x = block(torch.cat([x, *residual], dim=1), style)
        return self.generator(x, style, source[None, :, None].to(dtype, memory_format=torch.channels_last))

    def modulations(self) -> dict[str, AdaIN]:
        """The layers that a style reaches, by the initializer of the ONNX graph that holds their bias."""
        return {
            f"decoder.decoder.{name}.fc.bias": module
            for name, module in self.named_modules()
            if isinstance(module, AdaIN)
        }


def inverse_stft(spectrum: Tensor) -> Tensor:
    """(22, F) log magnitudes and sine-wrapped phases → (5·(F − 1),).

    As published, the overlap-added Hann windows (a constant 1.5) are not divided out.
    """
    magnitude, phase = torch.exp(spectrum[: N_FFT // 2 + 1]), torch.sin(spectrum[N_FFT // 2 + 1 :])
    window = torch.hann_window(N_FFT, device=spectrum.device)
    frames = torch.fft.irfft(torch.polar(magnitude, phase), dim=0) * window[:, None]
    length = HOP * (spectrum.shape[1] - 1) + N_FFT
    wave = F.fold(frames[None], (1, length), (1, N_FFT), stride=(1, HOP))
    return wave[0, 0, 0, N_FFT // 2 : -(N_FFT // 2)]


def build_decoder(weights: Mapping[str, np.ndarray], dtype: torch.dtype = torch.float32) -> Decoder:
    """The decoder with published weights (module path → array), all of them frozen.

    Convolutions run in `dtype`; bfloat16 is three times as fast where the processor multiplies it.
    """
    decoder = Decoder()
    state: dict[str, Any] = decoder.state_dict()
    for name, tensor in state.items():
        state[name] = torch.from_numpy(np.array(weights[name], np.float32)).reshape(tensor.shape)
    decoder.load_state_dict(state)
    for module in decoder.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.data = module.weight.to(dtype=dtype, memory_format=torch.channels_last)
            if module.bias is not None:
                module.bias.data = module.bias.to(dtype)
    return decoder.eval().requires_grad_(False)


def quickest_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the GPU, or the processor by AMX or AVX-512, multiplies it; else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.8 cannot tell
    return torch.bfloat16 if known.get("amx_bf16") or known.get("avx512_bf16") else torch.float32
