"""A clip and its subtitles become a dub: in time, in a folder that is resumed, edited and read by others."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cli_runs import ENVIRONMENT, Run, runner, signals_kept
from consent_samples import vouched_for
from dub_samples import CUES, LETTER_S, RATE, VOICE, DroneEngine, clip, content, onsets_s, sound, subtitles

from voicelip.cli import entry
from voicelip.dub import DubOptions, DubResult, dub, pieces
from voicelip.dub.given import Given, default_job
from voicelip.dub.job import Job
from voicelip.dub.run import check
from voicelip.errors import (
    ConsentError,
    InputNotFoundError,
    JobError,
    OptionError,
    OutputError,
    SubtitleError,
    TextError,
    UnknownNameError,
    UnsupportedLanguageError,
)
from voicelip.media import Clip
from voicelip.speech import engine
from voicelip.trust import audit_log, consent_store

FPS = 10
FRAME_S = 0.04  # a frame of a usual video


@pytest.fixture(autouse=True, scope="module")
def short_pieces_and_an_engine_that_hums() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_S", 1)
        patch.setitem(engine._BUILT_IN, "drone", "dub_samples:DroneEngine")
        yield


class StopError(Exception):
    """Somebody ends a run."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dub")


@pytest.fixture(scope="module")
def talk(folder: Path) -> Path:
    path = clip(folder / "talk.mp4")
    vouched_for(path, kind="face")
    return path


@pytest.fixture(scope="module")
def faceless(folder: Path) -> Path:
    path = clip(folder / "faceless.mp4", has_face=False)
    vouched_for(path, kind="face")
    return path


@pytest.fixture(scope="module")
def subs(folder: Path) -> Path:
    return subtitles(folder / "talk.es.srt")


HUMMING = DubOptions(engine="drone", subs_in=True, original_lang="en")


def run(talk: Path, subs: Path, out: Path, **changes: Any) -> DubResult:
    return dub(talk, subs=subs, out=out, **{"lang": "es", "voice": VOICE, "options": HUMMING, **changes})


@pytest.fixture(scope="module")
def done(folder: Path, talk: Path, subs: Path) -> DubResult:
    return run(talk, subs, folder / "talk.es.mp4")


def test_speech_is_heard_within_a_frame_of_its_time_and_moves_the_lips(talk: Path, folder: Path) -> None:
    subs = subtitles(folder / "spoken.srt", CUES[:1])
    spoken = run(talk, subs, folder / "spoken.mp4", options=DubOptions())
    fit = spoken.cues[0].fit
    assert fit is not None
    assert fit.start_s == CUES[0][0]
    assert 0.4 < fit.end_s - fit.start_s < 1.2
    np.testing.assert_allclose(onsets_s(sound(spoken.path), [fit.start_s], 0.05), [fit.start_s], atol=FRAME_S)
    with av.open(str(spoken.path)) as ours, av.open(str(talk)) as source:
        changed = [
            np.abs(a.to_ndarray().astype(int) - b.to_ndarray()).mean()
            for a, b in zip(ours.decode(video=0), source.decode(video=0), strict=True)
        ]
    assert max(changed[5:14]) > 2 * max(changed[:2])


def test_every_cue_is_heard_within_a_frame_of_its_time(done: DubResult) -> None:
    starts = [start_s for start_s, _, _ in CUES]
    assert [cue.fit.start_s for cue in done.cues if cue.fit] == starts
    heard = onsets_s(sound(done.path), starts, level=0.05)
    np.testing.assert_allclose(heard, starts, atol=FRAME_S)


def test_the_dub_is_as_long_as_the_clip(done: DubResult) -> None:
    assert (done.duration_s, done.frames, done.fps) == (5.0, 50, 10.0)
    assert done.frames_made == 50
    assert done.takes_made >= len(CUES)


def test_tracks_are_tagged_the_original_kept_and_subtitles_inside(done: DubResult) -> None:
    with av.open(str(done.path)) as container:
        audio = container.streams.audio
        assert [stream.metadata["language"] for stream in audio] == ["spa", "eng"]
        assert [bool(stream.disposition & av.stream.Disposition.default) for stream in audio] == [True, False]
        text = container.streams.subtitles[0]
        assert (text.codec_context.name, text.metadata["language"]) == ("mov_text", "spa")
        said = [
            (packet.pts, bytes(packet)[2:].decode()) for packet in container.demux(text) if packet.size > 2
        ]
    assert said == [(round(1000 * start_s), text) for start_s, _, text in CUES]
    kept = sound(done.path, track=1)
    assert np.std(kept) == pytest.approx(0.003, rel=0.2)


def test_the_job_folder_says_what_was_done(done: DubResult, subs: Path) -> None:
    job = Job(done.job)
    state = job.read()
    assert set(state.inputs) == {"clip", "subs"}
    assert state.inputs["subs"]["path"] == str(subs)
    assert state.options["lang"] == "es"
    assert (done.job / state.out).resolve() == done.path.resolve()
    assert state.result["fits"] == done.fits
    assert job.cues() == done.cues
    cue = json.loads((done.job / "cues" / "0001.json").read_text())
    assert (cue["text"], cue["voice"], cue["lang"], cue["line"]) == (CUES[0][2], VOICE, "es", 2)
    take = done.cues[0].take
    assert take is not None
    assert (done.job / "takes" / f"{take.key}.wav").is_file()


def test_progress_goes_on_over_the_whole(small: Callable[..., DubResult]) -> None:
    heard = []

    def progress(stage: str, done: float, total: float | None, unit: str = "") -> None:
        if stage == "dub":
            heard.append(done)

    small(progress=progress)
    assert heard == sorted(heard)
    assert heard[0] < 0.5
    assert heard[-1] == 1.0


def test_the_same_call_does_nothing_twice_and_gives_the_same(done: DubResult, talk: Path, subs: Path) -> None:
    before = content(done.path)
    again = run(talk, subs, done.path)
    assert (again.takes_made, again.frames_made) == (0, 0)
    assert content(done.path) == before


@pytest.mark.parametrize("where", ["speech 1", "picture 15", "writing 20"])
def test_a_run_that_is_stopped_anywhere_goes_on_to_the_same_result(
    where: str, folder: Path, talk: Path, subs: Path, done: DubResult
) -> None:
    out = folder / f"stopped {where}.mp4"
    stage, at = where.split()

    def stop(name: str, amount: float, total: float | None, unit: str = "") -> None:
        if name == stage and amount > float(at):
            raise StopError

    with pytest.raises(StopError):
        run(talk, subs, out, progress=stop)
    assert not out.exists()
    takes = len(list((default_job(out) / "takes").glob("*.wav")))
    result = run(talk, subs, out)
    assert result.takes_made == done.takes_made - takes
    assert content(out) == content(done.path)
    assert not list(folder.glob(".*part*"))


@pytest.fixture
def small(faceless: Path, tmp_path: Path) -> Callable[..., DubResult]:
    """Dubs of a clip in which no face is seen, of one cue."""

    def make(cues: Any = CUES[:1], **changes: Any) -> DubResult:
        return run(faceless, subtitles(tmp_path / "a.srt", tuple(cues)), tmp_path / "a.mp4", **changes)

    return make


def test_an_edited_cue_is_said_anew_and_only_it(small: Callable[..., DubResult]) -> None:
    first = small(CUES[:2])
    path = first.job / "cues" / "0002.json"
    path.write_text(path.read_text().replace("Soy yo.", "Soy otra.", 1))
    second = small(CUES[:2])
    assert second.takes_made >= 1
    assert second.cues[0] == first.cues[0]
    assert second.cues[1].text == "Soy otra."
    assert any("cue 2 (text)" in warning for warning in second.warnings)
    third = small([CUES[0], (1.7, 2.9, "Soy la misma.")])
    assert third.cues[1].text == "Soy la misma."
    assert any("cue 2: the edited text gave way" in warning for warning in third.warnings)


def test_a_subtitle_more_moves_the_others_without_saying_them_anew(small: Callable[..., DubResult]) -> None:
    small([CUES[0], CUES[2]])
    more = small(CUES)
    assert [cue.text for cue in more.cues] == [text for _, _, text in CUES]
    assert more.takes_made <= 2  # of the new one, at one pace or two


def test_speech_that_the_clip_is_too_short_for_is_not_cut(small: Callable[..., DubResult]) -> None:
    text = "Esto es mucho más largo que el tiempo que queda en este vídeo tan corto."
    result = small([(4.0, 4.9, text)])
    fit = result.cues[0].fit
    assert fit is not None
    assert fit.rule == "too_long"
    assert result.duration_s > fit.end_s > 5.0
    warnings = " ".join(result.warnings)
    assert f"cue 1 (line 2): {fit.advice}" in warnings
    assert "the last picture stays" in warnings
    heard = sound(result.path)
    last = np.flatnonzero(np.abs(heard) > 0.05)[-1] / RATE
    assert last == pytest.approx(fit.end_s, abs=0.15)


def test_speech_that_ends_with_the_clip_makes_it_no_longer(small: Callable[..., DubResult]) -> None:
    letters = "Adiós." * 2
    lasts_s = LETTER_S * len(letters)
    result = small([(round(4.98 - lasts_s, 3), 5.0, letters)])
    assert result.frames == 50
    assert not any("the last picture" in warning for warning in result.warnings)


def test_the_picture_can_be_slowed_instead(small: Callable[..., DubResult]) -> None:
    result = small(
        [(1.0, 1.8, "Hola a todos."), (3.0, 4.0, "Adiós.")], options=DubOptions(engine="drone", fit="video")
    )
    first, second = (cue.fit for cue in result.cues)
    assert first is not None and second is not None  # noqa: PT018
    added = second.start_s - 3.0
    assert 0.05 < added <= 0.8 * 0.25 + 1e-6
    assert result.duration_s == pytest.approx(5.0 + added, abs=1 / FPS)
    assert onsets_s(sound(result.path), [second.start_s], 0.05)[0] == pytest.approx(
        second.start_s, abs=FRAME_S
    )


def test_a_job_folder_is_for_one_run_at_a_time(small: Callable[..., DubResult], tmp_path: Path) -> None:
    with Job(tmp_path / "a.dub").locked(), pytest.raises(JobError, match="another run"):
        small()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:40], "cannot be read as JSON"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "later version"),
        (lambda text: text.replace('"start_s": 0.4', '"start_s": "soon"', 1), "start_s should be a number"),
        (lambda text: text.replace('"line"', '"lines"'), "lines is not known"),
        (lambda text: text.replace("Hola a todos.", " ", 1), "text must not be empty"),
    ],
)
def test_a_damaged_cue_is_refused_with_its_file(
    change: Callable[[str], str], reason: str, done: DubResult, tmp_path: Path
) -> None:
    cues = tmp_path / "cues"
    cues.mkdir()
    original = (done.job / "cues" / "0001.json").read_text()
    (cues / "0001.json").write_text(change(original))
    with pytest.raises(JobError, match=reason) as told:
        Job(tmp_path).cues()
    assert "0001.json" in str(told.value)


def test_what_would_fail_later_is_refused_before_the_work(talk: Path, subs: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    cases: list[tuple[type[Exception], dict[str, Any]]] = [
        (UnknownNameError, {"voice": "stock:nobody"}),
        (UnsupportedLanguageError, {"lang": "xx", "options": DubOptions()}),
        (OptionError, {"voice": None}),
        (OptionError, {"out": talk, "overwrite": True}),
        (OutputError, {"out": tmp_path / "none" / "a.mp4"}),
        (OptionError, {"out": tmp_path / "a.avi"}),
        (InputNotFoundError, {"options": DubOptions(engine="drone", background=tmp_path / "none.wav")}),
        (TextError, {"subs": subtitles(tmp_path / "ru.srt", ((1, 2, "Привет"),)), "options": DubOptions()}),
        (SubtitleError, {"subs": subtitles(tmp_path / "late.srt", ((70.0, 71.0, "Tarde"),))}),
    ]
    for error, changes in cases:
        with pytest.raises(error):
            run(talk, **{"subs": subs, "out": out, **changes})
    assert not default_job(out).exists() or not list(default_job(out).glob("takes/*"))


def test_what_killed_runs_left_half_written_is_removed(
    small: Callable[..., DubResult], tmp_path: Path
) -> None:
    small()
    left = [tmp_path / "a.dub" / "takes" / ".x.1.part.wav", tmp_path / "a.dub" / ".job.json.1.part"]
    left += [tmp_path / ".a.mux.part.mp4", tmp_path / "..a.mux.part.1.part.mp4"]
    for path in left:
        path.write_bytes(b"half")
    small()
    assert not [path for path in left if path.exists()]


def test_nothing_is_spoken_or_drawn_without_consent(folder: Path, subs: Path) -> None:
    path = clip(folder / "nobody asked.mp4", seconds=4.5)
    with pytest.raises(ConsentError, match=r"nobody asked\.mp4: .*voicelip consent new"):
        run(path, subs, folder / "refused.mp4")
    assert not list((folder / "refused.dub").glob("takes/*"))


def test_a_label_is_drawn_and_only_where_it_was_asked_for(small: Callable[..., DubResult]) -> None:
    plain = picture_at(small().path, 5)
    marked = picture_at(small(options=replace(HUMMING, label=True)).path, 5)
    changed = np.abs(plain - marked).max(axis=2) > 60
    assert changed[:40, :60].any()
    assert not changed[40:].any()


def picture_at(path: Path, index: int) -> np.ndarray:
    return next(iter(Clip(path).frames(index, index + 1))).image.astype(int)


def test_the_dub_is_not_overwritten_if_somebody_changed_it(small: Callable[..., DubResult]) -> None:
    path = small().path
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(OutputError, match="exists already"):
        small()


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    with signals_kept():
        yield runner(capfd, monkeypatch)


def test_the_command_says_how_the_cues_fitted(command: Run, talk: Path, done: DubResult, subs: Path) -> None:
    outcome = command(
        "dub", talk, "--subs", subs, "--lang", "es", "--voice", VOICE, "--engine", "drone", "--subs-in",
        "--original-lang", "en", "-o", done.path,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "3 cues: " in outcome.out
    missing = command("dub", talk, "-o", done.path)
    assert missing.code == 2
    assert "--subs FILE and --lang LANG" in missing.err


def told_to_the_log() -> list[tuple[str, str | None]]:
    return [(entry["event"], entry.get("out")) for entry in audit_log.entries()]


def test_consent_is_logged_once_by_the_dub_and_not_by_its_check(
    talk: Path, subs: Path, tmp_path: Path
) -> None:
    before = told_to_the_log()
    out = tmp_path / "a.mp4"
    check(Given.checked(talk, subs, out, "es", VOICE, None, None, HUMMING, False))
    assert told_to_the_log() == before
    run(talk, subs, out)
    assert told_to_the_log() == [*before, ("granted", "a.mp4")]


def test_a_check_that_is_refused_is_logged(subs: Path, tmp_path: Path) -> None:
    before, nobody_agreed = told_to_the_log(), clip(tmp_path / "other.mp4", 5.5)
    with pytest.raises(ConsentError):
        check(Given.checked(nobody_agreed, subs, tmp_path / "a.mp4", "es", VOICE, None, None, HUMMING, False))
    assert told_to_the_log() == [*before, ("refused", "a.mp4")]


def test_whoever_stops_the_command_hears_that_nothing_is_lost(
    command: Run, talk: Path, subs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(DroneEngine, "synthesize", stop)
    monkeypatch.setattr(entry, "_leave_now", sys.exit)
    outcome = command(
        "dub",
        talk,
        "--subs",
        subs,
        "--lang",
        "es",
        "--voice",
        VOICE,
        "--engine",
        "drone",
        "-o",
        tmp_path / "a.mp4",
    )
    assert outcome.code == 130
    assert f"kept in {tmp_path / 'a.dub'}; the same command goes on from there" in outcome.err


PROCESS = """
import sys
from pathlib import Path
from voicelip.trust import consent_key, consent_store
folder = Path(sys.argv.pop(1))
consent_key.folder = lambda: folder / "keys"
consent_store.folder = lambda: folder / "consents"
from voicelip.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_killed_at_random_moments_the_same_command_ends_with_the_same_dub(
    talk: Path, subs: Path, tmp_path: Path
) -> None:
    out, whole = tmp_path / "killed.mp4", tmp_path / "whole.mp4"

    def command(path: Path) -> list[str]:
        arguments = ["dub", talk, "--subs", subs, "--lang", "es", "--voice", VOICE, "-o", path]
        return [sys.executable, "-c", PROCESS, *map(str, (consent_store.folder().parent, *arguments))]

    subprocess.run(command(whole), env=ENVIRONMENT, timeout=300, check=True)
    chance = random.Random(1)
    for _ in range(20):
        process = subprocess.Popen(command(out), env=ENVIRONMENT)
        time.sleep(chance.uniform(0.5, 12))
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command(out), "--overwrite"], env=ENVIRONMENT, timeout=300, check=True)
    assert content(out) == content(whole)
