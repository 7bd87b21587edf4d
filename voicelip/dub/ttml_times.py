"""TTML's times in frames and ticks as hours, minutes, seconds and milliseconds (TTML2, 12.3.1)."""

import re
from fractions import Fraction

_TIME = re.compile(r'\b(begin|end|dur)="([^"]*)"')
_FRAMES = re.compile(r"(\d+):(\d{2}):(\d{2}):(\d+)")
_COUNT = re.compile(r"(\d+(?:\.\d+)?)([ft])")


def in_milliseconds(text: str) -> str:
    """The same document with such times as hh:mm:ss.mmm; others stay as they are."""
    rate = _rate(text)
    ticks = Fraction(_attribute(text, "tickRate") or 1)
    return _TIME.sub(lambda found: f'{found.group(1)}="{_plain(found.group(2), rate, ticks)}"', text)


def _rate(text: str) -> Fraction:
    """Frames per second."""
    rate = Fraction(_attribute(text, "frameRate") or 30)
    up, down = (_attribute(text, "frameRateMultiplier") or "1 1").split()
    return rate * Fraction(int(up), int(down))


def _attribute(text: str, name: str) -> str | None:
    found = re.search(rf'\bttp:{name}="([\d ]+)"', text)
    return found.group(1) if found else None


def _plain(time: str, rate: Fraction, ticks: Fraction) -> str:
    if found := _FRAMES.fullmatch(time.strip()):
        hours, minutes, seconds, frames = map(int, found.groups())
        return _clock(3600 * hours + 60 * minutes + seconds + frames / rate)
    if found := _COUNT.fullmatch(time.strip()):
        return _clock(Fraction(found.group(1)) / (rate if found.group(2) == "f" else ticks))
    return time


def _clock(seconds: Fraction) -> str:
    total = round(seconds * 1000)
    hours, minutes = total // 3_600_000, total // 60_000 % 60
    return f"{hours:02d}:{minutes:02d}:{total // 1000 % 60:02d}.{total % 1000:03d}"
