"""`voicelip consent deny`: a list of people whom nobody may use, whatever they agreed to."""

from pathlib import Path
from typing import Annotated

import typer

from voicelip.cli.terminal import Terminal

app = typer.Typer(help="Keep a list of people whose voice or face nobody may use.", no_args_is_help=True)


@app.callback()
def _deny() -> None:
    pass


@app.command()
def add(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The list; made or added to.")],
    voice: Annotated[
        list[Path] | None, typer.Option("--voice", metavar="FILE", help="A recording; repeatable.")
    ] = None,
    face: Annotated[
        list[Path] | None, typer.Option("--face", metavar="CLIP", help="A clip or photo; repeatable.")
    ] = None,
) -> None:
    """Add people to a list; VOICELIP_DENY=FILE makes it count."""
    with Terminal():
        from voicelip.consent.denying import deny_people

        count = deny_people(out, tuple(voice or ()), tuple(face or ()))
        print(f"{out}: {count} voices and faces; set VOICELIP_DENY={out} to refuse them", flush=True)
