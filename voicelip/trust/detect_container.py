"""What a file tells of its past without meaning to: the software that encoded and packed it.

All of it can be forged and nearly all of it is lost in re-encoding, so that it is told and never held against
a file.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicelip.errors import VoicelipError
from voicelip.media.container import open_container
from voicelip.media.failures import reading

_SETTINGS = re.compile(rb"(x26[45]) - core (\d+)([ -~]{0,2000})")
_CAMERA_TAGS = {
    "make",
    "model",
    "com.apple.quicktime.make",
    "com.apple.quicktime.model",
    "com.android.version",
}
_READ_BYTES = 1 << 20
_LONGEST = 60


@dataclass(frozen=True)
class History:
    """`encoders`: every software named in the file; `rate_factor`: x264's crf, if it was kept; `camera`: make
    and model; `made`: the time of recording that the container states.
    """

    encoders: tuple[str, ...] = ()
    rate_factor: float | None = None
    camera: str = ""
    made: str = ""

    @property
    def is_edited(self) -> bool:
        """Whether software rather than a camera wrote it."""
        return bool(self.encoders) and not self.camera

    @property
    def times_encoded(self) -> int:
        """How often at least, going by the different encoders named: one that packs is not counted."""
        return len({each.split()[0] for each in self.encoders if not each.startswith(("Lavf", "mov"))})

    @property
    def text(self) -> str:
        """For people, in one line."""
        parts = [f"written by {', '.join(self.encoders)}"] if self.encoders else []
        parts += [f"at quality {self.rate_factor:g}"] if self.rate_factor is not None else []
        parts += [f"recorded with {self.camera}"] if self.camera else []
        parts += [f"dated {self.made}"] if self.made else []
        return ", ".join(parts) or "nothing is told"


def history(path: Path) -> History:
    """Of a media file; empty where it says nothing or cannot be read."""
    try:
        with reading(path), open_container(path) as container:
            tags = _tags(container)
        with path.open("rb") as file:
            content = file.read(_READ_BYTES)
    except (VoicelipError, OSError):
        return History()
    settings = _SETTINGS.search(content)
    named = [text for name, text in tags if name in ("encoder", "encoded_by", "software")]
    if settings:
        named.append(f"{settings[1].decode()} {settings[2].decode()}")
    camera = " ".join(dict.fromkeys(text for name, text in tags if name in _CAMERA_TAGS))
    made = next((text for name, text in tags if name == "creation_time"), "")
    return History(tuple(dict.fromkeys(named)), _rate_factor(settings), camera, made)


def _tags(container: Any) -> list[tuple[str, str]]:
    """Names in small letters, and printable values, of the container and its streams."""
    pairs = [pair for each in (container, *container.streams) for pair in each.metadata.items()]
    return [
        (name.lower(), "".join(letter for letter in value if letter.isprintable())[:_LONGEST])
        for name, value in pairs
    ]


def _rate_factor(settings: "re.Match[bytes] | None") -> float | None:
    found = re.search(rb"crf=(\d+\.?\d*)", settings[3]) if settings else None
    return float(found[1]) if found else None
