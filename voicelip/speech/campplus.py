"""A second ear for voices: CAM++ speaker embeddings (Wang et al. 2023, arXiv:2303.00332) with the weights
that 3D-Speaker publishes for Chinese and English, in 8 bits.

Trained on far more people than GE2E, it hears differences that GE2E does not: a voice fitted to GE2E alone
comes as near as the person's own recordings there, and only half as near here.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voicelip import hub
from voicelip.media import Audio
from voicelip.speech import encoder

RATE = 16_000
WINDOW_S, HOP_S = 0.025, 0.01
SHORTEST_S = 0.1  # a deviation over time needs some frames; silence fills what is missing
BANDS, SIZE = 80, 192
LOWEST_HZ = 20.0
PRE_EMPHASIS = 0.97
SPACING_HZ = 31.25  # between the bins of the spectrum
FULL_SCALE = 32768  # the published front end counts samples in 16-bit steps
EPSILON = float(np.finfo(np.float32).eps)

BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers, dilation
SEGMENT = 100  # frames that one context mask is made from

Weights = Mapping[str, Tensor]


def embed(audio: Audio) -> np.ndarray:
    """(192,) float32 of length 1; one speaker's recordings have a cosine of about 0.8, two people's 0.07."""
    samples = encoder.prepare(audio)
    with torch.inference_mode():
        found: np.ndarray = embedding(torch.from_numpy(np.ascontiguousarray(samples)), RATE).numpy()
    return found


def embedding(wave: Tensor, rate: int) -> Tensor:
    """(N,) sound at 16 kHz or more → (192,) of length 1; gradients reach the sound."""
    features = fbank(wave, rate)
    return F.normalize(network(features[None], _weights())[0], dim=0)


def fbank(wave: Tensor, rate: int) -> Tensor:
    """(N,) → (T, 80) log mel as Kaldi has it (Povey window, pre-emphasis), less its mean over time.

    Pre-emphasis is done on the spectrum, as a filter at 16 kHz would do it: so the features are the same
    whatever the rate.
    """
    size, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    wave = F.pad(wave, (0, max(0, round(SHORTEST_S * rate) - len(wave))))
    frames = (wave * FULL_SCALE).unfold(0, size, hop)
    frames = frames - frames.mean(dim=1, keepdim=True)
    window = torch.hann_window(size, periodic=False, device=wave.device) ** 0.85
    spectrum = torch.fft.rfft(frames * window, round(rate / SPACING_HZ))
    power = (spectrum.real.square() + spectrum.imag.square())[:, : round(RATE / 2 / SPACING_HZ)]
    filters = torch.from_numpy(_filters()).to(power) * (RATE / rate) ** 2
    mel = torch.log((power @ filters.T).clamp_min(EPSILON))
    return mel - mel.mean(dim=0)


@functools.cache
def _filters() -> np.ndarray:
    """(80, 256) triangles on the mel scale, with the gain of pre-emphasis."""
    hz = np.arange(round(RATE / 2 / SPACING_HZ)) * SPACING_HZ
    edges = np.linspace(_mel(LOWEST_HZ), _mel(RATE / 2), BANDS + 2)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    mels = _mel(hz)[None]
    triangles = np.minimum((mels - low) / (middle - low), (high - mels) / (high - middle)).clip(0)
    turn = 2 * np.pi * hz / RATE
    emphasis = 1 + PRE_EMPHASIS**2 - 2 * PRE_EMPHASIS * np.cos(turn)
    result: np.ndarray = (triangles * emphasis).astype(np.float32)
    return result


def _mel(hz: np.ndarray | float) -> np.ndarray:
    mels: np.ndarray = 1127 * np.log1p(np.asarray(hz) / 700)
    return mels


def network(features: Tensor, weights: Weights) -> Tensor:
    """(B, T, 80) → (B, 192): a front of 2-D convolutions, densely connected layers whose outputs are masked
    by their context, and the mean and deviation over time.
    """
    x = _head(features.transpose(1, 2)[:, None], weights)
    x = _conv(x, weights, "front", stride=2, padding=2).relu()
    for block, (layers, dilation) in enumerate(BLOCKS, 1):
        for layer in range(1, layers + 1):
            x = torch.cat([x, _dense_layer(x, weights, f"block{block}.{layer}", dilation)], dim=1)
        x = _conv(_activated(x, weights, f"transit{block}"), weights, f"transit{block}")
    x = _activated(x, weights, "last")
    both = torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1)
    return _conv(both[..., None], weights, "embedding")[..., 0]


def _head(x: Tensor, weights: Weights) -> Tensor:
    """(B, 1, 80, T) → (B, 320, T)."""
    x = _conv(x, weights, "head.first", padding=1).relu()
    for name, stride in (("head.1", 2), ("head.2", 1), ("head.3", 2), ("head.4", 1)):
        inner = _conv(x, weights, f"{name}.conv1", stride=(stride, 1), padding=1).relu()
        inner = _conv(inner, weights, f"{name}.conv2", padding=1)
        if stride > 1:
            x = _conv(x, weights, f"{name}.shortcut", stride=(stride, 1))
        x = (inner + x).relu()
    x = _conv(x, weights, "head.last", stride=(2, 1), padding=1).relu()
    return x.flatten(1, 2)


def _dense_layer(x: Tensor, weights: Weights, name: str, dilation: int) -> Tensor:
    inner = _conv(_activated(x, weights, name), weights, f"{name}.narrow").relu()
    local = _conv(inner, weights, f"{name}.local", padding=dilation, dilation=dilation)
    segments = F.avg_pool1d(inner, SEGMENT, SEGMENT, ceil_mode=True)
    segments = segments.repeat_interleave(SEGMENT, dim=2)[..., : inner.shape[2]]
    context = inner.mean(dim=2, keepdim=True) + segments
    mask = _conv(_conv(context, weights, f"{name}.mask1").relu(), weights, f"{name}.mask2").sigmoid()
    return local * mask


def _activated(x: Tensor, weights: Weights, name: str) -> Tensor:
    """Normalised as in training, and what is negative is left out."""
    return (x * weights[f"{name}.gain"][:, None] + weights[f"{name}.shift"][:, None]).relu()


def _conv(x: Tensor, weights: Weights, name: str, **how: Any) -> Tensor:
    convolve = F.conv2d if weights[f"{name}.weight"].ndim == 4 else F.conv1d
    result: Tensor = convolve(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"), **how)
    return result


@functools.cache
def _weights() -> Weights:
    """The network's tensors; a kernel in 8 bits has a scale for each of its outputs."""
    from safetensors.torch import load_file

    with torch.inference_mode(False):  # else gradients could not pass them, if `embed` was their first use
        stored = load_file(hub.pretrained("campplus.safetensors"))
        scales = {
            name.removesuffix(".scale"): stored.pop(name) for name in list(stored) if name.endswith(".scale")
        }
        return {
            name: tensor.float() * scales[name].reshape(-1, *[1] * (tensor.ndim - 1))
            if name in scales
            else tensor
            for name, tensor in stored.items()
        }
