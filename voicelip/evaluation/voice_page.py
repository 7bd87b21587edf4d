"""The voice bench as one HTML page that needs no other file: a table, and players for each speaker."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from voicelip.evaluation.voice_bench import Failed, Measured, Scores
from voicelip.version import __version__

COLUMNS = {
    "ge2e": "GE2E", "ge2e_stock": "stock", "ge2e_same": "same", "ge2e_other": "others",
    "campplus": "CAM++", "campplus_stock": "stock", "campplus_same": "same", "campplus_other": "others",
    "judge": "judge", "judge_stock": "stock", "judge_same": "same", "judge_other": "others",
    "rank": "rank", "wer": "WER %", "wer_stock": "stock", "cer": "CER %",
    "dnsmos": "DNSMOS", "dnsmos_real": "real",
    "pitch_semitones": "pitch", "rtf": "RTF", "make_s": "made in s",
}  # fmt: skip
FORMATS = {"rank": ".1f", "wer": ".1f", "wer_stock": ".1f", "cer": ".1f", "dnsmos": ".2f",
           "dnsmos_real": ".2f", "pitch_semitones": "+.1f", "rtf": ".2f", "make_s": ".1f"}  # fmt: skip


def shown(name: str, value: float) -> str:
    """A figure as people read it; a dash where nothing could be measured."""
    if not np.isfinite(value):
        return "–"
    return format(100 * value if name in ("wer", "wer_stock", "cer") else value, FORMATS.get(name, ".3f"))


def page(title: str, results: Sequence[Measured | Failed]) -> str:
    """The whole page."""
    measured = [result for result in results if isinstance(result, Measured)]
    failed = [result for result in results if isinstance(result, Failed)]
    rows = [_row(result.speaker, result.scores, _players(result)) for result in measured]
    if measured:
        rows.append(_row("mean", Scores.mean([result.scores for result in measured]), "<td></td>", True))
    head = "".join(f"<th>{name}</th>" for name in COLUMNS.values())
    return Template(Path(__file__).with_suffix(".html").read_text("utf-8")).substitute(
        title=escape(title),
        version=__version__,
        head=head,
        rows="\n".join(rows),
        failed="".join(f"<p>Left out: {escape(f'{one.speaker}: {one.reason}')}</p>" for one in failed),
    )


def _row(name: str, scores: Scores, players: str, is_mean: bool = False) -> str:
    cells = "".join(f"<td>{shown(column, getattr(scores, column))}</td>" for column in COLUMNS)
    return f"<tr{' class=mean' if is_mean else ''}><td>{escape(name)}</td>{cells}{players}</tr>"


def _players(result: Measured) -> str:
    return "<td>" + "".join(
        f"<figure><figcaption>{caption}</figcaption>{_player(path)}</figure>"
        for caption, path in (("real", result.real), ("spoken", result.spoken))
    ) + "</td>"  # fmt: skip


def _player(path: Path) -> str:
    data = b64encode(path.read_bytes()).decode()
    return f'<audio controls preload="none" src="data:audio/wav;base64,{data}"></audio>'
