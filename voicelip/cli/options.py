"""The options that several commands share."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicelip.consent.asking import Agreement

LANGUAGES = "en-us (en), en-gb, es, fr-fr (fr), hi, it, pt-br (pt)"


class WhenShort(str, Enum):
    """What fills the time when the clip is shorter than the speech."""

    bounce = "bounce"
    hold = "hold"


class WhenLong(str, Enum):
    """What happens when the clip is longer than the speech."""

    cut = "cut"
    keep = "keep"


class Paste(str, Enum):
    """What of Wav2Lip's face is put into the frame."""

    mouth = "mouth"
    hard = "hard"


_SPEECH, _PICTURE, _OUTPUT = "Speech", "Picture", "Output"

Text = Annotated[
    str | None,
    typer.Argument(help="What is to be said; - reads stdin, @FILE a text file.", show_default=False),
]
TextFile = Annotated[
    Path | None, typer.Option("--text-file", metavar="FILE", help="Read the text from a file.",
                              rich_help_panel=_SPEECH)
]  # fmt: skip
Voice = Annotated[
    str,
    typer.Option(
        metavar="VOICE",
        help="A voice made with `voicelip voice add`, a recording of 2 s to 5 min, or stock:NAME "
        "(see `voicelip voices`).",
        rich_help_panel=_SPEECH,
    ),
]
Face = Annotated[
    str,
    typer.Option(
        metavar="CLIP", help="A video or photo of the person, or stock:presenter.", rich_help_panel=_PICTURE
    ),
]
Sound = Annotated[
    Path, typer.Option("--audio", metavar="FILE", help="The speech: any sound or video file.",
                       rich_help_panel=_SPEECH)
]  # fmt: skip
Lang = Annotated[
    str, typer.Option(metavar="LANG", help=f"The text's language: {LANGUAGES}.", rich_help_panel=_SPEECH)
]
Speed = Annotated[float, typer.Option(metavar="X", help="Pace of speech, 0.5 to 2.", rich_help_panel=_SPEECH)]
Engine = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Speech engine: kokoro, xtts, coqui:MODEL_FOLDER.", rich_help_panel=_SPEECH
    ),
]
Finish = Annotated[
    bool,
    typer.Option(
        "--finish/--no-finish",
        help="Bring a real person's voice to the colour of the reference.",
        rich_help_panel=_SPEECH,
    ),
]
ModelDir = Annotated[
    Path | None,
    typer.Option("--model-dir", metavar="FOLDER", help="The engine's model: for xtts, XTTS-v2's folder.",
                 rich_help_panel=_SPEECH),
]  # fmt: skip
Srt = Annotated[
    Path | None,
    typer.Option("--srt", metavar="FILE", help="Write subtitles too (.srt, .vtt, .ass).",
                 rich_help_panel=_OUTPUT),
]  # fmt: skip
Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write.", rich_help_panel=_OUTPUT)
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it exists.", rich_help_panel=_OUTPUT)
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object.", rich_help_panel=_OUTPUT)
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Time of each stage; details of errors.", rich_help_panel=_OUTPUT),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=_OUTPUT)
]
Short = Annotated[
    WhenShort,
    typer.Option(
        "--when-short",
        help="Clip shorter than the speech: play it back and forth, or hold its last frame.",
        rich_help_panel=_PICTURE,
    ),
]
Long = Annotated[
    WhenLong,
    typer.Option(
        "--when-long",
        help="Clip longer than the speech: cut it, or keep it to its end.",
        rich_help_panel=_PICTURE,
    ),
]
FaceIndex = Annotated[
    int | None,
    typer.Option(
        "--face-index",
        metavar="N",
        help="Which of several faces, from the left, 0 first; else the largest.",
        rich_help_panel=_PICTURE,
    ),
]
FaceLike = Annotated[
    Path | None,
    typer.Option(
        "--face-like", metavar="PHOTO", help="The face that looks most like a photo.",
        rich_help_panel=_PICTURE,
    ),
]  # fmt: skip
Strength = Annotated[
    float,
    typer.Option(metavar="X", help="How far the mouth moves; 1 is as measured.", rich_help_panel=_PICTURE),
]
Static = Annotated[
    bool,
    typer.Option("--static", help="Use the clip's first frame only, as a photo.", rich_help_panel=_PICTURE),
]
Detector = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Face detector: mesh, or face-alignment[-3d][:FOLDER].", rich_help_panel=_PICTURE
    ),
]
Lips = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Lip generator: embedded, wav2lip:CHECKPOINT, wav2lip or wav2lip-gan.",
        rich_help_panel=_PICTURE,
    ),
]
AdaptedTo = Annotated[
    str,
    typer.Option(
        "--adapted",
        metavar="NAME",
        help="A face of `voicelip faces`; auto: the one that the clip shows; none: nobody's.",
        rich_help_panel=_PICTURE,
    ),
]
_CONSENT = "Consent"
Consent = Annotated[
    list[Path] | None,
    typer.Option(
        "--consent",
        metavar="FILE",
        help="A consent record besides those kept here (`voicelip consent list`); repeatable.",
        rich_help_panel=_CONSENT,
        show_default=False,
    ),
]
Purpose = Annotated[
    str | None,
    typer.Option(
        "--purpose",
        metavar="TEXT",
        help="What the result is for; the consent must name it.",
        rich_help_panel=_CONSENT,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Where models in torch run: auto, cpu, cuda, cuda:N or mps.",
        rich_help_panel=_PICTURE,
    ),
]
_WAV2LIP = "With --lips wav2lip"
Pads = Annotated[
    tuple[int, int, int, int],
    typer.Option(
        metavar="TOP BOTTOM LEFT RIGHT", help="px added to the face's box.", rich_help_panel=_WAV2LIP
    ),
]
FaceBox = Annotated[
    tuple[int, int, int, int] | None,
    typer.Option(
        "--box",
        metavar="TOP BOTTOM LEFT RIGHT",
        help="The face's box in px, for all frames; no face is looked for then.",
        rich_help_panel=_WAV2LIP,
    ),
]
NoSmooth = Annotated[
    bool, typer.Option("--nosmooth", help="Boxes as detected, not averaged.", rich_help_panel=_WAV2LIP)
]
PasteHow = Annotated[
    Paste,
    typer.Option(
        "--paste", help="The mouth alone, feathered, or the whole box hard.", rich_help_panel=_WAV2LIP
    ),
]
Crf = Annotated[
    int,
    typer.Option(metavar="N", help="H.264 quality, 0 (lossless) to 51.", rich_help_panel=_OUTPUT),
]
Label = Annotated[
    bool,
    typer.Option("--label", help="Draw a small mark, AI, in the picture's corner.", rich_help_panel=_OUTPUT),
]
Preset = Annotated[
    str,
    typer.Option(metavar="NAME", help="H.264 effort, ultrafast to veryslow.", rich_help_panel=_OUTPUT),
]


def agreement(records: list[Path] | None, purpose: str | None) -> "Agreement":
    """What the user says about consent, as the package takes it."""
    from voicelip.consent.asking import Agreement

    return Agreement(tuple(records or ()), purpose)
