"""Licences of model weights that forbid some uses: shown, and accepted by the user once, before anything is
loaded.

Acceptance is a deed of its own (`voicelip models accept NAME`, or the name in VOICELIP_ACCEPT); nothing asks
in the middle of a run. It is kept in the application's folder.
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from voicelip.errors import TermsError, UnknownNameError
from voicelip.home import home


@dataclass(frozen=True)
class Terms:
    """The `licence` a model is under, in `summary` what it forbids, at `url` the words themselves."""

    licence: str
    summary: str
    url: str


_WAV2LIP = Terms(
    "research, academic and personal use only",
    "trained on LRS2: neither the weights nor what they make may be used commercially",
    "https://github.com/Rudrabha/Wav2Lip#license-and-citation",
)
TERMS = {
    "wav2lip": _WAV2LIP,
    "wav2lip-gan": _WAV2LIP,
    "xtts-v2": Terms(
        "Coqui Public Model License 1.0.0",
        "non-commercial use only, of the weights and of what they speak",
        "https://coqui.ai/cpml",
    ),
}


def accept(name: str) -> Terms:
    """Record that the user accepts the terms of the model `name`."""
    if name not in TERMS:
        raise UnknownNameError(f"no model called {name!r} has terms to accept; known: {', '.join(TERMS)}")
    dates = {**_recorded(), name: datetime.now(timezone.utc).isoformat(timespec="seconds")}
    _file().parent.mkdir(parents=True, exist_ok=True)
    _file().write_text(json.dumps(dates, indent=2))
    return TERMS[name]


def accepted_on(name: str) -> str:
    """When the terms of `name` were accepted; empty if they were not."""
    named = [each.strip() for each in os.environ.get("VOICELIP_ACCEPT", "").split(",")]
    return "VOICELIP_ACCEPT" if name in named else str(_recorded().get(name, ""))


def require(name: str) -> None:
    """Raise TermsError, with the terms and what to do, unless they were accepted; models without any pass."""
    if name in TERMS and not accepted_on(name):
        terms = TERMS[name]
        raise TermsError(
            f"{name} is under terms of its own ({terms.licence}: {terms.summary}; {terms.url}); "
            f"if you accept them run `voicelip models accept {name}`"
        )


def _file() -> Path:
    return home() / "accepted_terms.json"


def _recorded() -> dict[str, str]:
    try:
        return dict(json.loads(_file().read_text()))
    except (OSError, ValueError):
        return {}
