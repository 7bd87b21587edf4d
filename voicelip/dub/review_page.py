"""A dub as one HTML page to check it by: the video, its cues as a list, curves, and what needs a human first.

The page needs no other file but the video, which it names relative to itself.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from voicelip.dub.job import Job
from voicelip.dub.quality import CURVES
from voicelip.dub.report import CueReport, Flag, Report
from voicelip.errors import JobError, OutputError

FILE = "review.html"


def find_job(path: str | Path) -> Path:
    """The job folder that is meant: itself, the only one in a folder, or the one beside a finished dub."""
    path = Path(path)
    if path.is_file():
        path = path.with_suffix(".dub")
    if Job(path).exists:
        return path
    inside = sorted(each.parent for each in path.glob("*/job.json")) if path.is_dir() else []
    if len(inside) == 1:
        return inside[0]
    if inside:
        names = ", ".join(each.name for each in inside[:5])
        raise JobError(f"{path}: holds several dubs ({names}); name one of them")
    raise JobError(f"{path}: holds no dub; name the folder that `voicelip dub` made, or its output")


def write_page(report: Report, path: str | Path | None = None) -> Path:
    """Write the page of a report, into its job folder if nothing else is said."""
    target = report.job / FILE if path is None else Path(path)
    temporary = target.with_name(f".{target.name}.part")
    try:
        temporary.write_text(page(report, target.parent, _curves(report)), "utf-8")
        temporary.replace(target)
    except OSError as failure:
        raise OutputError(f"{target}: cannot be written ({failure.strerror}); name another file") from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def page(report: Report, folder: Path, curves: Mapping[str, Any] | None) -> str:
    """The page as text, to be put into `folder`; `curves` as in curves.json, if there are any."""
    template = Template(Path(__file__).with_suffix(".html").read_text("utf-8"))
    name = report.video.name if report.video else report.job.name
    return template.substitute(
        title=escape(name),
        facts="".join(_fact(*fact) for fact in _facts(report)),
        video=_video(report, folder),
        notes="".join(f"<li{_class(is_bad)}>{escape(text)}</li>" for text, is_bad in _notes(report)),
        data=_data(report, curves),
    )


def _video(report: Report, folder: Path) -> str:
    if report.video is None:
        return "<p>This dub is not made yet: the list shows what the subtitles ask for.</p>"
    link = quote(Path(os.path.relpath(report.video.resolve(), folder.resolve())).as_posix())
    return f'<video controls preload="metadata" src="{escape(link)}"></video>'


def _data(report: Report, curves: Mapping[str, Any] | None) -> str:
    """What the script reads; a text cannot end the element that holds it."""
    cues = [_cue(cue, [flag for flag in report.flags if flag.cue == cue.number]) for cue in report.cues]
    plain = json.dumps({"cues": cues, "curves": curves}, ensure_ascii=False, separators=(",", ":"))
    return plain.replace("<", "\\u003c")


def _cue(cue: CueReport, flags: list[Flag]) -> dict[str, Any]:
    return {
        **asdict(cue),
        "flags": [{"kind": flag.kind, "text": flag.text, "weight": flag.weight} for flag in flags],
    }


def _facts(report: Report) -> list[tuple[str, str, bool]]:
    """Name, value, and whether it is bad."""
    flagged = len({flag.cue for flag in report.flags if flag.cue is not None})
    facts = [("cues", str(len(report.cues)), False), ("with findings", str(flagged), False)]
    if report.mean_wer is not None:
        facts.append(("WER", f"{report.mean_wer:.1%}", report.mean_wer > report.thresholds.wer))
    for name, value in (("likeness", report.likeness), ("lips r", report.lips_r)):
        if value is not None:
            facts.append((name, f"{value:.2f}", False))
    for speaker, opening in report.pause_opening.items():
        is_open = opening > report.thresholds.pause_opening
        facts.append((f"mouth in pauses{f', {speaker}' if speaker else ''}", f"{opening:.3f}", is_open))
    if report.watermark is not None:
        facts.append(("watermark", "found" if report.watermark else "missing", not report.watermark))
    if report.credentials is not None:
        words = {"none": "missing", "untrusted": "intact, local signer", "trusted": "intact, trusted signer"}
        is_bad = report.credentials in ("none", "tampered")
        facts.append(("credentials", words.get(report.credentials, report.credentials), is_bad))
    return facts


def _notes(report: Report) -> list[tuple[str, bool]]:
    """What concerns the whole dub, and whether it is pressing."""
    own = [(flag.text, flag.weight >= 20) for flag in report.flags if flag.cue is None]
    of_cues = tuple(f"cue {cue.number} " for cue in report.cues)
    return [*own, *((text, False) for text in report.warnings if not text.startswith(of_cues))]


def _fact(name: str, value: str, is_bad: bool) -> str:
    return f"<div><dt>{escape(name)}</dt><dd{_class(is_bad)}>{escape(value)}</dd></div>"


def _class(is_bad: bool) -> str:
    return ' class="bad"' if is_bad else ""


def _curves(report: Report) -> dict[str, Any] | None:
    """The curves beside the report, if it knows the video that they were measured on."""
    if report.video is None or report.credentials is None:
        return None
    try:
        found = json.loads((report.job / CURVES).read_text("utf-8"))
    except (OSError, RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None
