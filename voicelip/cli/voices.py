"""`voicelip voices`: the stock voices."""

from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal

# The first letter of a Kokoro voice tells the language of the person behind it.
SPOKEN_BY = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "j": "ja",
             "p": "pt-br", "z": "zh"}  # fmt: skip


@dataclass(frozen=True)
class StockVoice:
    """A line of the list."""

    voice: str  # as given to --voice
    lang: str  # the speaker's own
    sex: str
    is_default: bool


def voices(
    lang: Annotated[str | None, typer.Option(metavar="LANG", help="Only voices of this language.")] = None,
    as_json: o.Json = False,
) -> None:
    """List the stock voices by language."""
    with Terminal(as_json) as terminal:
        found = [voice for voice in stock() if lang is None or voice.lang == _own_language(lang)]
        if as_json:
            terminal.show_json([asdict(voice) for voice in found])
            return
        for voice in found:
            note = "  default" if voice.is_default else ""
            print(f"{voice.lang:5}  {voice.voice:20}  {voice.sex:6}{note}".rstrip())


def stock() -> list[StockVoice]:
    """Every stock voice, sorted by language; the default one of a language first."""
    from voicelip.speech.voices import DEFAULT_VOICES, stock_voices

    known = stock_voices()
    found = [
        StockVoice(
            f"stock:{name}",
            SPOKEN_BY[name[0]],
            {"f": "female", "m": "male"}[sex],
            name in DEFAULT_VOICES.values(),
        )
        for name, sex in zip(known.names, known.sex, strict=True)
    ]
    order = list(SPOKEN_BY.values())
    return sorted(found, key=lambda voice: (order.index(voice.lang), not voice.is_default, voice.voice))


def _own_language(lang: str) -> str:
    """The language as it stands in the list; Japanese and Chinese people lend their timbre only."""
    from voicelip.speech.phonemes import resolve_language

    return lang if lang in SPOKEN_BY.values() else resolve_language(lang)
