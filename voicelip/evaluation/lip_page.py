"""The lip bench as one HTML page that needs no other file: table, frames side by side, opening curves."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import cv2
import numpy as np

from voicelip.evaluation.lip_bench import Curves, Failed, Measured, Scores, speakers
from voicelip.face.points import LIPS, inter_ocular_px
from voicelip.media import Clip
from voicelip.version import __version__

COLUMNS = {
    "r": "r", "margin": "margin", "lag": "lag", "lmd": "LMD %", "lmd_static": "static", "lmd_real": "real",
    "lip_leak": "LipLeak", "sharpness": "sharpness", "sharpness_real": "real", "fps": "fps",
}  # fmt: skip
FORMATS = {
    "lag": "+.0f", "lmd": ".2f", "lmd_static": ".2f", "lmd_real": ".2f", "lip_leak": ".4f",
    "sharpness": ".2f", "sharpness_real": ".2f", "fps": ".1f",
}  # fmt: skip
_OPENNESS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)  # quantiles of the real opening whose frames are shown
_SIDE_IOD = 2.3  # of a shown picture: from the brows to below the chin
_ABOVE_MOUTH_IOD = 0.35
_PICTURE_PX = 192
_PLOT = (960, 150)
_MARGIN = (34, 8, 8, 20)  # left, top, right, bottom


def shown(name: str, value: float, mean: bool = False) -> str:
    """A figure as people read it; a dash where nothing could be measured."""
    if not np.isfinite(value):
        return "–"
    form = ".1f" if mean and name == "lag" else FORMATS.get(name, ".3f")
    text = format(value, form)
    return text if float(text) else text.lstrip("+-")


class Page:
    """Gathers results one by one, while their videos are there, and makes the page of them."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._results: list[Measured | Failed] = []
        self._sections: list[str] = []

    def add(self, result: Measured | Failed) -> None:
        """Take in one result; of a measured one, frames are read from its videos."""
        self._results.append(result)
        if isinstance(result, Measured):
            self._sections.append(_section(result))

    def html(self) -> str:
        """The whole page."""
        template = Template(Path(__file__).with_suffix(".html").read_text("utf-8"))
        return template.substitute(
            title=escape(self._title),
            version=__version__,
            columns=len(_OPENNESS),
            table=_table([result for result in self._results if isinstance(result, Measured)]),
            failed=_failures([result for result in self._results if isinstance(result, Failed)]),
            clips="\n".join(self._sections),
        )


def _table(results: list[Measured]) -> str:
    head = "".join(f"<th>{title}</th>" for title in COLUMNS.values())
    rows = []
    for speaker, mean in speakers(results).items():
        rows += [
            _row(f"{speaker}: {result.trial.name}", result.scores)
            for result in results
            if result.trial.speaker == speaker
        ]
        rows.append(_row(f"{speaker}, mean", mean, is_mean=True))
    return f"<table><thead><tr><th>clip</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(name: str, scores: Scores, is_mean: bool = False) -> str:
    cells = "".join(f"<td>{shown(column, getattr(scores, column), is_mean)}</td>" for column in COLUMNS)
    return f"<tr{' class=mean' if is_mean else ''}><td>{escape(name)}</td>{cells}</tr>"


def _failures(failed: list[Failed]) -> str:
    return "".join(
        f"<p>Left out: {escape(f'{one.trial.speaker}, {one.trial.name}: {one.reason}')}</p>" for one in failed
    )


def _section(result: Measured) -> str:
    scores = result.scores
    moments = _moments(result.curves)
    rows = "".join(
        f"<b>{name}</b>" + "".join(_image(picture) for picture in _pictures(path, points, moments, result))
        for name, path, points in zip(
            ("source", "driven", "truth"), result.videos, result.points, strict=True
        )
    )
    return (
        f"<h2>{escape(result.trial.speaker)}: {escape(result.trial.name)}</h2>"
        f"<p class=note>r {shown('r', scores.r)} at lag {shown('lag', scores.lag)}, "
        f"LMD {shown('lmd', scores.lmd)} of {shown('lmd', scores.lmd_static)} % · mouth opening: "
        f"<i class=driven></i> driven <i class=truth></i> truth</p>"
        f"{plot(result.curves, moments)}<div class=frames>{rows}</div>"
    )


def _moments(curves: Curves) -> list[int]:
    """Frames from the most closed to the most open real mouth, in order of time."""
    both = min(len(curves.driven), len(curves.truth))
    order = np.argsort(curves.truth[:both])
    order = order[np.isfinite(curves.truth[:both][order])]
    if not len(order):
        return []
    return sorted(int(order[round(share * (len(order) - 1))]) for share in _OPENNESS)


def _pictures(path: Path, points: np.ndarray, moments: list[int], result: Measured) -> list[np.ndarray]:
    """The faces at `moments` of one video, each (192, 192, 3); a shorter video goes back and forth as it was
    driven.
    """
    clip = Clip(path, Clip(result.videos[1]).info.fps)
    corner, side = _window(points)
    wanted = [_bounced(moment, len(points)) for moment in moments]
    pictures = []
    for index in wanted:
        image = next(iter(clip.frames(index, index + 1))).image
        pictures.append(_cut(image, corner, side))
    return pictures


def _bounced(moment: int, frames: int) -> int:
    """Where a clip of so many frames is, played back and forth."""
    if frames == 1:
        return 0
    place = moment % (2 * (frames - 1))
    return min(place, 2 * (frames - 1) - place)


def _window(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Top left corner and side, in px, of a square that shows the face all through a clip."""
    unit = float(np.nanmedian(inter_ocular_px(points)))
    mouth = np.nanmedian(points[:, LIPS].mean(axis=1), axis=0)
    side = _SIDE_IOD * unit
    return mouth - (side / 2, side / 2 + _ABOVE_MOUTH_IOD * unit), side


def _cut(image: np.ndarray, corner: np.ndarray, side: float) -> np.ndarray:
    scale = side / _PICTURE_PX
    matrix = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    if scale > 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 * scale)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (_PICTURE_PX, _PICTURE_PX), flags=flags)


def _image(picture: np.ndarray) -> str:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return f'<img alt="" src="data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}">'


def plot(curves: Curves, moments: Sequence[int] = ()) -> str:
    """Opening over time as SVG; upright lines at the `moments` (frames) whose pictures are shown."""
    width, height = _PLOT
    left, top, right, bottom = _MARGIN
    frames = max(len(curves.driven), len(curves.truth), 2)
    highest = max(float(np.nanmax(np.concatenate([curves.driven, curves.truth, [0.05]]))), 0.05)

    def x(frame: float) -> float:
        return left + (width - left - right) * frame / (frames - 1)

    def y(opening: float) -> float:
        return height - bottom - (height - top - bottom) * opening / highest

    parts = [f'<line x1="{x(m):.1f}" x2="{x(m):.1f}" y1="{top}" y2="{height - bottom}"/>' for m in moments]
    parts.append(f'<line x1="{left}" x2="{width - right}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>')
    parts += [f'<text x="2" y="{y(value) + 4:.1f}">{value:.2f}</text>' for value in (0.0, highest)]
    step = max(1, round((frames / curves.fps) / 12))  # seconds between two labels
    parts += [
        f'<text x="{x(second * curves.fps):.1f}" y="{height - 4}">{second} s</text>'
        for second in range(0, int((frames - 1) / curves.fps) + 1, step)
    ]
    for kind, values in (("truth", curves.truth), ("driven", curves.driven)):
        parts.append(f'<path class="{kind}" d="{_path([(x(i), y(v)) for i, v in enumerate(values)])}"/>')
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'


def _path(places: list[tuple[float, float]]) -> str:
    """An SVG path that is broken where a value is missing."""
    commands, pen = [], "M"
    for x, y in places:
        if np.isfinite(y):
            commands.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L" if np.isfinite(y) else "M"
    return "".join(commands)
