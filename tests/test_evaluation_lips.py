"""The lip metrics know late from early and near from far; the bench renders, compares and shows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Run, runner, signals_kept
from consent_samples import consent
from face_samples import GRID, presenter_frames
from media_samples import make_video

from voicelip.errors import InputNotFoundError, OptionError
from voicelip.evaluation import lips
from voicelip.evaluation.lip_bench import Scores, bench, find_trials
from voicelip.evaluation.lip_page import Curves, plot
from voicelip.face.points import INNER_LIP, OUTER_LIP

FRAMES = 12


def face(opening: float) -> np.ndarray:
    """(478, 2): eyes 100 px apart, inner lips `opening` of that apart."""
    points = np.zeros((478, 2), np.float32)
    points[[33, 263]] = [[0, 0], [100, 0]]
    for ring, width, height in ((OUTER_LIP, 30, 8 + 50 * opening), (INNER_LIP, 22, 50 * opening)):
        turn = np.pi - 2 * np.pi * np.arange(20) / 20
        points[list(ring)] = np.stack([50 + width * np.cos(turn), 80 + height * np.sin(turn)], axis=1)
    return points


def talk(openings: np.ndarray) -> np.ndarray:
    return np.stack([face(opening) for opening in openings])


@pytest.fixture
def openings() -> np.ndarray:
    return np.abs(np.sin(np.arange(60) * 0.9)) * np.linspace(0.02, 0.2, 60)


def test_a_late_result_has_a_positive_lag(openings: np.ndarray) -> None:
    late = np.concatenate([[0.02] * 2, openings[:-2]])
    assert lips.synchrony(talk(late), talk(openings)) == lips.Sync(pytest.approx(1.0), 2)
    assert lips.synchrony(talk(openings), talk(late)).lag == -2


def test_a_mouth_that_never_moves_is_not_in_step(openings: np.ndarray) -> None:
    assert lips.synchrony(talk(np.full(60, 0.1)), talk(openings)).r == 0


def test_frames_without_a_face_do_not_count(openings: np.ndarray) -> None:
    holes = talk(openings)
    holes[10:14] = np.nan
    assert lips.synchrony(holes, talk(openings)).r == pytest.approx(1.0)
    assert lips.landmark_distance(holes, talk(openings)) == pytest.approx(0, abs=1e-3)
    blank = np.zeros((60, 120, 120, 3), np.uint8)
    assert lips.sharpness(blank, holes) == 0


def test_distance_ignores_where_the_face_is(openings: np.ndarray) -> None:
    turn = np.deg2rad(20)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    elsewhere = 1.7 * talk(openings) @ rotation.T + [300, -40]
    assert lips.landmark_distance(elsewhere.astype(np.float32), talk(openings)) == pytest.approx(0, abs=1e-3)


def test_the_static_bound_is_what_a_still_mouth_gets(openings: np.ndarray) -> None:
    still = talk(np.full(60, np.quantile(openings, 0.05)))
    bound = lips.static_landmark_distance(talk(openings))
    assert bound == pytest.approx(lips.landmark_distance(still, talk(openings)), rel=0.1)
    assert bound > 1


def test_silence_that_opens_the_mouth_leaks(openings: np.ndarray) -> None:
    assert lips.lip_leak(talk(np.full(60, 0.15)), talk(np.full(60, 0.1))) == pytest.approx(0.05, abs=1e-4)


def test_means_leave_out_what_could_not_be_measured() -> None:
    one = Scores(*[1.0] * 11)
    other = Scores(r=3.0, margin=float("nan"), lag=-1, **{name: 1.0 for name in list(vars(one))[3:]})
    mean = Scores.mean([one, other])
    assert (mean.r, mean.margin, mean.lag) == (2.0, 1.0, 1.0)


def test_a_curve_with_holes_is_drawn_in_pieces() -> None:
    values = np.array([0.0, 0.1, np.nan, 0.1, 0.0])
    drawn = plot(Curves(values, values, 25.0), [1])
    assert "nan" not in drawn
    assert [path.count("M") for path in re.findall(r' d="([^"]*)"', drawn)] == [2, 2]


def test_every_speaker_is_paired_within_themselves(tmp_path: Path) -> None:
    for name in ("ann/1.mp4", "ann/2.mp4", "ann/3.mp4", "bob/1.mp4", "bob/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [(trial.speaker, trial.face.stem, trial.sound.stem) for trial in find_trials(tmp_path, 2)]
    assert found == [("ann", "1", "2"), ("ann", "2", "3"), ("bob", "1", "1")]
    assert find_trials(tmp_path, 2)[2].is_backwards
    with pytest.raises(OptionError, match="1 or more"):
        find_trials(tmp_path, 0)
    with pytest.raises(InputNotFoundError, match="no such folder"):
        find_trials(tmp_path / "cid", 2)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)
    with signals_kept():
        yield runner(capfd, monkeypatch)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """One clip of the presenter, and one file that is no clip."""
    folder = tmp_path / "clips"
    (folder / "presenter").mkdir(parents=True)
    (folder / "broken").mkdir()
    (folder / "broken" / "a.mp4").write_bytes(b"no video")
    sound = 0.1 * np.random.default_rng(0).normal(size=640 * FRAMES)
    make_video(folder / "presenter" / "a.mp4", presenter_frames(FRAMES), sound=sound)
    return folder


def test_the_bench_tells_shows_and_names_what_it_left_out(run: Run, clips: Path) -> None:
    unasked = run("evaluate", "lips", clips, "--html", "refused.html")
    assert "voicelip consent new" in unasked.err  # a page shows the person
    consent(face=clips / "presenter" / "a.mp4")
    outcome = run("evaluate", "lips", clips, "--json", "out.json", "--html", "out.html", "--keep", "videos")
    assert outcome.code == 0
    assert re.search(r"^presenter mean +-?\d\.\d", outcome.out, re.M)
    assert "left out broken, a" in outcome.err
    figures = json.loads(Path("out.json").read_text())
    assert figures["failed"][0]["speaker"] == "broken"
    (clip,) = figures["clips"]
    assert clip["backwards"]
    assert len(clip["opening_driven"]) == FRAMES
    assert clip["lmd_real"] < 1
    assert 0.7 < clip["sharpness_real"] < 1.3
    assert clip["fps"] > 0
    assert figures["speakers"]["presenter"]["r"] == clip["r"]
    page = Path("out.html").read_text()
    assert page.count("data:image/jpeg") == 18
    assert page.count("<svg") == 1
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert len(list(Path("videos").glob("*.mp4"))) == 4  # backwards, driven, in silence, encoded again


def test_figures_on_stdout_are_all_there_is_there(run: Run, clips: Path) -> None:
    (clips / "presenter" / "a.mp4").unlink()
    outcome = run("evaluate", "lips", clips, "--json", "-")
    assert outcome.code == 1
    assert json.loads(outcome.out)["clips"] == []
    assert outcome.error_lines[-1] == "voicelip: error: no clip could be measured; the lines above say why"


def test_an_existing_report_is_kept(run: Run, clips: Path) -> None:
    Path("out.html").write_text("mine")
    outcome = run("evaluate", "lips", clips, "--html", "out.html")
    assert outcome.code == 9
    assert Path("out.html").read_text() == "mine"


@pytest.mark.slow
def test_a_real_mouth_is_followed() -> None:
    if not GRID.exists():
        pytest.skip(f"the GRID corpus is not at {GRID}")
    trials = [trial for trial in find_trials(GRID / "val", 1) if trial.speaker == "s22"]
    with bench() as running:
        scores = running.measure(trials[0]).scores
    assert scores.r > 0.6
    assert scores.r_real > 0.98
    assert scores.lmd_real < 0.3 < scores.lmd < scores.lmd_static
