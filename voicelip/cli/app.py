"""The commands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicelip import __version__
from voicelip.cli import adapt as faces
from voicelip.cli import evaluate, failures, models
from voicelip.cli import options as o
from voicelip.cli.batch import batch
from voicelip.cli.consent import app as consent_app
from voicelip.cli.demo import demo
from voicelip.cli.doctor import doctor
from voicelip.cli.dub import dub
from voicelip.cli.review import review
from voicelip.cli.terminal import Terminal
from voicelip.cli.text import read_text
from voicelip.cli.verify import VerifyCommand, verify
from voicelip.cli.voice import app as voice_app
from voicelip.cli.voices import voices

if TYPE_CHECKING:
    from voicelip.pipeline import LipsyncOptions

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
def say(
    voice: o.Voice,
    face: o.Face,
    out: o.Out,
    text: o.Text = None,
    text_file: o.TextFile = None,
    lang: o.Lang = "en",
    speed: o.Speed = 1.0,
    engine: o.Engine = "kokoro",
    model_dir: o.ModelDir = None,
    finish: o.Finish = True,
    when_short: o.Short = o.WhenShort.bounce,
    when_long: o.Long = o.WhenLong.cut,
    face_index: o.FaceIndex = None,
    face_like: o.FaceLike = None,
    strength: o.Strength = 1.0,
    static: o.Static = False,
    detector: o.Detector = "mesh",
    lips: o.Lips = "embedded",
    adapted: o.AdaptedTo = "auto",
    pads: o.Pads = (0, 10, 0, 0),
    box: o.FaceBox = None,
    nosmooth: o.NoSmooth = False,
    paste: o.PasteHow = o.Paste.mouth,
    device: o.Device = "auto",
    crf: o.Crf = 18,
    preset: o.Preset = "veryfast",
    label: o.Label = False,
    srt: o.Srt = None,
    consent: o.Consent = None,
    purpose: o.Purpose = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Text, a voice and a face in; a talking-head video out."""
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip import pipeline

        options = _lipsync_options(
            when_short, when_long, face_index, face_like, strength, static, detector, lips, adapted,
            _wav2lip_options(pads, box, nosmooth, paste), device, crf, preset, label,
        )  # fmt: skip
        result = pipeline.say(
            read_text(text, text_file), voice=voice, face=face, out=out, lang=lang, speed=speed,
            engine=engine, model_dir=model_dir, srt=srt, finish=finish,
            options=options, agreement=o.agreement(consent, purpose), overwrite=overwrite,
            progress=terminal.progress,
        )  # fmt: skip
        terminal.show(result)


@app.command()
def lipsync(
    face: o.Face,
    audio: o.Sound,
    out: o.Out,
    when_short: o.Short = o.WhenShort.bounce,
    when_long: o.Long = o.WhenLong.cut,
    face_index: o.FaceIndex = None,
    face_like: o.FaceLike = None,
    strength: o.Strength = 1.0,
    static: o.Static = False,
    detector: o.Detector = "mesh",
    lips: o.Lips = "embedded",
    adapted: o.AdaptedTo = "auto",
    pads: o.Pads = (0, 10, 0, 0),
    box: o.FaceBox = None,
    nosmooth: o.NoSmooth = False,
    paste: o.PasteHow = o.Paste.mouth,
    device: o.Device = "auto",
    crf: o.Crf = 18,
    preset: o.Preset = "veryfast",
    label: o.Label = False,
    consent: o.Consent = None,
    purpose: o.Purpose = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """A face and any recorded speech in; a video with the lips to match out."""
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip import pipeline

        options = _lipsync_options(
            when_short, when_long, face_index, face_like, strength, static, detector, lips, adapted,
            _wav2lip_options(pads, box, nosmooth, paste), device, crf, preset, label,
        )  # fmt: skip
        result = pipeline.lipsync(
            face=face, audio=audio, out=out, options=options, agreement=o.agreement(consent, purpose),
            overwrite=overwrite, progress=terminal.progress,
        )  # fmt: skip
        terminal.show(result)


@app.command()
def speak(
    voice: o.Voice,
    out: o.Out,
    text: o.Text = None,
    text_file: o.TextFile = None,
    lang: o.Lang = "en",
    speed: o.Speed = 1.0,
    engine: o.Engine = "kokoro",
    model_dir: o.ModelDir = None,
    device: o.Device = "auto",
    finish: o.Finish = True,
    srt: o.Srt = None,
    consent: o.Consent = None,
    purpose: o.Purpose = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Text and a voice in; a sound file out."""
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip import pipeline

        result = pipeline.speak(
            read_text(text, text_file), voice=voice, out=out, lang=lang, speed=speed, engine=engine,
            model_dir=model_dir, device=device, srt=srt,
            finish=finish, agreement=o.agreement(consent, purpose), overwrite=overwrite,
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


def _lipsync_options(
    when_short: o.WhenShort, when_long: o.WhenLong, face_index: int | None, face_like: Path | None,
    strength: float, static: bool, detector: str, lips: str, adapted: str, lips_options: object,
    device: str, crf: int, preset: str, label: bool,
) -> "LipsyncOptions":  # fmt: skip
    from voicelip.pipeline import LipsyncOptions

    return LipsyncOptions(
        when_short=when_short.value,
        when_long=when_long.value,
        face_index=face_index,
        face_like=face_like,
        strength=strength,
        static=static,
        detector=detector,
        lips=lips,
        adapted=adapted,
        lips_options=lips_options,
        device=device,
        crf=crf,
        preset=preset,
        label=label,
    )


def _wav2lip_options(
    pads: tuple[int, int, int, int], box: tuple[int, int, int, int] | None, nosmooth: bool, paste: o.Paste
) -> object | None:
    """None where nothing was chosen, so that generators without such options need not refuse them."""
    from voicelip.lips.wav2lip.options import Wav2LipOptions

    chosen = Wav2LipOptions(pads, box, not nosmooth, paste.value)
    return None if chosen == Wav2LipOptions() else chosen
