"""The package of docs/extending.md: found by its entry points, used by its names."""

import configparser
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import voicelip
from voicelip.doctor import announced
from voicelip.errors import NoFaceError
from voicelip.media import Clip
from voicelip.pipeline import PRESENTER, PRESENTER_FACE, LipsyncOptions

PACKAGE = Path(__file__).resolve().parents[1] / "docs" / "example_package"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example as pip would leave it: its module on the path, its entry points in a dist-info folder."""
    if not PACKAGE.is_dir():
        pytest.skip("docs/ is not here")
    project = configparser.ConfigParser()  # TOML this plain is read by it too
    project.read(PACKAGE / "pyproject.toml")
    facts = tmp_path / "voicelip_example-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: voicelip-example\nVersion: 1.0\n")
    lines = []
    for section in project.sections():
        group = section.removeprefix('project.entry-points."').removesuffix('"')
        if group.startswith("voicelip."):
            lines += [
                f"[{group}]",
                *(f"{name} = {value.strip(chr(34))}" for name, value in project[section].items()),
            ]
    (facts / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(PACKAGE))
    importlib.invalidate_caches()
    yield
    sys.modules.pop("voicelip_example", None)


def test_all_three_work_together_by_their_names(
    installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = LipsyncOptions(detector="middle:2", lips="blur:12", crf=1)
    result = voicelip.say(
        "Hello there.",
        voice="stock:af_heart",
        face=PRESENTER,
        out=tmp_path / "out.mp4",
        engine="hum",
        options=options,
    )
    assert result.duration_s == pytest.approx(12 * 0.06, abs=0.1)
    before = next(iter(Clip(PRESENTER_FACE).frames(5, 6))).image.astype(int)
    after = next(iter(Clip(result.path).frames(5, 6))).image.astype(int)
    changed = np.argwhere(np.abs(after - before).max(axis=2) > 24)
    assert len(changed)
    assert np.ptp(changed, axis=0).max() < 0.5 * before.shape[0]


def test_the_argument_after_the_colon_arrives(installed: None, tmp_path: Path) -> None:
    with pytest.raises(NoFaceError):  # a finder that looks for a dot in the middle finds no face
        voicelip.say(
            "Hi.",
            voice="stock:af_heart",
            face=PRESENTER,
            out=tmp_path / "out.mp4",
            engine="hum",
            options=LipsyncOptions(detector="middle:90", lips="blur"),
        )


def test_doctor_lists_what_other_packages_add(installed: None) -> None:
    said = {finding.subject: finding.detail for finding in announced()}
    assert said["added engines"] == "hum (voicelip_example:Hum)"
    assert said["added detectors"] == "middle (voicelip_example:middle)"
    assert said["added lips"] == "blur (voicelip_example:Blur)"


def test_the_example_is_short() -> None:
    if not PACKAGE.is_dir():
        pytest.skip("docs/ is not here")
    lines = (PACKAGE / "voicelip_example.py").read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 42
