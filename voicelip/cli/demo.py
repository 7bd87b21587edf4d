"""`voicelip demo`: the whole way from a sentence to a talking presenter, with nothing to prepare."""

from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from voicelip.cli import groups
from voicelip.cli import options as o

PRESENTER = "stock:presenter"

_ENGLISH = (
    "Hello! I do not exist: my face was rendered, my voice was made from this sentence, "
    "and my lips were drawn to match."
)
SENTENCES = {
    "en-us": _ENGLISH,
    "en-gb": _ENGLISH,
    "es": "¡Hola! Yo no existo: mi voz nació de esta frase y mis labios se dibujaron en tu ordenador.",
    "fr-fr": "Bonjour ! Je n'existe pas : ma voix vient de cette phrase, et mes lèvres sont dessinées ici.",
    "hi": "नमस्ते! मैं असल में नहीं हूँ। मेरी आवाज़ इसी वाक्य से बनी है।",
    "it": "Ciao! Io non esisto: la mia voce nasce da questa frase e le mie labbra sono disegnate qui.",
    "pt-br": "Olá! Eu não existo: minha voz nasceu desta frase e meus lábios foram desenhados aqui.",
}

DemoText = Annotated[
    str | None,
    typer.Option("--text", metavar="TEXT", help="What the presenter says.", rich_help_panel="Speech"),
]
DemoOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="The file to write; else demo.mp4 here, or demo-2.mp4 and so on when that exists.",
        rich_help_panel="Output",
    ),
]


@groups.flat
def demo(
    *,
    text: DemoText = None,
    lang: o.Lang = "en",
    out: DemoOut = None,
    label: o.Label = False,
    overwrite: o.Overwrite = False,
    report: groups.Report,
) -> None:
    """Let the bundled presenter say a sentence: writes demo.mp4."""
    with report.terminal() as terminal:
        from voicelip import pipeline
        from voicelip.speech.phonemes import resolve_language

        result = pipeline.say(
            SENTENCES[resolve_language(lang)] if text is None else text,
            voice=PRESENTER,
            face=PRESENTER,
            out=out or _unused(overwrite),
            lang=lang,
            options=pipeline.LipsyncOptions(label=label),
            overwrite=overwrite,
            progress=terminal.progress,
        )
        terminal.show(result)


def _unused(overwrite: bool) -> Path:
    """demo.mp4, or the first of demo-2.mp4, demo-3.mp4 … that does not exist: a demo must not cost a file."""
    first = Path("demo.mp4")
    if overwrite or not first.exists():
        return first
    return next(path for number in count(2) if not (path := Path(f"demo-{number}.mp4")).exists())
