"""What can be chosen of `--lips wav2lip:…`, under the names that its users know."""

from dataclasses import dataclass
from typing import Literal

from voicelip.errors import OptionError

Sides = tuple[int, int, int, int]


@dataclass(frozen=True)
class Wav2LipOptions:
    """The defaults are the published ones, but for the paste."""

    pads: Sides = (0, 10, 0, 0)  # px added to the face's box: top, bottom, left, right
    box: Sides | None = None  # top, bottom, left, right in px, for all frames; no face is looked for then
    smooth: bool = True  # boxes averaged over five frames
    paste: Literal["mouth", "hard"] = "mouth"  # the mouth alone, feathered, or the whole box as published

    def __post_init__(self) -> None:
        if self.paste not in ("mouth", "hard"):
            raise OptionError(f"paste {self.paste!r} is not known; choose mouth or hard")
        if self.box is not None:
            top, bottom, left, right = self.box
            if min(self.box) < 0 or bottom - top < 2 or right - left < 2:
                raise OptionError(f"box {self.box} is none; give top, bottom, left and right in px")
