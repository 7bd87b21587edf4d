"""What is left when credentials are gone: every output is marked, and `verify` tells what was done to it."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from cli_runs import runner, signals_kept

from voicelip.media import Audio, Clip, VideoWriter, read_audio, write_audio
from voicelip.pipeline import PRESENTER, PRESENTER_VOICE
from voicelip.trust import keys, watermark
from voicelip.trust.report import evidence_lines, verdict_line
from voicelip.trust.verify import Verdict, verify

SENTENCE = "The last train to the coast leaves at ten tonight."


@pytest.fixture(autouse=True)
def key_folder(tmp_path_factory, monkeypatch):
    """The models stay where they are, the key is the test's own."""
    folder = tmp_path_factory.getbasetemp() / "evidence-keys"
    monkeypatch.setattr(keys, "key_folder", lambda: folder)


@pytest.fixture
def run(capfd, monkeypatch):
    with signals_kept():
        yield runner(capfd, monkeypatch)


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    voice = read_audio(PRESENTER_VOICE)
    write_audio(path, Audio(voice.samples[: 4 * voice.sample_rate], voice.sample_rate))
    return path


@pytest.fixture
def output(run, speech, tmp_path_factory) -> Path:
    """What `lipsync` writes, made once."""
    path = tmp_path_factory.getbasetemp() / "evidence.mp4"
    if not path.exists():
        assert run("lipsync", "--face", PRESENTER, "--audio", speech, "-o", path).code == 0
    return path


def remuxed(path: Path, out: Path) -> Path:
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        streams = {each.index: target.add_stream_from_template(each) for each in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return out


def re_encoded(path: Path, out: Path) -> Path:
    clip, audio = Clip(path), read_audio(path)
    with VideoWriter(
        out, clip.info.width, clip.info.height, clip.info.fps, audio.sample_rate, crf=30
    ) as writer:
        for frame in clip.frames():
            writer.write_frame(frame.image)
        writer.write_audio(audio.samples)
    return out


class TestEveryOutput:
    def test_of_lipsync(self, output, run):
        outcome = run("verify", output, "--json")
        assert outcome.code == Verdict.SYNTHETIC.value
        (report,) = json.loads(outcome.out)
        assert report["credentials"] == "untrusted"
        assert report["watermark"]["found"]

    def test_of_speak(self, run, tmp_path):
        out = tmp_path / "out.wav"
        assert run("speak", "--voice", "stock:af_heart", "-o", out, SENTENCE).code == 0
        report = verify(out)
        assert report.verdict is Verdict.SYNTHETIC
        assert report.is_marked

    def test_of_say(self, run, tmp_path):
        out = tmp_path / "out.mp4"
        voice = ("--voice", "stock:am_adam", "--face", PRESENTER)
        assert run("say", *voice, "-o", out, SENTENCE).code == 0
        report = verify(out)
        assert report.verdict is Verdict.SYNTHETIC
        assert report.is_marked

    def test_speech_that_cannot_carry_the_mark_is_told(self, run, tmp_path):
        quiet = tmp_path / "quiet.wav"
        write_audio(quiet, Audio(np.zeros(8000, np.float32), 16_000))
        outcome = run("lipsync", "--face", PRESENTER, "--audio", quiet, "-o", tmp_path / "out.mp4", "--json")
        assert any("watermark" in warning for warning in json.loads(outcome.out)["warnings"])


class TestCredentialsGone:
    def test_re_muxed(self, output, run, tmp_path):
        outcome = run("verify", "--no-detect", remuxed(output, tmp_path / "copy.mp4"))
        assert outcome.code == Verdict.SUSPICIOUS.value
        assert "its credentials are gone (re-encoded or re-muxed)" in outcome.out

    def test_re_encoded(self, output, run, tmp_path):
        outcome = run("verify", "--no-detect", re_encoded(output, tmp_path / "copy.mp4"))
        assert outcome.code == Verdict.SUSPICIOUS.value
        assert "watermark: found" in outcome.out

    def test_sound_taken_out_at_another_rate(self, output, tmp_path):
        path = tmp_path / "sound.wav"
        write_audio(path, read_audio(output, 16_000))
        assert verify(path).verdict is Verdict.SUSPICIOUS

    def test_one_byte_flipped(self, output, run, tmp_path):
        content = bytearray(output.read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / "flipped.mp4").write_bytes(content)
        assert run("verify", tmp_path / "flipped.mp4").code == Verdict.TAMPERED.value

    def test_cut(self, output, run, tmp_path):
        content = output.read_bytes()
        (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 3 // 4])
        assert run("verify", tmp_path / "cut.mp4").code == Verdict.TAMPERED.value

    def test_nothing_is_found_in_the_recording_itself(self, speech, run):
        outcome = run("verify", speech)
        assert outcome.code == Verdict.NOTHING.value
        assert "watermark: not found" in outcome.out

    def test_the_worst_of_several_decides(self, output, speech, run, tmp_path):
        copy = remuxed(output, tmp_path / "copy.mp4")
        assert run("verify", "--no-detect", output, speech, copy).code == Verdict.SUSPICIOUS.value


def test_a_file_without_sound_has_none_to_look_in(tmp_path):
    path = tmp_path / "picture.mp4"
    with VideoWriter(path, 64, 64, 25) as writer:
        writer.write_frame(np.zeros((64, 64, 3), np.uint8))
    report = verify(path)
    assert report.watermark is None
    assert "no sound" in evidence_lines(report)[0]


def test_another_speed_is_told(speech, tmp_path):
    marked = watermark.mark(read_audio(speech)).audio
    write_audio(tmp_path / "fast.wav", Audio(marked.samples, round(marked.sample_rate * 1.1)))
    report = verify(tmp_path / "fast.wav")
    assert report.verdict is Verdict.SUSPICIOUS
    assert "1.1 times" in evidence_lines(report)[0]
    assert "suspicious" in verdict_line(report)
