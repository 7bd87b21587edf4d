"""The order of the arrows: text to speech, speech and footage to a talking head, and nothing else."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from voicelip import claims
from voicelip.consent.asking import Agreement, Granted, Use, require
from voicelip.consent.choice import FaceChoice
from voicelip.errors import InputNotFoundError
from voicelip.media import Clip, VideoWriter, check_output, read_audio, write_audio
from voicelip.progress import Progress, silent
from voicelip.stopwatch import Stopwatch
from voicelip.talking_head import LipsyncOptions, Result, Work, regenerate
from voicelip.trust import Claim, watermark
from voicelip.trust.credentials import signing

if TYPE_CHECKING:
    from voicelip.speech import Speech

__all__ = ["LipsyncOptions", "Result", "lipsync", "lipsync_to_measure", "say", "speak"]

ASSETS = Path(__file__).parent / "assets"
PRESENTER_FACE = ASSETS / "presenter.mp4"
PRESENTER_VOICE = ASSETS / "presenter.wav"
PRESENTER = "stock:presenter"


def speak(
    text: str,
    *,
    voice: str | Path,
    out: str | Path,
    lang: str = "en",
    speed: float = 1.0,
    engine: str = "kokoro",
    finish: bool = True,
    srt: str | Path | None = None,
    model_dir: str | Path | None = None,
    device: str = "auto",
    agreement: Agreement | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Result:
    """Speak `text` into a sound file.

    `voice` is `stock:NAME`, the name of a voice profile, or the path of a recording. With `finish` a real
    person's voice gets the colour of the reference. `srt` is a subtitle file to be written as well,
    `model_dir` the folder of the engine's model where it does not bring one. A real person's voice needs a
    consent record that covers it: one that is kept here, or that `agreement` names. Raises a VoicelipError
    subclass for anything the user can mend.
    """
    out, watch = Path(out), Stopwatch()
    check_output(out, overwrite)
    _check_srt(srt, overwrite)
    granted = require(Use("speak", voice=voice, lang=lang, out=out, agreement=agreement or Agreement()))
    sign = signing(out, _spoken(voice, engine) + Claim(consents=granted.ids))
    chosen = _EngineChoice(engine, model_dir, device, finish)
    spoken, warnings = _speech(text, voice, lang, speed, chosen, progress, watch)
    marked = watermark.mark(spoken.audio)
    write_audio(out, marked.audio, overwrite, sign)
    _write_srt(srt, spoken, overwrite)
    warnings = (*warnings, *marked.warnings)
    return Result(out, spoken.audio.duration_s, 0, 0.0, watch.seconds, warnings, words=spoken.words)


def lipsync(
    *,
    face: str | Path,
    audio: str | Path,
    out: str | Path,
    options: LipsyncOptions | None = None,
    agreement: Agreement | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Result:
    """Make the person in the clip or photo `face` say the recorded speech `audio`.

    The face needs a consent record that covers it, as in `speak`; the voice needs none, as it is not cloned.
    Raises a VoicelipError subclass for anything the user can mend.
    """
    clip = _open_face(face)
    options = options or LipsyncOptions()
    _check_video(Path(out), clip, options, overwrite)
    granted = require(_use_of_face("lipsync", face, options, out, agreement))
    return _lipsynced(clip, audio, Path(out), options, overwrite, progress, granted)


def lipsync_to_measure(
    *, face: str | Path, audio: str | Path, out: str | Path, options: LipsyncOptions | None = None
) -> Result:
    """`lipsync` for the bench, which asks nobody: what it renders is measured and thrown away."""
    return _lipsynced(
        _open_face(face), audio, Path(out), options or LipsyncOptions(), True, silent, Granted()
    )


def _lipsynced(
    clip: Clip, audio: str | Path, out: Path, options: LipsyncOptions, overwrite: bool,
    progress: Progress, granted: Granted,
) -> Result:  # fmt: skip
    watch = Stopwatch()
    claim = _animated(clip, options) + claims.recorded(Path(audio)) + Claim(consents=granted.ids)
    work = Work(out, options, overwrite, progress, watch, signing(out, claim), granted)
    return regenerate(clip, read_audio(audio), work, ())


def say(
    text: str,
    *,
    voice: str | Path,
    face: str | Path,
    out: str | Path,
    lang: str = "en",
    speed: float = 1.0,
    engine: str = "kokoro",
    finish: bool = True,
    srt: str | Path | None = None,
    model_dir: str | Path | None = None,
    options: LipsyncOptions | None = None,
    agreement: Agreement | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Result:
    """Make the person in the clip or photo `face` say `text` in `voice`: `speak`, then `lipsync`, without a
    file between. Voice and face each need a consent record that covers them.
    """
    watch = Stopwatch()
    clip = _open_face(face)
    options = options or LipsyncOptions()
    _check_video(Path(out), clip, options, overwrite)
    _check_srt(srt, overwrite)
    granted = require(replace(_use_of_face("say", face, options, out, agreement), voice=voice, lang=lang))
    claim = _animated(clip, options) + _spoken(voice, engine) + Claim(consents=granted.ids)
    work = Work(Path(out), options, overwrite, progress, watch, signing(out, claim), granted)
    chosen = _EngineChoice(engine, model_dir, options.device, finish)
    spoken, warnings = _speech(text, voice, lang, speed, chosen, progress, watch)
    result = regenerate(clip, spoken.audio, work, warnings)
    _write_srt(srt, spoken, overwrite)
    return replace(result, words=spoken.words)


def _use_of_face(
    action: str, face: str | Path, options: LipsyncOptions, out: str | Path, agreement: Agreement | None
) -> Use:
    choice = FaceChoice(options.face_index, options.face_like)
    return Use(action, face=face, out=out, agreement=agreement or Agreement(), choice=choice)


@dataclass(frozen=True)
class _EngineChoice:
    name: str
    model_dir: str | Path | None
    device: str
    finish: bool


def _check_srt(path: str | Path | None, overwrite: bool) -> None:
    if path is not None:
        from voicelip.speech.srt import check_subtitles

        check_subtitles(Path(path), overwrite)


def _write_srt(path: str | Path | None, spoken: "Speech", overwrite: bool) -> None:
    if path is not None:
        from voicelip.speech.srt import write_srt

        write_srt(Path(path), spoken, overwrite)


def _spoken(voice: str | Path, engine: str) -> Claim:
    from voicelip.speech.speaking import VoiceSpec

    named = VoiceSpec.parse(voice)
    if named.kind == "profile":
        from voicelip.speech.profile_store import load_profile

        return claims.spoken(engine, None, [origin.sha256 for origin in load_profile(named.name).origins])
    return claims.spoken(engine, Path(named.name) if named.kind == "recording" else None)


def _animated(clip: Clip, options: LipsyncOptions) -> Claim:
    return claims.animated(None if clip.path == PRESENTER_FACE else clip.path, options.lips, options.detector)


def _speech(
    text: str, voice: str | Path, lang: str, speed: float, engine: _EngineChoice, progress: Progress,
    watch: Stopwatch,
) -> tuple["Speech", tuple[str, ...]]:  # fmt: skip
    from voicelip import speech

    if voice == PRESENTER:
        voice = PRESENTER_VOICE
    with watch.stage("voice"):
        chosen = speech.resolve_voice(voice, progress, engine.name)
    with watch.stage("speech"):
        model_dir = None if engine.model_dir is None else Path(engine.model_dir)
        options = speech.EngineOptions(model_dir, engine.device)
        spoken = speech.speak_text(text, chosen, lang, speed, engine.name, progress, engine.finish, options)
    return spoken, tuple(dict.fromkeys((*chosen.warnings, *spoken.warnings)))


def _check_video(out: Path, clip: Clip, options: LipsyncOptions, overwrite: bool) -> None:
    """Refuse now what could not be written later; making the writer checks all that it is given."""
    info = clip.info
    VideoWriter(
        out, info.width, info.height, info.fps, None, info.colour, options.crf, options.preset, overwrite
    )


def _open_face(face: str | Path) -> Clip:
    path = PRESENTER_FACE if face == PRESENTER else Path(face)
    if str(face).startswith("stock:") and face != PRESENTER:
        raise InputNotFoundError(f"{face}: the only stock face is {PRESENTER}")
    return Clip(path)
