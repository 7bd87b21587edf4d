"""`voicelip dub`: a clip and its translated subtitles in, a finished dub out; or a clip's own subtitles."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicelip.cli import failures, groups
from voicelip.cli import options as o
from voicelip.cli import review as checks
from voicelip.cli.terminal import Terminal
from voicelip.errors import OptionError

if TYPE_CHECKING:
    from voicelip.dub.diarise import Speakers as SpeakerCount
    from voicelip.dub.options import DubResult

_SUBS, _TIME, _SOUND, _OUTPUT = "Subtitles and cast", "Timing", "Sound", "Output"


class FitTo(str, Enum):
    """What gives way when speech is longer than its time."""

    speech = "speech"
    video = "video"


class BedKind(str, Enum):
    """What becomes of the clip's own sound under the dub."""

    duck = "duck"
    separate = "separate"
    none = "none"


Clip = Annotated[Path, typer.Argument(metavar="CLIP", help="The video to dub.", show_default=False)]
Subs = Annotated[
    Path | None,
    typer.Option("--subs", metavar="FILE", help="The translated subtitles: .srt, .vtt, .ass or .ttml.",
                 rich_help_panel=_SUBS),
]  # fmt: skip
CastFile = Annotated[
    Path | None,
    typer.Option("--cast", metavar="FILE", help="YAML: the voice, face and language of each speaker.",
                 rich_help_panel=_SUBS),
]  # fmt: skip
Transcribe = Annotated[
    bool,
    typer.Option("--transcribe", help="Write the clip's own subtitles instead of dubbing it.",
                 rich_help_panel=_SUBS),
]  # fmt: skip
Speakers = Annotated[
    str | None,
    typer.Option(metavar="N", help="With --transcribe: name the speakers; how many there are, or auto.",
                 rich_help_panel=_SUBS),
]  # fmt: skip
DubLang = Annotated[
    str | None,
    typer.Option("--lang", metavar="LANG", rich_help_panel=_SUBS,
                 help=f"The subtitles' language: {o.LANGUAGES}. With --transcribe the clip's, or found out."),
]  # fmt: skip
DubVoice = Annotated[
    str | None,
    typer.Option("--voice", metavar="VOICE", rich_help_panel=_SUBS,
                 help="Of all speakers to whom the cast gives none: a profile, a recording, stock:NAME."),
]  # fmt: skip
Fit = Annotated[
    FitTo,
    typer.Option("--fit", help="Speech that is too long is hastened, or the picture slowed before.",
                 rich_help_panel=_TIME),
]  # fmt: skip
Fastest = Annotated[
    float, typer.Option(metavar="X", help="The engine's greatest speed.", rich_help_panel=_TIME)
]
MostStretch = Annotated[
    float,
    typer.Option("--stretch", metavar="X", help="How much faster the sound may be made on top.",
                 rich_help_panel=_TIME),
]  # fmt: skip
Slowest = Annotated[
    float,
    typer.Option(metavar="X", help="With --fit video: how much longer the picture may last.",
                 rich_help_panel=_TIME),
]  # fmt: skip
Background = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Music and effects without speech, as long as the clip.",
                 rich_help_panel=_SOUND),
]  # fmt: skip
BedOption = Annotated[
    BedKind,
    typer.Option("--bed", help="The clip's own sound under the dub: turned down, its speech taken out by a "
                 "model (extra `separate`), or none.", rich_help_panel=_SOUND),
]  # fmt: skip
Loudness = Annotated[
    float,
    typer.Option(metavar="LUFS", help="Of the whole: -16 for the web, -23 for broadcasting.",
                 rich_help_panel=_SOUND),
]  # fmt: skip
KeepOriginal = Annotated[
    bool,
    typer.Option("--keep-original/--no-original", help="The clip's own sound as a second track.",
                 rich_help_panel=_SOUND),
]  # fmt: skip
OriginalLang = Annotated[
    str | None,
    typer.Option("--original-lang", metavar="LANG", help="Its language, for the second track.",
                 rich_help_panel=_SOUND),
]  # fmt: skip
SubsIn = Annotated[
    bool, typer.Option("--subs-in", help="Put the dub's text in as subtitles.", rich_help_panel=_OUTPUT)
]
JobFolder = Annotated[
    Path | None,
    typer.Option("--job", metavar="FOLDER", rich_help_panel=_OUTPUT,
                 help="What is made on the way, to go on from or to edit; else OUT with .dub, beside it."),
]  # fmt: skip

Report = Annotated[
    bool,
    typer.Option("--report", help="Measure the dub and write a page to check it by, as `review` does.",
                 rich_help_panel=_OUTPUT),
]  # fmt: skip


@groups.flat
def dub(
    clip: Clip,
    out: o.Out,
    *,
    subs: Subs = None,
    lang: DubLang = None,
    voice: DubVoice = None,
    cast: CastFile = None,
    transcribe: Transcribe = False,
    speakers: Speakers = None,
    fit: Fit = FitTo.speech,
    fastest: Fastest = 1.2,
    stretch: MostStretch = 1.1,
    slowest: Slowest = 1.25,
    background: Background = None,
    bed: BedOption = BedKind.duck,
    loudness: Loudness = -16.0,
    keep_original: KeepOriginal = True,
    original_lang: OriginalLang = None,
    voicing: groups.Voicing,
    mouth: groups.Mouth,
    consented: groups.Consented,
    subs_in: SubsIn = False,
    job: JobFolder = None,
    report: Report = False,
    fail_on: checks.FailOn = None,
    thresholds: checks.Thresholds = None,
    video: groups.Video,
    overwrite: o.Overwrite = False,
    told: groups.Report,
) -> None:
    """A clip and its translated subtitles in, a finished dub out. Stopped, it goes on where it was."""
    with told.terminal() as terminal:
        if transcribe:
            _transcribe(terminal, clip, out, lang, speakers, overwrite)
            return
        if subs is None or lang is None:
            raise OptionError(
                "dubbing needs --subs FILE and --lang LANG; --transcribe makes a first draft of them"
            )
        if voice is None and cast is None:
            raise OptionError("nobody has a voice; give --voice VOICE, or --cast FILE for several speakers")
        from voicelip.dub.fit import Limits
        from voicelip.dub.given import default_job
        from voicelip.dub.options import DubOptions
        from voicelip.dub.run import dub as run

        limits, wanted = checks.judged_by(thresholds, fail_on)
        options = DubOptions(
            fit=fit.value, limits=Limits(fastest, stretch, slowest), background=background, bed=bed.value,
            lufs=loudness, keep_original=keep_original, original_lang=original_lang, subs_in=subs_in,
            **vars(voicing), **vars(mouth), **vars(video), agreement=consented.agreement,
        )  # fmt: skip
        with _kept(job or default_job(out)):
            result = run(
                clip, subs=subs, out=out, lang=lang, voice=voice, cast=cast, job=job, options=options,
                overwrite=overwrite, progress=terminal.progress,
            )  # fmt: skip
        if not (report or wanted):
            terminal.show(result, _summary(result))
            return
        found, page = checks.reviewed(result.job, limits, terminal.progress)
        terminal.show(result, _summary(result), *checks.findings(found, page))
        checks.stop_if_failing(found, wanted, page)


@contextmanager
def _kept(job: Path) -> Iterator[None]:
    """Whoever stops the work hears that it is not lost."""
    try:
        yield
    except KeyboardInterrupt:
        failures.say(f"voicelip: what is made so far is kept in {job}; the same command goes on from there")
        raise


def _summary(result: "DubResult") -> str:
    """Such as `12 cues: 9 natural, 2 faster, 1 too long; job folder talk.es.dub`."""
    fits = ", ".join(f"{count} {rule.replace('_', ' ')}" for rule, count in result.fits.items())
    cues = "1 cue" if len(result.cues) == 1 else f"{len(result.cues)} cues"
    return f"{cues}: {fits}; job folder {result.job}"


def _transcribe(
    terminal: Terminal, clip: Path, out: Path, lang: str | None, speakers: str | None, overwrite: bool
) -> None:
    from voicelip.dub.transcribe import transcribe

    found = transcribe(
        clip, out=out, lang=lang, speakers=_count(speakers), overwrite=overwrite, progress=terminal.progress
    )
    people = f", {len(found.speakers)} speakers" if found.speakers else ""
    terminal.show_lines(
        found.to_dict(), [f"{found.path}: {len(found.cues)} subtitles in {found.lang}{people}"]
    )


def _count(speakers: str | None) -> "SpeakerCount | None":
    if speakers is None:
        return None
    if speakers == "auto":
        return "auto"
    if speakers.isdigit():
        return int(speakers)
    raise OptionError(f"--speakers is {speakers!r}; give a number, or auto")
