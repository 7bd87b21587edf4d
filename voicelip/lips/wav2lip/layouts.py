"""How the generators in common use are built: the published one at 96 px, and two larger ones made after it.

What a channel count, a kernel or a PReLU tells stands in the state dict; strides and residuals do not, so
only these layouts can be loaded. Sources: the code of Rudrabha/Wav2Lip (96 px), of lipku/LiveTalking (256 px,
`wav2lip256.pth`) and of primepake/wav2lip_288x288 (288 px, the version with PReLU).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Down:
    """An encoder stage: half the size, then `residuals` residual blocks."""

    outputs: int
    residuals: int
    kernel: int = 3


@dataclass(frozen=True)
class Up:
    """A decoder stage: twice the size (one less unless `even`), then `residuals` residual blocks."""

    outputs: int
    residuals: int
    even: bool = True


@dataclass(frozen=True)
class Layout:
    """`px` the face's side; `heads` the kernels that bring the smallest feature to one px; `prelu` learnt
    slopes instead of ReLU.
    """

    px: int
    downs: tuple[Down, ...]
    heads: tuple[int, ...]
    ups: tuple[Up, ...]
    prelu: bool = False


_TO_FULL = (Up(384, 2), Up(256, 2), Up(128, 2), Up(64, 2))

PUBLISHED = Layout(
    96,
    (Down(32, 2), Down(64, 3), Down(128, 2), Down(256, 2), Down(512, 1)),
    (3,),
    (Up(512, 2), *_TO_FULL),
)
LIVE_256 = Layout(
    256,
    (Down(32, 2), Down(64, 3), Down(128, 2), Down(256, 2), Down(512, 1), Down(512, 1)),
    (4,),
    (Up(512, 1), Up(512, 2), *_TO_FULL),
)
PRELU_288 = Layout(
    288,
    (Down(32, 1, kernel=5), Down(32, 2), Down(64, 3), Down(128, 2), Down(256, 2), Down(512, 1)),
    (3, 3),
    (Up(512, 2, even=False), Up(512, 2, even=False), *_TO_FULL, Up(64, 2)),
    prelu=True,
)
LAYOUTS = (PUBLISHED, LIVE_256, PRELU_288)
