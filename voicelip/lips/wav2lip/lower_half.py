"""The generator's lower half only: what is above the nose is not pasted, and costs a third of the work.

A 3x3 convolution spoils one row at a cut edge and an up-convolution none, so each block starts two rows
higher than the next one needs. The rows that come out are the whole network's.
"""

import torch

from voicelip.lips.wav2lip.generator_net import FACE_PX, Generator

LOWER_ROWS = FACE_PX // 2
_FIRST_ROWS = {3: 1, 4: 4, 5: 10, 6: 22}  # decoder block → first row of its input that is needed


def draw_lower_half(network: Generator, mel: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
    """As `network(mel, face)`, but only rows 48 to 95: (B, 3, 48, 96)."""
    features = []
    for block in network.face_encoder_blocks:
        face = block(face)
        features.append(face)
    x, top = network.audio_encoder(mel), 0
    for index, block in enumerate(network.face_decoder_blocks):
        if index in _FIRST_ROWS:
            first = _FIRST_ROWS[index]
            x, top = x[:, :, first - top :], 2 * first
        x = torch.cat((block(x), features.pop()[:, :, top:]), dim=1)
    return network.output_block(x)[:, :, LOWER_ROWS - top :]
