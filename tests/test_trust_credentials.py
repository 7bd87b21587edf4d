"""Content credentials in finished files: what they say, what they do not say, and all or nothing."""

import hashlib
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import c2pa
import numpy as np
import pytest
from media_samples import counting_video

from voicelip import claims
from voicelip.errors import CredentialsError, OutputError
from voicelip.media import Audio, Clip, VideoWriter, read_audio, write_audio
from voicelip.trust import Claim, Model, Source
from voicelip.trust.claim import COMPOSITE, SYNTHETIC
from voicelip.trust.credentials import SETTINGS, sign, signing

TONE = Audio(np.sin(np.arange(8000) / 9).astype(np.float32) / 2, 16_000)


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.getbasetemp() / "trust-home"
    monkeypatch.setenv("VOICELIP_HOME", str(home))
    return home


@pytest.fixture
def clip(tmp_path):
    return counting_video(tmp_path / "Alice at home.mp4", 12)


@pytest.fixture
def recording(tmp_path):
    write_audio(tmp_path / "Alice.wav", TONE)
    return tmp_path / "Alice.wav"


def store_of(path):
    with c2pa.Reader(str(path), context=c2pa.Context.from_dict(SETTINGS)) as reader:
        return json.loads(reader.json())


def manifest_of(path):
    store = store_of(path)
    return store["manifests"][store["active_manifest"]]


def assertion(manifest, label):
    return next(each["data"] for each in manifest["assertions"] if each["label"] == label)


def actions(manifest):
    return assertion(manifest, "c2pa.actions.v2")["actions"]


def test_of_edited_footage_name_it_as_the_parent(clip, recording, tmp_path):
    claim = Claim((Source(clip, "parentOf", "footage"), Source(recording, "componentOf", "speech")))
    sign(clip, claim, tmp_path / "out.mp4")
    manifest = manifest_of(tmp_path / "out.mp4")
    assert [each["action"] for each in actions(manifest)] == ["c2pa.opened", "c2pa.edited", "c2pa.placed"]
    assert actions(manifest)[1]["digitalSourceType"] == COMPOSITE
    footage, speech = manifest["ingredients"]
    assert (footage["title"], footage["relationship"]) == ("footage", "parentOf")
    assert (speech["title"], speech["relationship"]) == ("speech", "componentOf")
    assert footage["instance_id"] == f"sha256:{hashlib.sha256(clip.read_bytes()).hexdigest()}"


def test_of_speech_alone_say_that_all_is_synthetic(recording, tmp_path):
    sign(recording, Claim((Source(recording, "inputTo", "voice reference"),)), tmp_path / "out.wav")
    manifest = manifest_of(tmp_path / "out.wav")
    (created,) = actions(manifest)
    assert (created["action"], created["digitalSourceType"]) == ("c2pa.created", SYNTHETIC)
    assert len(created["parameters"]["ingredients"]) == 1
    assert manifest["claim_generator_info"][0]["name"] == "voicelip"


def test_name_the_models_and_forbid_training(recording):
    sign(recording, Claim(models=(Model("kokoro", "ab" * 32), Model("somebody's"))))
    manifest = manifest_of(recording)
    assert assertion(manifest, "org.voicelip.models")["models"] == [
        {"name": "kokoro", "sha256": "ab" * 32},
        {"name": "somebody's", "sha256": None},
    ]
    uses = assertion(manifest, "cawg.training-mining")["entries"].values()
    assert {use["use"] for use in uses} == {"notAllowed"}


def test_keep_those_of_the_source(clip, tmp_path):
    sign(clip, Claim(models=(Model("camera"),)), tmp_path / "first.mp4")
    claim = Claim((Source(tmp_path / "first.mp4", "parentOf", "footage"),))
    sign(clip, claim, tmp_path / "second.mp4")
    store = store_of(tmp_path / "second.mp4")
    assert len(store["manifests"]) == 2
    before = store["manifests"][manifest_of(tmp_path / "second.mp4")["ingredients"][0]["active_manifest"]]
    assert assertion(before, "org.voicelip.models")["models"][0]["name"] == "camera"


def test_name_no_person_and_no_folder(clip, recording, tmp_path):
    claim = Claim((Source(clip, "parentOf", "footage"), Source(recording, "inputTo", "voice reference")))
    sign(clip, claim, tmp_path / "out.mp4")
    said = json.dumps(store_of(tmp_path / "out.mp4"))
    added = (tmp_path / "out.mp4").read_bytes().replace(clip.read_bytes()[100:], b"")
    assert manifest_of(tmp_path / "out.mp4")["title"] == "out.mp4"
    for private in ("Alice", tmp_path.name, os.environ.get("HOME", "/root/")):
        assert private not in said
        assert private.encode() not in added


def test_of_a_source_that_c2pa_cannot_read_still_hold_its_hash(clip, tmp_path):
    odd = tmp_path / "clip.mkv"
    odd.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(1000))
    claim = Claim((Source(odd, "parentOf", "footage"), Source(clip, "inputTo", "voice reference")))
    sign(clip, claim, tmp_path / "out.mp4")
    ingredients = {each["title"]: each for each in manifest_of(tmp_path / "out.mp4")["ingredients"]}
    assert ingredients["footage"]["instance_id"] == f"sha256:{hashlib.sha256(odd.read_bytes()).hexdigest()}"
    assert "voice reference" in ingredients


def test_leave_picture_and_sound_as_they_were(clip, recording, tmp_path):
    before = [frame.image for frame in Clip(clip).frames()]
    sign(clip, Claim())
    assert all(np.array_equal(a, b.image) for a, b in zip(before, Clip(clip).frames(), strict=True))
    sound = read_audio(recording).samples
    sign(recording, Claim())
    assert np.array_equal(read_audio(recording).samples, sound)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v"])
def test_are_in_every_video_that_the_writer_finishes(tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    with VideoWriter(out, 64, 48, 25, finish=signing(out, Claim())) as writer:
        for _ in range(5):
            writer.write_frame(np.zeros((48, 64, 3), np.uint8))
        assert not out.exists()
    assert manifest_of(out)["title"] == out.name
    assert os.listdir(tmp_path) == [out.name]


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_are_in_every_sound_file(tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    write_audio(out, TONE, finish=signing(out, Claim()))
    assert manifest_of(out)["title"] == out.name
    assert os.listdir(tmp_path) == [out.name]


class TestFailure:
    def test_to_sign_leaves_no_output(self, tmp_path):
        out = tmp_path / "out.mp4"
        missing = Claim((Source(tmp_path / "gone.mp4", "parentOf", "footage"),))
        with pytest.raises(OutputError), VideoWriter(out, 64, 48, 25, finish=signing(out, missing)) as writer:
            writer.write_frame(np.zeros((48, 64, 3), np.uint8))
        assert not os.listdir(tmp_path)

    def test_to_read_back_what_was_written_is_a_failure(self, clip, tmp_path, monkeypatch):
        before = clip.read_bytes()
        monkeypatch.setattr(c2pa.Reader, "get_validation_state", lambda reader: "Invalid")
        with pytest.raises(CredentialsError, match="do not fit"):
            sign(clip, Claim())
        assert clip.read_bytes() == before
        assert os.listdir(tmp_path) == [clip.name]

    def test_of_the_file_to_be_media_is_one_line(self, tmp_path):
        (tmp_path / "out.mp4").write_bytes(b"not a video at all" * 100)
        with pytest.raises(CredentialsError) as failed:
            sign(tmp_path / "out.mp4", Claim())
        assert "\n" not in str(failed.value)
        assert os.listdir(tmp_path) == ["out.mp4"]

    @pytest.mark.skipif(os.name == "nt", reason="no limit on file sizes there")
    def test_for_want_of_room_says_so(self, clip):
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                sign(clip, Claim())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    def test_by_an_unusable_key_comes_before_the_work(self, tmp_path, monkeypatch):
        monkeypatch.setenv("VOICELIP_KEY", "nowhere.pem")
        with pytest.raises(CredentialsError, match="belong together"):
            signing(tmp_path / "out.mp4", Claim())

    def test_for_a_kind_of_file_without_credentials_names_those_with(self, tmp_path):
        with pytest.raises(CredentialsError, match=r"\.mp4.*\.wav"):
            sign(tmp_path / "out.ogg", Claim())


class TestClaims:
    def test_of_a_stock_voice_have_no_source(self):
        claim = claims.spoken("kokoro", None)
        assert claim.digital_source_type == SYNTHETIC
        assert not claim.sources
        names = [model.name for model in claim.models]
        assert "kokoro_voices.npz" in names
        assert all(len(model.sha256 or "") == 64 for model in claim.models)

    def test_of_a_cloned_voice_and_nobodys_face_are_synthetic(self, recording):
        claim = claims.animated(None, "embedded") + claims.spoken("kokoro", recording)
        assert claim.digital_source_type == SYNTHETIC
        assert [source.relationship for source in claim.sources] == ["inputTo"]

    def test_of_footage_or_recorded_speech_are_composite(self, clip, recording):
        assert claims.animated(clip, "embedded").digital_source_type == COMPOSITE
        assert claims.recorded(recording).digital_source_type == COMPOSITE

    def test_never_hold_the_path_of_a_model(self, recording):
        (model,) = claims._models(claims._LIPS, f"wav2lip:{recording}")
        assert model == Model("wav2lip", hashlib.sha256(recording.read_bytes()).hexdigest())


class TestTimeStamp:
    @pytest.fixture
    def server(self, monkeypatch):
        """A time-stamp server that answers nonsense, and what it was asked."""
        asked = []

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(
                    (self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"])))
                )
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"no time stamp")

            def log_message(self, *arguments):
                pass

        server = HTTPServer(("127.0.0.1", 0), Answer)
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("VOICELIP_TSA_URL", f"http://127.0.0.1:{server.server_port}/")
        yield asked
        server.shutdown()
        server.server_close()

    def test_is_asked_for_where_a_server_is_configured(self, recording, server):
        before = recording.read_bytes()
        with pytest.raises(CredentialsError, match="VOICELIP_TSA_URL"):
            sign(recording, Claim())
        assert server
        assert server[0][0] == "application/timestamp-query"
        assert recording.read_bytes() == before

    def test_is_not_asked_for_otherwise(self, recording, monkeypatch):
        monkeypatch.setenv("VOICELIP_TSA_URL", "")
        sign(recording, Claim())
        assert "time" not in manifest_of(recording)["signature_info"]

    def test_an_address_that_is_none_is_refused_before_the_work(self, recording, monkeypatch):
        monkeypatch.setenv("VOICELIP_TSA_URL", "noon")
        with pytest.raises(CredentialsError, match="noon"):
            signing(recording, Claim())
