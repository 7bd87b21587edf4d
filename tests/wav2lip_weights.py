"""Weights for the published networks that anyone can make: the rule behind the golden outputs."""

import zlib

import numpy as np
import torch
from torch import nn


def by_the_rule(network: nn.Module) -> nn.Module:
    """The weights that the golden outputs were made with: noise whose seed is the entry's name."""
    state = network.state_dict()
    for key, old in state.items():
        if old.is_floating_point():
            noise = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(tuple(old.shape))
            state[key] = torch.from_numpy(_scaled(key, noise.astype(np.float32)))
    network.load_state_dict(state)
    return network.eval()


def _scaled(key: str, x: np.ndarray) -> np.ndarray:
    if x.ndim == 4:
        x = x * np.sqrt(1.3 / np.prod(x.shape[1:]))
    elif key.endswith("running_var"):
        x = 1 + 0.1 * np.abs(x)
    elif key.endswith("running_mean"):
        x = 0.1 * x
    elif key.endswith("weight"):
        x = 1 + 0.1 * x
    else:
        x = 0.05 * x
    return x.astype(np.float32)
