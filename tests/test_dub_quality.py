"""The quality report: what needs a human first stands on top, before the run and after it."""

import json
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from shutil import copy, which

import dub_people as people
import numpy as np
import pytest
from consent_samples import vouched_for
from media_samples import make_video

from voicelip.dub.job import CueState, Fit, Job, JobState, Take
from voicelip.dub.quality import assess
from voicelip.dub.quality_speech import fair_errors
from voicelip.dub.report import Flag, Report, failing
from voicelip.dub.review_page import find_job, page, write_page
from voicelip.dub.thresholds import Thresholds, rules
from voicelip.errors import InputNotFoundError, JobError, OptionError
from voicelip.pipeline import PRESENTER_FACE

GOOD = {"heard": "Hola a todos.", "errors": 0, "words": 3, "wer": 0.0, "likeness": 0.9, "lips_r": 0.9,
        "lag_frames": 0, "unseen": 0.0}  # fmt: skip


def cue(number: int, scores: dict[str, object] | None = None, **fit: object) -> CueState:
    said = {"start_s": 4.0 * number, "end_s": 4.0 * number + 3, "text": "Hola a todos.", "speaker": "Ana",
            "voice": "stock:ef_dora", "lang": "es"}  # fmt: skip
    fitted = Fit("natural", 1.0, 1.0, 4.0 * number, 4.0 * number + 2, 3.0)
    return CueState(
        number=number, line=4 * number, subtitle=said, **said,  # type: ignore[arg-type]
        takes=(Take("k", "s", 1.0, 2.0),), fit=replace(fitted, **fit), scores={**GOOD, **(scores or {})},
    )  # fmt: skip


def job(folder: Path, *cues: CueState) -> Path:
    made = Job(folder / "talk.es.dub")
    (made.folder / "cues").mkdir(parents=True)
    made.write(JobState("../talk.es.mp4", {}, {"lang": "es"}, "0", {}))
    for each in cues:
        made.write_cue(each)
    return made.folder


def kinds(report: Report) -> list[tuple[str, int | None]]:
    return [(flag.kind, flag.cue) for flag in report.flags if flag.kind != "unmeasured"]


# Flags


def test_a_good_cue_has_no_flags(tmp_path: Path) -> None:
    report = assess(job(tmp_path, cue(1)), measure=False)
    assert kinds(report) == []
    assert report.mean_wer == 0.0
    assert report.likeness == 0.9


def test_one_word_of_three_heard_otherwise_is_no_fault(tmp_path: Path) -> None:
    assert kinds(assess(job(tmp_path, cue(1, {"wer": 0.333, "errors": 1})), measure=False)) == []


@pytest.mark.parametrize(
    ("kind", "scores", "fit"),
    [
        ("wer", {"wer": 0.6, "heard": "Ola."}, {}),
        ("likeness", {"likeness": 0.3}, {}),
        ("lips", {"lips_r": 0.1}, {}),
        ("lag", {"lag_frames": -4}, {}),
        ("unseen", {"unseen": 0.9, "lips_r": None, "lag_frames": None}, {}),
        ("pace", {}, {"speed": 1.2, "stretch": 1.08}),
        ("late", {}, {"late_s": 0.5}),
        ("over", {}, {"over_s": 2.0}),
        ("too_long", {}, {"too_long_s": 0.8, "advice": "too long by 0.8 s, shorten to about 9 characters"}),
    ],
)
def test_each_fault_has_its_flag(
    tmp_path: Path, kind: str, scores: dict[str, object], fit: dict[str, object]
) -> None:
    report = assess(job(tmp_path, cue(1), cue(2, scores, **fit)), measure=False)
    assert kinds(report) == [(kind, 2)]


def test_the_most_pressing_comes_first_and_the_worse_before_the_bad(tmp_path: Path) -> None:
    long = cue(3, too_long_s=2.0, advice="too long by 2.0 s")
    report = assess(
        job(tmp_path, cue(1, over_s=2.0), cue(2, {"wer": 0.3, "errors": 3}), long, cue(4, {"wer": 1.0})),
        measure=False,
    )
    assert kinds(report) == [("too_long", 3), ("wer", 4), ("wer", 2), ("over", 1)]


def test_thresholds_decide_and_can_be_read_from_a_file(tmp_path: Path) -> None:
    folder = job(tmp_path, cue(1, {"wer": 0.3, "errors": 3, "likeness": 0.5}))
    file = tmp_path / "limits.yaml"
    file.write_text("wer: 0.4\nlikeness: 0.5\n")
    assert len(kinds(assess(folder, measure=False))) == 2
    assert kinds(assess(folder, Thresholds.read(file), measure=False)) == []


@pytest.mark.parametrize("text", ["speed: 1\n", "wer: much\n", "wer: -1\n", "[1]\n", "wer: [\n"])
def test_thresholds_that_cannot_be_meant_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(text)
    with pytest.raises(OptionError):
        Thresholds.read(file)
    with pytest.raises(InputNotFoundError):
        Thresholds.read(tmp_path / "missing.yaml")


# --fail-on


def test_rules_name_flags_or_compare_measures(tmp_path: Path) -> None:
    report = assess(job(tmp_path, cue(1, {"wer": 0.15, "errors": 1}), cue(2, too_long_s=0.5)), measure=False)
    assert failing(report, rules("wer>0.2, credentials, likeness<0.5")) == []
    assert failing(report, rules("wer>0.1,too_long")) == ["wer>0.1 (cue 1)", "too_long (cue 2)"]
    assert failing(report, rules("mean_wer>0.1")) == ["mean_wer>0.1 (the whole)"]
    assert failing(report, rules("unmeasured")) == ["unmeasured (the whole)"]


def test_what_was_not_measured_breaks_no_comparison(tmp_path: Path) -> None:
    report = assess(job(tmp_path, cue(1, {"lips_r": None})), measure=False)
    assert failing(report, rules("lips_r<0.9")) == []


@pytest.mark.parametrize("text", ["wer>", "noise", "wer>much", "too_long>1", "wer=0.2"])
def test_rules_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="is no rule"):
        rules(text)


def test_numbers_are_compared_as_they_are_read() -> None:
    assert fair_errors("We have 20 rooms.", "we have twenty rooms", "en-us") == (0, 4)
    assert fair_errors("Llega a las 8.", "Llega a las ocho.", "es")[0] == 0
    assert fair_errors("One two three", "one three", "en-us") == (1, 3)
    assert fair_errors("Guten Tag", "Guten Abend", "de") == (1, 2)


# The page


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.scripts += tag == "script"


NASTY = '</script><script>alert(1)</script> & "quotes" <b>'


def test_the_page_holds_all_cues_and_asks_for_nothing_but_the_video(tmp_path: Path) -> None:
    folder = job(tmp_path, cue(1), cue(2, {"wer": 0.6, "heard": NASTY}), cue(3))
    report = replace(assess(folder, measure=False), video=folder / "../talk é.mp4")
    text = page(report, folder, {"hz": 25, "seconds": 16.0, "speech": [], "expected": [], "opening": {}})
    seen = _Seen()
    seen.feed(text)
    assert seen.links == ["../talk%20%C3%A9.mp4"]
    assert seen.scripts == 2
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert held is not None
    data = json.loads(held.group(1))
    assert [each["number"] for each in data["cues"]] == [1, 2, 3]
    assert data["cues"][1]["heard"] == NASTY
    assert "http" not in text.replace("http-equiv", "")


def test_before_the_run_the_page_tells_what_the_subtitles_ask_for(tmp_path: Path) -> None:
    planned = replace(cue(1), takes=(), fit=None, scores={})
    folder = job(tmp_path, planned)
    report = assess(folder)
    assert [flag.kind for flag in report.flags] == ["unmeasured"]
    text = write_page(report).read_text("utf-8")
    assert "not made yet" in text
    assert "<video" not in text
    assert json.loads((folder / "quality.json").read_text("utf-8"))["cues"][0]["text"] == "Hola a todos."


def test_a_dub_is_found_by_its_folder_its_file_or_the_folder_around(tmp_path: Path) -> None:
    folder = job(tmp_path, cue(1))
    (tmp_path / "talk.es.mp4").write_bytes(b"")
    assert find_job(folder) == find_job(tmp_path) == find_job(tmp_path / "talk.es.mp4") == folder
    with pytest.raises(JobError, match="holds no dub"):
        find_job(tmp_path / "nothing")
    other = Job(tmp_path / "talk.fr.dub")
    other.folder.mkdir()
    other.write(JobState("../talk.fr.mp4", {}, {}, "0"))
    with pytest.raises(JobError, match=r"talk\.es\.dub, talk\.fr\.dub"):
        find_job(tmp_path)


def shown_in_a_browser(path: Path) -> str:
    """A page's document after its script ran."""
    browser = which("chromium") or which("chromium-browser") or which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    return subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom",
         path.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip


def test_the_page_works_in_a_browser(tmp_path: Path) -> None:
    folder = job(tmp_path, cue(1), cue(2, {"wer": 0.6}), cue(3, too_long_s=1.0, advice="too long by 1.0 s"))
    wave = np.abs(np.sin(np.arange(400) / 9)).round(3).tolist()
    curves = {
        "hz": 25,
        "seconds": 16.0,
        "speech": wave,
        "expected": wave,
        "opening": {"Ana": [None, *wave[1:]]},
    }
    path = folder / "review.html"
    report = replace(assess(folder, measure=False), video=tmp_path / "talk.es.mp4")
    # What the page shows after a cue was clicked and the filter chosen, as text of the document.
    act = "<script>button('only').click(); list.children[1].click();</script></html>"
    path.write_text(page(report, folder, curves).replace("</html>", act), "utf-8")
    shown = shown_in_a_browser(path)
    rows = re.findall(r'<li tabindex="0" data-number="(\d)" class="([^"]*)"', shown)
    assert rows == [("3", "pressing"), ("2", "pressing now")]
    assert "2 of 3 cues" in shown
    assert "too long by 1.0 s" in shown


def test_each_of_several_mouths_has_its_own_line_and_name(tmp_path: Path) -> None:
    folder = job(tmp_path, cue(1))
    path = folder / "review.html"
    curves = {
        "hz": 25,
        "seconds": 16.0,
        "speech": [],
        "expected": [],
        "opening": {"Ana": [0.1], "Tom": [0.2]},
    }
    path.write_text(page(assess(folder, measure=False), folder, curves), "utf-8")
    shown = shown_in_a_browser(path)
    lines = re.findall(r'<i style="background: var\(--(\w+)\);"></i>(\w+)\'s mouth', shown)
    assert lines == [("ours", "Ana"), ("second", "Tom")]


# Measured


@pytest.mark.slow
def test_a_finished_dub_is_measured_and_a_file_put_in_its_place_is_noticed(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    from voicelip.dub.run import dub

    subs, out = tmp_path / "p.srt", tmp_path / "p.en.mp4"
    subs.write_text("1\n00:00:00,500 --> 00:00:03,500\nThe train leaves at eight o'clock.\n")
    made = dub(PRESENTER_FACE, subs=subs, out=out, lang="en", voice="stock:af_heart")
    report = assess(made.job)
    assert report.watermark
    assert report.credentials == "untrusted"  # of the local key
    assert report.mean_wer == 0
    (only,) = report.cues
    assert only.unseen == 0
    assert only.lips_r is not None
    assert only.lips_r > 0.6
    assert only.lag_frames in (-1, 0, 1)
    assert report.pause_opening[""] < Thresholds().pause_opening
    assert report.flags == ()
    curves = json.loads((made.job / "curves.json").read_text())
    assert len(curves["speech"]) == len(curves["expected"]) == len(curves["opening"][""]) == 200
    heard = Job(made.job).cues()[0].scores["heard"]
    assert assess(made.job).cues[0].heard == heard  # from the folder, without listening again

    copy(PRESENTER_FACE, out)  # nobody dubbed this
    faults = {flag.kind for flag in assess(made.job).flags}
    assert {"watermark", "lips"} <= faults


@pytest.mark.slow
def test_of_two_people_each_is_measured_by_their_own_mouth(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    from voicelip.dub.run import dub

    subs, out, cast = tmp_path / "two.srt", tmp_path / "two.es.mp4", tmp_path / "cast.yaml"
    her = people.presenter()
    her = [*her, *her[::-1], *her]  # 7.2 s
    clip = make_video(tmp_path / "two.mp4", people.beside(her, [people.other(image) for image in her]))
    vouched_for(clip, kind="face")
    subs.write_text(
        "1\n00:00:00,500 --> 00:00:03,000\nAna: Buenos días, aquí estamos todos.\n\n"
        "2\n00:00:03,700 --> 00:00:06,500\nTom: Gracias, muy amable de su parte.\n"
    )
    cast.write_text("Ana: {voice: stock:ef_dora, face: 0}\nTom: {voice: stock:em_alex, face: 1}\n")
    report = assess(dub(clip, subs=subs, out=out, lang="es", cast=cast).job)
    assert [each.speaker for each in report.cues] == ["Ana", "Tom"]
    assert all(each.lips_r is not None and each.lips_r > 0.6 for each in report.cues)
    assert set(report.pause_opening) == {"Ana", "Tom"}
    assert max(report.pause_opening.values()) < Thresholds().pause_opening
    curves = json.loads((report.job / "curves.json").read_text())["opening"]
    ana, tom = (np.array(curves[name], float) for name in ("Ana", "Tom"))
    first, second = slice(12, 75), slice(92, 163)
    assert np.nanstd(ana[first]) > 3 * np.nanstd(tom[first])
    assert np.nanstd(tom[second]) > 3 * np.nanstd(ana[second])


def test_a_flag_about_the_whole_is_told_as_such() -> None:
    empty = Report(Path("x.dub"), None, (), (Flag("watermark", None, "no watermark", 90.0),), Thresholds())
    assert failing(empty, rules("watermark")) == ["watermark (the whole)"]
