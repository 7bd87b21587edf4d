"""`voicelip evaluate voice`: speakers found, measured once, told from each other, and shown."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from voice_samples import RATE, voice

from voicelip import hub
from voicelip.errors import ArtifactError, InputNotFoundError
from voicelip.evaluation.speaker_judge import judge, mel_windows
from voicelip.evaluation.voice_bench import (
    Bench,
    Crowd,
    Failed,
    Measured,
    Plan,
    Scores,
    Speaker,
    find_speakers,
    to_dict,
)
from voicelip.evaluation.voice_page import page
from voicelip.media import Audio, read_audio, write_audio
from voicelip.speech.word_errors import letter_errors

RECORDINGS = Path(__file__).parent.parent.parent / "shared" / "data" / "librispeech" / "ten_each"


def recordings(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        write_audio(folder / name, voice(0.5, seed=number))


def scores(**changes: float) -> Scores:
    return replace(Scores(*(0.5 for _ in fields(Scores))), **changes)


def test_recordings_are_parted_into_reference_and_test(tmp_path: Path) -> None:
    recordings(tmp_path / "anna", *(f"{i}.wav" for i in range(12)))
    recordings(tmp_path / "ben", "a.wav", "b.wav", "c.wav")
    recordings(tmp_path / "carl" / "reference", "x.wav")
    recordings(tmp_path / "carl" / "test", "y.wav", "z.wav")
    recordings(tmp_path / "too few", "only.wav")
    found = {speaker.name: speaker for speaker in find_speakers(tmp_path)}
    assert {name: (len(s.references), len(s.tests)) for name, s in found.items()} == {
        "anna": (5, 7), "ben": (1, 2), "carl": (1, 2),
    }  # fmt: skip
    assert all(not set(s.references) & set(s.tests) for s in found.values())


def test_a_folder_without_speakers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="no such folder"):
        find_speakers(tmp_path / "nowhere")
    with pytest.raises(InputNotFoundError, match="no SPEAKER folder"):
        find_speakers(tmp_path)


def test_a_speaker_s_rank_counts_who_is_more_alike() -> None:
    crowd = Crowd(["a", "b", "c"], {"ge2e": list(np.eye(3, dtype=np.float32))})
    heard = np.array([0.5, 0.8, 0.1])
    assert [crowd.rank(name, heard) for name in "abc"] == [2, 1, 3]
    assert crowd.others("a", "ge2e") == 0


def test_means_leave_out_what_was_not_measured_and_pitch_errors_do_not_cancel() -> None:
    mean = Scores.mean([scores(dnsmos=3.0, pitch_semitones=2.0), scores(dnsmos=np.nan, pitch_semitones=-2.0)])
    assert (mean.dnsmos, mean.pitch_semitones, mean.ge2e) == (3.0, 2.0, 0.5)


def test_letter_errors_count_letters_only() -> None:
    assert letter_errors("It's cold.", "its gold") == (1, 7)
    assert letter_errors("Ab cd", "abcd") == (0, 4)


def test_the_judge_s_front_end_equals_librosa_s() -> None:
    librosa = pytest.importorskip("librosa")
    samples = voice(2).samples
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=512, win_length=400, hop_length=160, n_mels=40, window="hamming",
        center=False, power=2.0,
    )  # fmt: skip
    theirs = np.log10(power + 1e-10).T
    ours = mel_windows(samples)
    assert ours.shape == (1 + (len(theirs) - 80) // 40, 80, 40)
    np.testing.assert_allclose(ours[1], theirs[40:120], atol=1e-3)


def test_the_judge_tells_people_apart() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings of several people at {RECORDINGS}")
    try:
        hub.fetch("dvector")
    except ArtifactError as error:
        pytest.skip(str(error))
    people = [
        [judge(read_audio(path)) for path in sorted(folder.iterdir())[:2]]
        for folder in sorted(RECORDINGS.iterdir())[:3]
    ]
    same = [one @ other for one, other in people]
    different = [people[i][0] @ people[i - 1][1] for i in range(3)]
    assert min(same) > max(different) + 0.1


def known(folder: Path, plan: Plan, speaker: Speaker, people: int) -> Path:
    """What a run leaves behind for a speaker, written by its own means."""
    crowd = Crowd([str(i) for i in range(people)])
    sound = Audio(np.zeros(RATE, np.float32), RATE)
    Bench(folder, plan, crowd)._keep(speaker, scores(ge2e=0.77), [sound, sound], [sound])
    return folder / f"{speaker.name}.json"


def test_a_stopped_run_goes_on_and_a_changed_one_starts_anew(tmp_path: Path) -> None:
    speaker = Speaker("anna", (tmp_path / "a.wav",), (tmp_path / "b.wav",))
    plan = Plan(sentences=("Hello.",))
    file = known(tmp_path, plan, speaker, people=1)
    (again,) = Bench(tmp_path, plan, Crowd(["anna"])).run([speaker])
    assert isinstance(again, Measured)
    assert again.scores.ge2e == 0.77
    for changed, crowd in (
        (replace(plan, fit="quick"), ["anna"]),
        (replace(plan, sentences=("Goodbye.",)), ["anna"]),
        (plan, ["anna", "ben"]),
    ):
        (anew,) = Bench(tmp_path, changed, Crowd(crowd)).run([speaker])
        assert isinstance(anew, Failed)  # it tries, and the recordings are not there
        assert "no such file" in anew.reason
    file.write_text("{")
    (broken,) = Bench(tmp_path, plan, Crowd(["anna"])).run([speaker])
    assert isinstance(broken, Failed)


def test_results_become_figures_and_a_page_to_listen_to(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", voice(0.2))
    results = [
        Measured("<anna>", scores(wer=0.031, dnsmos=np.nan), tmp_path / "a.wav", tmp_path / "a.wav"),
        Failed("ben", "too quiet"),
    ]
    figures = json.loads(json.dumps(to_dict(results), allow_nan=False))
    assert figures["speakers"]["<anna>"]["dnsmos"] is None
    assert figures["mean"]["wer"] == 0.031
    assert figures["failed"] == {"ben": "too quiet"}
    html = page("my voices", results)
    assert "&lt;anna&gt;" in html
    assert html.count("<audio controls") == 2
    assert "Left out: ben: too quiet" in html
    assert ">3.1<" in html
    assert "http" not in html


@pytest.mark.slow
def test_voices_are_measured_from_end_to_end(tmp_path: Path) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings of several people at {RECORDINGS}")
    pytest.importorskip("faster_whisper")
    from voicelip.evaluation.voice_bench import crowd_of

    speakers = find_speakers(RECORDINGS)[:2]
    plan = Plan(sentences=("The train to the north leaves every hour.",), with_dnsmos=False)
    first, second = Bench(tmp_path, plan, crowd_of(speakers)).run(speakers)
    for result in (first, second):
        assert isinstance(result, Measured)
        found = result.scores
        assert found.ge2e_other < found.ge2e < found.ge2e_same
        assert found.judge_other < found.judge_same
        assert found.rank == 1
        assert found.wer < 0.3
        assert np.isnan(found.dnsmos)
        assert result.spoken.stat().st_size > 10_000
