"""Subtitle files → cues: SRT, WebVTT, ASS and TTML, and whatever else pysubs2 reads."""

import html
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voicelip.dub.cue_checks import Found, checked
from voicelip.dub.cues import Cue
from voicelip.dub.speakers_named import names_in, split_by_speaker
from voicelip.dub.ttml_times import in_milliseconds
from voicelip.errors import InputNotFoundError, SubtitleError

SUFFIXES = {
    ".srt": "srt", ".vtt": "vtt", ".ass": "ass", ".ssa": "ssa",
    ".ttml": "ttml", ".dfxp": "ttml", ".xml": "ttml",
}  # fmt: skip
_ARROW = re.compile(r"-->")
_VTT_ASIDE = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
_TTML_CUE = re.compile(r"<(?:\w+:)?p\b[^>]*\bbegin=", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>")
_VOICE = re.compile(r"<v(?:\.[\w.-]+)*\s+([^>]+)>")
_ASIDE = re.compile(r"\[[^\]]*\]|♪[^♪]*♪?|[♫♬#]+")
_DASH = re.compile(r"^\s*[-–—]\s*")


@dataclass(frozen=True)
class Subtitles:
    """What is to be said, in order of time, and what was mended on the way."""

    cues: tuple[Cue, ...]
    warnings: tuple[str, ...]


def read_subtitles(path: str | Path, duration_s: float, known: Collection[str] = ()) -> Subtitles:
    """The cues of a subtitle file for a clip of `duration_s` seconds.

    Speakers come from `Name:` before the text, WebVTT's voices and ASS's actors; `known` are names of the
    cast. Cues that cannot be said stop it all with SubtitleError, which names every one with its line.
    """
    path = Path(path)
    text = _read(path)
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        kinds = ", ".join(SUFFIXES)
        raise SubtitleError(f"{path}: no subtitle format that is read ends so; give one of {kinds}")
    if kind == "vtt":
        text = _without_asides(text)
    if kind == "ttml":
        text = in_milliseconds(text)
    events = _events(path, kind, text)
    faults = _unreadable_times(kind, text)
    named = names_in([line for event in events for line in event.text.split("\n")], known)
    found = _one_spelling([part for event in events for part in _parts(event, named)], known)
    cues, mended = checked(path.name, found, faults, duration_s)
    return Subtitles(cues, mended)


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputNotFoundError(f"{path}: no such file; check the name and the folder") from None
    except OSError as failure:
        raise SubtitleError(f"{path}: cannot be read ({failure.strerror})") from None
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise SubtitleError(f"{path}: is not text in UTF-8; save it as such") from None


def _events(path: Path, kind: str, text: str) -> list[Found]:
    """The subtitles with their lines in the file; pysubs2 keeps the order but not the lines."""
    import pysubs2

    options: dict[str, Any] = {"keep_html_tags": True} if kind in ("srt", "vtt") else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = pysubs2.SSAFile.from_string(text, format_=kind, **options)
    except Exception as failure:  # pysubs2 lets through whatever its parsers raise
        reason = " ".join(str(failure).split())[:120]
        raise SubtitleError(f"{path}: cannot be read as {kind.upper()} ({reason}); export it again") from None
    lines = list(_lines_of_cues(kind, text))
    if len(lines) != len(file):
        lines = [0] * len(file)
    return [
        Found(event.start, event.end, _marked(event, kind), line, str(event.name or "").strip())
        for event, line in zip(file, lines, strict=True)
        if not (event.is_comment or event.is_drawing)
    ]


def _marked(event: Any, kind: str) -> str:
    """The text with line breaks and voices but without other tags."""
    text = event.plaintext
    if kind not in ("srt", "vtt"):
        return str(text)
    voiced = _VOICE.sub(lambda found: f"\n\0{found.group(1).strip()}\0", text)
    return html.unescape(_TAG.sub("", voiced)).lstrip("\n")


def _parts(event: Found, named: Collection[str]) -> Iterator[Found]:
    """A cue for each speaker in a subtitle, its time shared out by length."""
    said = []
    for speaker, lines in split_by_speaker(event.text, event.speaker, named):
        words = " ".join(_DASH.sub("", line) for line in lines)
        said.append((speaker, " ".join(_ASIDE.sub(" ", words).split())))
    said = [part for part in said if part[1]] or said[:1]
    total = sum(len(text) for _, text in said) or 1
    before = 0
    for speaker, text in said:
        start = event.start_ms + (event.end_ms - event.start_ms) * before // total
        before += len(text)
        end = event.start_ms + (event.end_ms - event.start_ms) * before // total
        yield Found(start, end if text else event.end_ms, text, event.line, speaker)


def _one_spelling(cues: Sequence[Found], known: Collection[str]) -> list[Found]:
    """ANA and Ana are one speaker, spelt as in the cast, else as at first."""
    spelt = {name.casefold(): name for name in known}
    return [replace(cue, speaker=spelt.setdefault(cue.speaker.casefold(), cue.speaker)) for cue in cues]


# Lines of the file


def _lines_of_cues(kind: str, text: str) -> Iterator[int]:
    if kind in ("srt", "vtt"):
        stamp = _stamp(kind)
        yield from (n for n, line in enumerate(text.split("\n"), 1) if len(stamp.findall(line)) == 2)
    elif kind == "ttml":
        yield from (text.count("\n", 0, found.start()) + 1 for found in _TTML_CUE.finditer(text))
    else:
        starts = ("Dialogue:", "Comment:")
        yield from (n for n, line in enumerate(text.split("\n"), 1) if line.startswith(starts))


def _stamp(kind: str) -> "re.Pattern[str]":
    from pysubs2.formats.subrip import SubripFormat
    from pysubs2.formats.webvtt import WebVTTFormat

    return WebVTTFormat.TIMESTAMP if kind == "vtt" else SubripFormat.TIMESTAMP


def _unreadable_times(kind: str, text: str) -> list[tuple[int, str]]:
    """Lines that should be times and are not, or are before zero."""
    if kind not in ("srt", "vtt"):
        return []
    stamp, found = _stamp(kind), []
    for number, line in enumerate(text.split("\n"), 1):
        if not _ARROW.search(line):
            continue
        if len(stamp.findall(line)) != 2:
            found.append((number, f"its times cannot be read ({line.strip()[:40]})"))
        elif re.search(r"(^|\s)[-−]\d", line):
            found.append((number, "its time is negative"))
    return found


def _without_asides(text: str) -> str:
    """WebVTT without notes, styles and cue names, all lines staying where they are."""
    kept: list[str] = []
    for block in re.split(r"(\n{2,})", text):
        lines = block.split("\n")
        times = next((i for i, line in enumerate(lines) if _ARROW.search(line)), None)
        if _VTT_ASIDE.match(block) or (times is None and not block.startswith("WEBVTT")):
            kept.append("\n" * (len(lines) - 1))
        else:
            kept.append(
                "\n".join(["" if times and i < times and i else line for i, line in enumerate(lines)])
            )
    return "".join(kept)
