"""Voices and faces that an organisation lets nobody use, whatever a consent record says.

`VOICELIP_DENY` names the list: a JSON file of what they are known again by.
"""

import json
import os
from pathlib import Path
from typing import Any

from voicelip.errors import ConsentError
from voicelip.trust.likeness import Likeness

VARIABLE = "VOICELIP_DENY"
KIND = "voicelip deny list"
_LARGEST = 64 << 20  # bytes


def is_configured() -> bool:
    return bool(os.environ.get(VARIABLE))


def denied() -> tuple[Likeness, ...]:
    """Everybody on the configured list. One that cannot be read is an error: nobody could be refused."""
    configured = os.environ.get(VARIABLE)
    return read(Path(configured).expanduser()) if configured else ()


def refuse(likeness: Likeness, name: str) -> None:
    """Raise ConsentError if that is somebody on the list; `name` is what the user called the recording."""
    if any(likeness.is_same(each) for each in denied()):
        raise ConsentError(
            f"{name}: this {likeness.kind} is on your organisation's deny list ({VARIABLE}), which no "
            "consent overrules; use somebody else's, or ask whoever keeps the list",
            "denied",
        )


def read(path: Path) -> tuple[Likeness, ...]:
    """The list in a file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        plain = json.loads(path.read_bytes())
        if plain["kind"] != KIND:
            raise ValueError("not of this kind")
        return tuple(
            Likeness.from_dict(kind, each) for kind in ("voice", "face") for each in plain[f"{kind}s"]
        )
    except OSError as failure:
        raise ConsentError(
            f"{path}: the deny list cannot be read ({failure.strerror}); correct {VARIABLE}", "deny list"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ConsentError(
            f"{path}: is no deny list that can be read; correct {VARIABLE}, or make one with "
            "`voicelip consent deny add`",
            "deny list",
        ) from None


def write(path: Path, people: tuple[Likeness, ...]) -> None:
    """A list in a file, replaced whole."""
    plain: dict[str, Any] = {"kind": KIND, "format": 1, "voices": [], "faces": []}
    for each in people:
        plain[f"{each.kind}s"].append(each.to_dict())
    from voicelip.trust.keys import write_private

    write_private(path, json.dumps(plain, indent=1).encode())
