"""Manifests: every row that cannot be dubbed is told with its line before anything is begun."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import Run, run_process, runner, signals_kept, start

from voicelip.dub.manifest import Row, read_manifest
from voicelip.dub.request import Request, columns
from voicelip.errors import InputNotFoundError, OptionError
from voicelip.pipeline import PRESENTER_FACE


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def problems(rows: list[Row]) -> dict[int, str]:
    return {row.line: row.problem for row in rows if row.request is None}


CSV = """clip,subs,lang,voice,lufs,subs_in,fit,background
a.mp4,a.es.srt,es,stock:ef_dora,-23,yes,video,music.wav
b.mp4,b.fr.srt,fr,,,,,
"""


def test_a_row_of_a_table_is_a_dub_with_its_options(tmp_path: Path) -> None:
    first, second = read_manifest(written(tmp_path, "jobs.csv", CSV), tmp_path / "out")
    assert (first.line, second.line) == (2, 3)
    assert first.name == "a.es"
    assert first.request is not None
    assert first.request.clip == tmp_path / "a.mp4"
    assert first.request.out == tmp_path / "out" / "a.es.mp4"
    options = first.request.dub_options()
    assert (options.lufs, options.subs_in, options.fit) == (-23.0, True, "video")
    assert options.background == tmp_path / "music.wav"
    assert second.request is not None
    assert second.request.voice is None
    assert second.request.dub_options().lufs == -16.0


def test_the_same_in_lines_of_json_and_in_yaml_with_defaults(tmp_path: Path) -> None:
    jsonl = '{"clip": "a.mp4", "subs": "a.srt", "lang": "es", "fastest": 1.1, "consent": ["c.json"]}\n'
    yaml = "defaults: {lang: es, fastest: 1.1, consent: [c.json]}\njobs:\n  - clip: a.mp4\n    subs: a.srt\n"
    found = [
        read_manifest(written(tmp_path, name, text), tmp_path)[0]
        for name, text in (("j.jsonl", jsonl), ("j.yaml", yaml))
    ]
    assert [row.line for row in found] == [1, 3]
    assert found[0].request == found[1].request
    assert found[0].request is not None
    assert found[0].request.dub_options().limits.fastest == 1.1
    assert found[0].request.dub_options().agreement.records == (tmp_path / "c.json",)


def test_a_request_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    row = read_manifest(written(tmp_path, "jobs.csv", CSV), tmp_path / "out")[0]
    assert row.request is not None
    assert Request.read(row.request.to_dict()) == row.request


def test_a_recording_beside_the_manifest_is_a_voice(tmp_path: Path) -> None:
    written(tmp_path, "alice.wav", "")
    text = "clip,subs,voice\na.mp4,a.srt,alice.wav\nb.mp4,b.srt,alice\n"
    first, second = read_manifest(written(tmp_path, "jobs.csv", text), tmp_path)
    assert first.request is not None
    assert first.request.voice == str(tmp_path / "alice.wav")
    assert second.request is not None
    assert second.request.voice == "alice"


def test_all_that_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        "clip,subs,lang,lufs,fit,colour,out\n"
        "a.mp4,,es,,,,\n"
        "b.mp4,b.srt,es,loud,audio,,\n"
        "c.mp4,c.srt,es,-99,,,\n"
        "d.mp4,d.srt,es,,,red,\n"
        "e.mp4,e.srt,es,,,,same.mp4\n"
        "f.mp4,f.srt,es,,,,same.mp4\n"
        "g.mp4,g.srt,es,,,,,,extra\n"
    )
    found = problems(read_manifest(written(tmp_path, "jobs.csv", text), tmp_path))
    assert found[2] == "subs is missing"
    assert "lufs: 'loud' is no number" in found[3]
    assert "fit: 'audio' should be one of speech, video" in found[3]
    assert "-99 LUFS is out of range" in found[4]
    assert found[5] == "unknown: colour"
    assert 6 not in found
    assert "as line 6 does" in found[7]
    assert "more values than columns" in found[8]


def test_lines_that_are_not_rows_are_told_too(tmp_path: Path) -> None:
    jsonl = '{"clip": "a.mp4", "subs": "a.srt"}\nnot json\n[1, 2]\n{"clip": 3, "subs": "a.srt"}\n'
    found = problems(read_manifest(written(tmp_path, "j.jsonl", jsonl), tmp_path))
    assert sorted(found) == [2, 3, 4]
    assert "should be text" in found[4]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("jobs.txt", "", "ends in .csv"),
        ("jobs.csv", "video,srt\na,b\n", "line 1: should name the columns"),
        ("jobs.csv", "clip,subs\n", "holds no rows"),
        ("jobs.yaml", "- clip: [", "line 1: is not YAML"),
        ("jobs.yaml", "clip: a.mp4\n", "should be a list of rows"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        read_manifest(written(tmp_path, name, text), tmp_path)


def test_a_missing_manifest_is_an_input_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError):
        read_manifest(tmp_path / "jobs.csv", tmp_path)


def test_columns_are_those_of_a_dub() -> None:
    assert {"clip", "subs", "out", "lang", "voice", "cast", "lufs", "fastest", "consent", "purpose"} <= {
        *columns()
    }
    assert not {"limits", "agreement", "options"} & {*columns()}


# The command


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capfd, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PRESENTER_FACE, tmp_path / "clip.mp4")
    written(tmp_path, "good.srt", "1\n00:00:00,200 --> 00:00:01,500\nHola.\n")
    written(tmp_path, "bad.srt", "1\n00:00:02,000 --> 00:00:01,000\nHola.\n")
    (tmp_path / "torn.mp4").write_bytes(PRESENTER_FACE.read_bytes()[:3000])
    return tmp_path


def test_nothing_is_begun_if_one_row_cannot_be_dubbed(folder: Path, run: Run) -> None:
    text = (
        "clip,subs,lang,voice\n"
        "clip.mp4,good.srt,es,stock:ef_dora\n"
        "clip.mp4,bad.srt,fr,stock:ff_siwis\n"
        "torn.mp4,good.srt,es,stock:ef_dora\n"
        "clip.mp4,good.srt,pt,stock:nobody\n"
        "clip.mp4,missing.srt,it,stock:if_sara\n"
    )
    manifest = written(folder, "jobs.csv", text)
    with signals_kept():
        found = run("batch", manifest, "--out", folder / "out", "--workers", 2)
    assert found.code == 2
    for line, says in (
        (3, "line 2: it ends 1 s before"),
        (4, "torn.mp4"),
        (5, "nobody"),
        (6, "missing.srt"),
    ):
        assert any(f"line {line}: " in error and says in error for error in found.error_lines), found.err
    assert "4 of 5 rows cannot be dubbed" in found.error_lines[-1]
    assert not list((folder / "out").glob("*.mp4"))


@pytest.mark.slow
def test_a_batch_does_what_can_be_done_and_run_again_only_the_rest(folder: Path, run: Run) -> None:
    text = (
        "clip,subs,lang,voice,out\n"
        "clip.mp4,good.srt,es,stock:ef_dora,one.mp4\n"
        "torn.mp4,good.srt,es,stock:ef_dora,two.mp4\n"
        "clip.mp4,good.srt,fr,stock:ff_siwis,three.mp4\n"
    )
    manifest, out = written(folder, "jobs.csv", text), folder / "out"
    with signals_kept():
        first = run("batch", manifest, "--out", out, "--workers", 2, "--skip-bad")
        assert first.code == 18
        assert "1 of 3 dubs failed" in first.error_lines[-1]
        assert {path.name for path in out.glob("*.mp4")} == {"one.mp4", "three.mp4"}
        assert [line.split()[:2] for line in first.out.splitlines()[:3]] == [
            ["one", "done"],
            ["two", "failed"],
            ["three", "done"],
        ]
        before = (out / "one.mp4").stat().st_mtime_ns
        shutil.copy(folder / "clip.mp4", folder / "torn.mp4")
        (out / "three.mp4").unlink()
        second = run("batch", manifest, "--out", out)
    assert second.code == 0
    assert [line.split()[1] for line in second.out.splitlines()[:3]] == ["kept", "done", "done"]
    assert (out / "one.mp4").stat().st_mtime_ns == before


@pytest.mark.slow
def test_stopped_in_the_middle_nothing_stays_behind_and_it_goes_on(folder: Path) -> None:
    pytest.importorskip("pty", reason="signals of this kind are a matter of Unix")
    text = "clip,subs,lang,voice,out\n" + "".join(
        f"clip.mp4,good.srt,es,stock:ef_dora,{number}.mp4\n" for number in range(3)
    )
    manifest, out = written(folder, "jobs.csv", text), folder / "out"
    process = start("batch", manifest, "--out", out, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        _wait_for(lambda: (out / "0.mp4").exists() and (out / "1.dub").exists())
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopped" in err
    assert not [path for path in out.rglob("*") if ".part" in path.name]
    again = run_process("batch", manifest, "--out", out, timeout_s=900)  # machines may be busy
    assert again.code == 0
    assert [line.split()[1] for line in again.out.splitlines()[:3]] == ["kept", "done", "done"]


def _wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(4800):  # machines may be busy
        if happened():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen within 8 min")
