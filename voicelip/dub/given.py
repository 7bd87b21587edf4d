"""What a dub is asked for with, checked so far as it can be before its job folder is opened."""

from dataclasses import dataclass
from pathlib import Path

from voicelip.dub import separate
from voicelip.dub.cast import Cast, read_cast
from voicelip.dub.cues import Cue
from voicelip.dub.job import Job
from voicelip.dub.options import DubOptions
from voicelip.dub.subtitles import read_subtitles
from voicelip.errors import InputNotFoundError, OptionError
from voicelip.hashing import content_hash
from voicelip.media import Clip, VideoWriter, check_output


def default_job(out: Path) -> Path:
    """The job folder of an output: talk.es.mp4 → talk.es.dub."""
    return out.with_suffix(".dub")


@dataclass(frozen=True)
class Given:
    """All that was asked for. `overwrite` is also true for an output that this job wrote itself."""

    clip: Clip
    subs: Path
    out: Path
    lang: str
    cast_file: Path | None
    cast: Cast
    cues: tuple[Cue, ...]
    job: Job
    options: DubOptions
    overwrite: bool
    warnings: tuple[str, ...]

    @classmethod
    def checked(
        cls, clip: str | Path, subs: str | Path, out: str | Path, lang: str, voice: str | None,
        cast: str | Path | None, job: str | Path | None, options: DubOptions, overwrite: bool,
    ) -> "Given":  # fmt: skip
        opened = Clip(clip)
        if opened.info.is_still:
            raise OptionError(f"{clip}: is a picture; dubbing needs a video")
        if options.background is not None and not options.background.is_file():
            raise InputNotFoundError(f"{options.background}: no such file; check the name and the folder")
        if options.bed == "separate":
            separate.check()
        out = Path(out)
        folder = Job(job if job is not None else default_job(out))
        overwrite = overwrite or _is_own(out, folder)
        _check_output(out, opened, options, overwrite)
        if out.resolve() == opened.path.resolve():
            raise OptionError(f"{out}: is the clip itself; choose another name with -o")
        roles = read_cast(cast, voice, lang)
        found = read_subtitles(subs, opened.info.duration_s, roles.names)
        return cls(
            opened, Path(subs), out, lang, Path(cast) if cast else None, roles, found.cues, folder, options,
            overwrite, found.warnings,
        )  # fmt: skip


def _check_output(out: Path, clip: Clip, options: DubOptions, overwrite: bool) -> None:
    """Refuse now what could not be written later; making the writer checks all that it is given."""
    info = clip.info
    VideoWriter(
        out, info.width, info.height, info.fps, None, info.colour, options.crf, options.preset, overwrite
    )
    check_output(out, overwrite)


def _is_own(out: Path, job: Job) -> bool:
    """Whether the output is what this job wrote before, and nobody has changed it since."""
    if not (out.is_file() and job.exists):
        return False
    written = job.read().result.get("sha256")
    return written is not None and written == content_hash(out)
