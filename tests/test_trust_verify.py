"""Verification: what is said of files that are intact, tampered with, stripped, hostile or no media."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from cli_runs import runner, signals_kept
from media_samples import counting_video

from voicelip.errors import CredentialsError, InputNotFoundError
from voicelip.media import Audio, Clip, VideoWriter, read_audio, write_audio
from voicelip.trust import Claim, Model, Source
from voicelip.trust import claim as claim_module
from voicelip.trust.claim import DIGITAL_SOURCE_TYPES
from voicelip.trust.credentials import sign
from voicelip.trust.provenance import read_provenance
from voicelip.trust.report import to_dict, verdict_line
from voicelip.trust.verify import Verdict, verify, verify_folder

NOISE = np.random.default_rng(0).bytes(9999)


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.getbasetemp() / "trust-home"
    monkeypatch.setenv("VOICELIP_HOME", str(home))
    return home


@pytest.fixture
def authority(home):
    return home / "keys" / "ca.pem"


@pytest.fixture
def video(tmp_path):
    """A signed video, edited from footage."""
    footage = counting_video(tmp_path / "footage.mp4", 25, sound=np.zeros(16_000))
    out = tmp_path / "out.mp4"
    sign(footage, Claim((Source(footage, "parentOf", "footage"),), (Model("lips", "ab" * 32),)), out)
    return out


@pytest.fixture
def sound(tmp_path):
    """Signed speech."""
    path = tmp_path / "out.wav"
    write_audio(path, Audio(np.sin(np.arange(8000) / 9).astype(np.float32) / 2, 16_000))
    sign(path, Claim())
    return path


@pytest.fixture
def photograph(tmp_path, monkeypatch):
    """A video whose credentials say that a camera took it."""
    with monkeypatch.context() as patch:
        patch.setattr(claim_module, "SYNTHETIC", DIGITAL_SOURCE_TYPES + "digitalCapture")
        path = counting_video(tmp_path / "camera.mp4", 5)
        sign(path, Claim())
    return path


def box(path: Path, kind: bytes) -> tuple[int, int]:
    """Where a top-level box of an MP4 begins and ends."""
    content, start = path.read_bytes(), 0
    while content[start + 4 : start + 8] != kind:
        start += int.from_bytes(content[start : start + 4], "big")
    return start, start + int.from_bytes(content[start : start + 4], "big")


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x01
    path.write_bytes(content)


def remuxed(path: Path, out: Path) -> Path:
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        streams = {each.index: target.add_stream_from_template(each) for each in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return out


def re_encoded(path: Path, out: Path) -> Path:
    clip = Clip(path)
    with VideoWriter(out, clip.info.width, clip.info.height, clip.info.fps) as writer:
        for frame in clip.frames():
            writer.write_frame(frame.image)
    return out


class TestIntact:
    def test_synthetic_and_declared(self, video):
        report = verify(video)
        assert (report.verdict, report.credentials) == (Verdict.SYNTHETIC, "untrusted")
        assert [problem.code for problem in report.problems] == ["signingCredential.untrusted"]
        assert report.provenance.models == (Model("lips", "ab" * 32),)
        assert report.provenance.training_allowed is False
        assert [each.relationship for each in report.provenance.ingredients] == ["parentOf"]

    def test_trusted_when_the_authority_is(self, video, sound, authority):
        for path in (video, sound):
            report = verify(path, authority)
            assert (report.verdict, report.credentials) == (Verdict.SYNTHETIC, "trusted")
            assert not report.problems

    def test_of_a_trusted_camera_are_authentic(self, photograph, authority):
        assert verify(photograph, authority).verdict is Verdict.AUTHENTIC

    def test_of_an_unknown_camera_are_nothing_to_rely_on(self, photograph):
        report = verify(photograph)
        assert (report.verdict, report.credentials) == (Verdict.NOTHING, "untrusted")
        assert "signer is unknown" in verdict_line(report)

    def test_synthetic_far_back_is_synthetic(self, video, tmp_path, monkeypatch, authority):
        monkeypatch.setattr(claim_module, "COMPOSITE", DIGITAL_SOURCE_TYPES + "humanEdits")
        sign(video, Claim((Source(video, "parentOf", "footage"),)), tmp_path / "cut.mp4")
        report = verify(tmp_path / "cut.mp4", authority)
        assert report.verdict is Verdict.SYNTHETIC
        assert len(list(report.provenance.walk())) == 2

    def test_a_damaged_source_is_told(self, video, tmp_path):
        flip(video, box(video, b"mdat")[0] + 50)
        sign(video, Claim((Source(video, "parentOf", "footage"),)), tmp_path / "again.mp4")
        report = verify(tmp_path / "again.mp4")
        assert report.verdict is Verdict.SYNTHETIC
        assert "assertion.bmffHash.mismatch" in report.provenance.ingredients[0].problems

    def test_under_another_name(self, video, tmp_path):
        assert verify(video.rename(tmp_path / "holiday.jpg")).verdict is Verdict.SYNTHETIC


class TestTampering:
    @pytest.mark.parametrize("kind", [b"mdat", b"moov"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
    def test_one_byte_of_the_picture_or_its_index(self, video, kind, share):
        start, end = box(video, kind)
        flip(video, start + 8 + int(share * (end - start - 8)))
        report = verify(video)
        assert report.verdict is Verdict.TAMPERED
        assert "picture, sound or container" in verdict_line(report)

    @pytest.mark.parametrize(
        "text", [b"c2pa.edited", b"compositeWithTrained", b"notAllowed", b"lips", b"out.mp4"]
    )
    def test_one_byte_of_a_statement(self, video, text):
        flip(video, video.read_bytes().index(text))
        assert verify(video).verdict is Verdict.TAMPERED

    @pytest.mark.parametrize("offset", [4, 5, 6, 7, 8, 23, 28, 36, 50, 52, 60, 70])
    def test_one_byte_of_what_holds_the_credentials(self, video, offset):
        flip(video, box(video, b"uuid")[0] + offset)
        assert verify(video).verdict is Verdict.TAMPERED

    @pytest.mark.parametrize("position", [44, 100, 8000, -1500, -20])
    def test_one_byte_of_sound_and_its_header(self, sound, position):
        start = sound.read_bytes().index(b"C2PA")
        flip(sound, position if position >= 0 else start + position)
        assert verify(sound).verdict is Verdict.TAMPERED

    @pytest.mark.parametrize("offset", range(16, 33))
    def test_one_byte_of_the_type_of_the_credentials_in_sound(self, sound, offset):
        flip(sound, sound.read_bytes().index(b"C2PA") + offset)
        assert verify(sound).verdict is Verdict.TAMPERED

    @pytest.mark.parametrize("share", [0.999, 0.9, 0.5])
    def test_cut_short(self, video, share):
        content = video.read_bytes()
        video.write_bytes(content[: int(share * len(content))])
        assert verify(video).verdict is Verdict.TAMPERED

    @pytest.mark.parametrize("length", [50, 100, 2000])
    def test_cut_within_the_credentials(self, video, length):
        video.write_bytes(video.read_bytes()[: box(video, b"uuid")[0] + length])
        assert verify(video).verdict is Verdict.TAMPERED

    def test_something_appended(self, video, sound):
        for path in (video, sound):
            with path.open("ab") as file:
                file.write(b"\x00\x00\x00\x10free12345678")
            assert verify(path).verdict is Verdict.TAMPERED

    def test_credentials_of_another_file(self, video, tmp_path):
        other = counting_video(tmp_path / "other.mp4", 30)
        sign(other, Claim())
        (start, end), (other_start, other_end) = box(video, b"uuid"), box(other, b"uuid")
        content, donor = video.read_bytes(), other.read_bytes()
        video.write_bytes(content[:start] + donor[other_start:other_end] + content[end:])
        assert verify(video).verdict is Verdict.TAMPERED

    def test_sound_cut_short_loses_what_stood_at_its_end(self, sound, tmp_path):
        flac = tmp_path / "out.flac"
        write_audio(flac, Audio(np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32), 16_000))
        sign(flac, Claim())
        for path, verdict in ((sound, Verdict.NOTHING), (flac, Verdict.TAMPERED)):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            assert verify(path).verdict is verdict

    def test_hidden_credentials_are_found_blanked_ones_are_not(self, video):
        start, end = box(video, b"uuid")
        content = bytearray(video.read_bytes())
        content[start + 4 : start + 8] = b"free"
        video.write_bytes(content)
        assert verify(video).verdict is Verdict.TAMPERED
        content[start + 8 : end] = bytes(end - start - 8)
        video.write_bytes(content)
        assert verify(video).verdict is Verdict.NOTHING

    def test_sound_taken_out_of_a_video_has_none(self, video, tmp_path):
        write_audio(tmp_path / "sound.wav", read_audio(video))
        assert verify(tmp_path / "sound.wav").verdict is Verdict.NOTHING

    def test_re_muxed_or_re_encoded_has_none_left(self, video, tmp_path):
        for path in (remuxed(video, tmp_path / "re.mp4"), re_encoded(video, tmp_path / "new.mp4")):
            assert verify(path).verdict is Verdict.NOTHING
        assert verify(remuxed(video, tmp_path / "re.mkv")).verdict is Verdict.NOTHING


class TestStrangers:
    @pytest.mark.parametrize(
        "content", [b"", b"\x00", b"hello", bytes(5000), b"RIFF\xff\xff\xff\xffWAVE", NOISE]
    )
    @pytest.mark.parametrize("name", ["a.mp4", "a.wav", "a.jpg", "a"])
    def test_files_that_are_no_media_hold_nothing(self, tmp_path, content, name):
        (tmp_path / name).write_bytes(content)
        assert verify(tmp_path / name).verdict is Verdict.NOTHING

    def test_text_cannot_steer_the_terminal(self, video, tmp_path):
        sign(
            video,
            Claim(models=(Model("\x1b[2Jevil\u202e\n[bold]"),)),
            tmp_path / "b.mp4",
            title="\x1b]0;x\x07t",
        )
        report = verify(tmp_path / "b.mp4")
        said = json.dumps(to_dict(report), ensure_ascii=False)
        assert "\x1b" not in said
        assert "\\u001b" not in said
        assert "\u202e" not in said

    @pytest.mark.parametrize(
        "store",
        [
            {},
            {"active_manifest": [], "manifests": 3},
            {"active_manifest": "a", "manifests": {"a": None}},
            {"active_manifest": "a", "manifests": {"a": {"ingredients": [{"active_manifest": "a"}] * 50}}},
            {"active_manifest": "a", "manifests": {"a": {"assertions": [{"label": 1, "data": []}, 5]}}},
            {
                "active_manifest": "a",
                "manifests": {"a": {"assertions": [{"label": "c2pa.actions", "data": {"actions": [{}, 1]}}]}},
            },
        ],
    )
    def test_statements_of_any_shape_are_read(self, store):
        found = read_provenance(store)
        assert found is None or len(list(found.walk())) <= 200

    def test_a_folder_or_nothing_is_no_file(self, tmp_path):
        for path in (tmp_path, tmp_path / "gone.mp4"):
            with pytest.raises(InputNotFoundError):
                verify(path)
        with pytest.raises(InputNotFoundError, match="no media file"):
            verify_folder(tmp_path)

    def test_authorities_that_are_none_are_refused(self, video, tmp_path):
        (tmp_path / "ca.pem").write_text("nobody")
        with pytest.raises(CredentialsError, match="no certificate"):
            verify(video, tmp_path / "ca.pem")


class TestCommand:
    @pytest.fixture
    def run(self, capfd, monkeypatch):
        with signals_kept():
            yield runner(capfd, monkeypatch)

    def test_answers_by_its_exit_code(self, run, video, photograph, authority, tmp_path):
        plain = counting_video(tmp_path / "plain.mp4", 3)
        assert run("verify", photograph, "--trust", authority).code == 0
        assert run("verify", video).code == 1
        assert run("verify", plain).code == 3
        flip(video, box(video, b"mdat")[0] + 100)
        assert run("verify", video).code == 2

    def test_shows_how_a_file_came_to_be(self, run, video):
        lines = run("verify", video).out.splitlines()
        assert "synthetic, and declared so (intact credentials of an unknown signer)" in lines[0]
        shown = "\n".join(lines)
        for part in (
            "edited: compositeWithTrainedAlgorithmicMedia",
            "model lips",
            "edited from: footage sha256:",
        ):
            assert part in shown

    def test_examines_folders_and_tells_the_worst(self, run, video, photograph, authority, tmp_path):
        (tmp_path / "notes.txt").write_text("no media")
        outcome = run("verify", tmp_path, "--trust", authority)
        assert outcome.code == 3
        assert [line.split(":")[0] for line in outcome.out.splitlines()] == [
            str(tmp_path / name) for name in ("camera.mp4", "footage.mp4", "out.mp4")
        ]
        flip(video, box(video, b"mdat")[0] + 100)
        assert run("verify", tmp_path).code == 2

    def test_gives_json(self, run, video):
        (report,) = json.loads(run("verify", video, "--json").out)
        assert (report["verdict"], report["exit_code"], report["credentials"]) == (
            "synthetic",
            1,
            "untrusted",
        )
        assert report["provenance"]["models"] == [{"name": "lips", "sha256": "ab" * 32}]

    def test_keeps_its_verdicts_apart_from_mistakes(self, run, video, tmp_path):
        for arguments, code in (
            (("--nonsense",), 64),
            ((), 64),
            ((tmp_path / "gone.mp4",), 66),
            ((video, "--trust", tmp_path / "gone.pem"), 66),
            ((video, "--trust", video), 66),
        ):
            outcome = run("verify", *arguments)
            assert outcome.code == code
            assert len(outcome.error_lines) == 1
            assert not outcome.out
