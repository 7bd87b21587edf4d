"""Batch norms folded into their convolutions: the same function with fewer passes over the pixels."""

from typing import Any, TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from voicelip.lips.wav2lip.blocks import Conv, UpConv

Network = TypeVar("Network", bound=nn.Module)


def fold(network: Network) -> Network:
    """Fold in place and return `network`, which must be in evaluation mode; afterwards it cannot learn."""
    for block in network.modules():
        if isinstance(block, Conv | UpConv):
            convolution: Any = block.conv_block[0]
            norm: Any = block.conv_block[1]
            transposed = isinstance(block, UpConv)
            block.conv_block = nn.Sequential(fuse_conv_bn_eval(convolution, norm, transposed))
    return network
