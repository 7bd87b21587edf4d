"""The generator's lower half only: what is above the nose is not pasted, and costs a third of the work.

A 3x3 convolution spoils one row at a cut edge and an up-convolution none, so each stage starts as many rows
higher as it has such convolutions. The rows that come out are the whole network's.
"""

import torch

from voicelip.lips.wav2lip.generator_net import Generator
from voicelip.lips.wav2lip.layouts import Layout


def draw_lower_half(network: Generator, mel: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
    """As `network(mel, face)`, but only the rows from the middle on: (B, 3, S / 2, S)."""
    firsts = first_rows(network.layout)
    features = []
    for block in network.face_encoder_blocks:
        face = block(face)
        features.append(face)
    x, top = network.audio_encoder(mel), 0
    for index, block in enumerate(network.face_decoder_blocks):
        if index in firsts:
            first = firsts[index]
            x, top = x[:, :, first - top :], 2 * first
        x = torch.cat((block(x), features.pop()[:, :, top:]), dim=1)
    return network.output_block(x)[:, :, network.layout.px // 2 - top :]


def first_rows(layout: Layout) -> dict[int, int]:
    """Decoder stage → first row of its input that is needed, for the stages that need not all."""
    needed, firsts = layout.px // 2 - 1, {}  # one row for the output's own convolution
    for index, up in reversed(list(enumerate(layout.ups, start=2))):
        needed = (needed - up.residuals) // 2
        if needed <= 0:
            break
        firsts[index] = needed
    return firsts
