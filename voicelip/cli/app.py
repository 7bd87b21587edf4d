"""The commands."""

from typing import Annotated

import typer

from voicelip import __version__
from voicelip.cli import adapt as faces
from voicelip.cli import evaluate, failures, groups, models
from voicelip.cli import options as o
from voicelip.cli.batch import batch
from voicelip.cli.consent import app as consent_app
from voicelip.cli.demo import demo
from voicelip.cli.doctor import doctor
from voicelip.cli.dub import dub
from voicelip.cli.review import review
from voicelip.cli.text import read_text
from voicelip.cli.verify import VerifyCommand, verify
from voicelip.cli.voice import app as voice_app
from voicelip.cli.voices import voices

_EXIT_CODES = ", ".join(f"{code} {meaning}" for code, meaning in failures.exit_codes().items())

app = typer.Typer(
    name="voicelip",
    help="Say text in a person's voice, with their own footage and the lips to match.",
    epilog=f"Exit codes: {_EXIT_CODES}.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _voicelip(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True,
                                          callback=lambda wanted: _show_version(wanted))] = False,
) -> None:  # fmt: skip
    pass


@app.command()
@groups.flat
def say(
    voice: o.Voice,
    face: o.Face,
    out: o.Out,
    *,
    text: o.Text = None,
    text_file: o.TextFile = None,
    lang: o.Lang = "en",
    speed: o.Speed = 1.0,
    voicing: groups.Voicing,
    footage: groups.Footage,
    mouth: groups.Mouth,
    wav2lip: groups.Wav2Lip,
    video: groups.Video,
    srt: o.Srt = None,
    consented: groups.Consented,
    overwrite: o.Overwrite = False,
    report: groups.Report,
) -> None:
    """Text, a voice and a face in; a talking-head video out."""
    with report.terminal() as terminal:
        from voicelip import pipeline

        result = pipeline.say(
            read_text(text, text_file), voice=voice, face=face, out=out, lang=lang, speed=speed, srt=srt,
            **vars(voicing), options=groups.lipsync_options(footage, mouth, wav2lip, video),
            agreement=consented.agreement, overwrite=overwrite, progress=terminal.progress,
        )  # fmt: skip
        terminal.show(result)


@app.command()
@groups.flat
def lipsync(
    face: o.Face,
    audio: o.Sound,
    out: o.Out,
    *,
    footage: groups.Footage,
    mouth: groups.Mouth,
    wav2lip: groups.Wav2Lip,
    video: groups.Video,
    consented: groups.Consented,
    overwrite: o.Overwrite = False,
    report: groups.Report,
) -> None:
    """A face and any recorded speech in; a video with the lips to match out."""
    with report.terminal() as terminal:
        from voicelip import pipeline

        result = pipeline.lipsync(
            face=face, audio=audio, out=out,
            options=groups.lipsync_options(footage, mouth, wav2lip, video),
            agreement=consented.agreement, overwrite=overwrite, progress=terminal.progress,
        )  # fmt: skip
        terminal.show(result)


@app.command()
@groups.flat
def speak(
    voice: o.Voice,
    out: o.Out,
    *,
    text: o.Text = None,
    text_file: o.TextFile = None,
    lang: o.Lang = "en",
    speed: o.Speed = 1.0,
    voicing: groups.Voicing,
    device: o.Device = "auto",
    srt: o.Srt = None,
    consented: groups.Consented,
    overwrite: o.Overwrite = False,
    report: groups.Report,
) -> None:
    """Text and a voice in; a sound file out."""
    with report.terminal() as terminal:
        from voicelip import pipeline

        result = pipeline.speak(
            read_text(text, text_file), voice=voice, out=out, lang=lang, speed=speed, srt=srt,
            **vars(voicing), device=device, agreement=consented.agreement, overwrite=overwrite,
            progress=terminal.progress,
        )  # fmt: skip
        terminal.show(result)


app.command()(dub)
app.command()(batch)
app.command()(review)
app.command()(demo)
app.command()(voices)
app.command(cls=VerifyCommand)(verify)
app.add_typer(voice_app, name="voice")
app.add_typer(consent_app, name="consent")
app.command()(faces.adapt)
app.add_typer(faces.app, name="faces")
app.add_typer(models.app, name="models")
app.add_typer(evaluate.app, name="evaluate")
app.command()(doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"voicelip {__version__}")
        raise typer.Exit
