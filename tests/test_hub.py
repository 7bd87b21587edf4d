"""Artifacts arrive whole and checked, or not at all: from a local web server, and from wheels by pip."""

import hashlib
import os
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voicelip import hub, mirrors
from voicelip.errors import ArtifactError, TermsError, UnknownNameError
from voicelip.hub import Artifact, ArtifactFile
from voicelip.mirrors import Mirror, WebMirror, WheelMirror

CONTENT = bytes(range(256)) * 400


@dataclass
class Server:
    """A web server of one file, with the faults a test asks for."""

    url: str
    content: bytes = CONTENT
    honours_range: bool = True
    breaks_after: int | None = None
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            start = int(re.findall(r"\d+", wanted)[0]) if wanted and state.honours_range else 0
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.breaks_after is not None:
                body, state.breaks_after = body[: state.breaks_after], None
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{httpd.server_port}/file")
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VOICELIP_OFFLINE", raising=False)
    monkeypatch.setattr(mirrors, "_dead_hosts", set())
    return tmp_path / "home"


Register = Callable[..., Artifact]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Put one artifact, called "thing", in the place of the registry."""

    def put(*sources: Mirror, content: bytes = CONTENT) -> Artifact:
        file = ArtifactFile("thing.bin", len(content), hashlib.sha256(content).hexdigest())
        artifact = Artifact("thing", "tests", "CC0", "https://example.invalid", (file,), sources)
        monkeypatch.setattr(hub, "_registry", lambda: {"thing": artifact})
        return artifact

    return put


def web(url: str) -> WebMirror:
    return WebMirror({"thing.bin": url})


@pytest.fixture
def wheel_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, dict[str, bytes]], str]:
    """Make wheels in a folder that is the only index pip is configured for."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def make(name: str, members: dict[str, bytes]) -> str:
        info = f"{name}-1.0.dist-info"
        texts = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
            for path, data in [*texts.items(), *members.items()]:
                archive.writestr(path, data)
        return f"{name}==1.0"

    return make


def parts_left(home: Path) -> list[str]:
    return [path.name for path in (home / "models" / "thing").iterdir() if not path.name.startswith(".")]


# --- from the web


def test_first_use_downloads_and_reports_bytes(server: Server, register: Register, home: Path) -> None:
    register(web(server.url))
    calls: list[tuple[float, float | None, str]] = []
    path = hub.fetch("thing", lambda stage, done, total, unit="": calls.append((done, total, unit)))
    assert path.read_bytes() == CONTENT
    assert calls[-1] == (len(CONTENT), len(CONTENT), "B")
    assert sorted(parts_left(home)) == ["checked.json", "thing.bin"]


def test_later_uses_ask_nobody(server: Server, register: Register) -> None:
    register(web(server.url))
    assert hub.fetch("thing") == hub.fetch("thing")
    assert len(server.asked) == 1


def test_a_broken_transfer_goes_on_where_it_stopped(server: Server, register: Register) -> None:
    register(web(server.url))
    server.breaks_after = 40_000
    assert hub.fetch("thing").read_bytes() == CONTENT
    assert server.asked[0] is None
    assert server.asked[1] is not None
    assert int(re.findall(r"\d+", server.asked[1])[0]) > 0


def test_an_earlier_run_s_part_is_resumed(server: Server, register: Register, home: Path) -> None:
    register(web(server.url))
    (home / "models" / "thing").mkdir(parents=True)
    (home / "models" / "thing" / "thing.bin.part").write_bytes(CONTENT[:50_000])
    assert hub.fetch("thing").read_bytes() == CONTENT
    assert server.asked == ["bytes=50000-"]


@pytest.mark.parametrize("left", [b"something else", b"x" * (len(CONTENT) + 5)])
def test_a_part_that_does_not_fit_is_started_again(
    server: Server, register: Register, home: Path, left: bytes
) -> None:
    register(web(server.url))
    (home / "models" / "thing").mkdir(parents=True)
    (home / "models" / "thing" / "thing.bin.part").write_bytes(left)
    assert hub.fetch("thing").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_again(server: Server, register: Register, home: Path) -> None:
    register(web(server.url))
    server.honours_range = False
    (home / "models" / "thing").mkdir(parents=True)
    (home / "models" / "thing" / "thing.bin.part").write_bytes(CONTENT[:50_000])
    assert hub.fetch("thing").read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"!", CONTENT + b"more", CONTENT[:100]])
def test_wrong_bytes_are_never_handed_out(
    server: Server, register: Register, home: Path, wrong: bytes
) -> None:
    register(web(server.url))
    server.content = wrong
    with pytest.raises(ArtifactError, match="thing"):
        hub.fetch("thing")
    assert "thing.bin" not in parts_left(home)
    server.content = CONTENT
    assert hub.fetch("thing").read_bytes() == CONTENT


def test_a_dead_host_is_given_up_quickly_and_only_once(register: Register) -> None:
    register(web("https://nowhere.invalid/file"))
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(ArtifactError, match=r"nowhere\.invalid"):
            hub.fetch("thing")
    assert time.monotonic() - began < mirrors.CONNECT_SECONDS + 2
    assert mirrors._dead_hosts == {"nowhere.invalid"}


# --- from wheels


def test_members_of_several_wheels_are_joined(wheel_index, register: Register, home: Path) -> None:
    pieces = (
        (wheel_index("vltest_a", {"vltest_a/part.bin": CONTENT[:60_000]}), "vltest_a/part.bin"),
        (wheel_index("vltest_b", {"vltest_b/part.bin": CONTENT[60_000:]}), "vltest_b/part.bin"),
    )
    register(web("https://nowhere.invalid/file"), WheelMirror({"thing.bin": pieces}, 1))
    assert hub.fetch("thing").read_bytes() == CONTENT
    assert sorted(parts_left(home)) == ["checked.json", "thing.bin"]


@pytest.mark.parametrize(
    ("member", "data", "reason"),
    [
        ("vltest_c/other.bin", CONTENT, "holds no vltest_c/part.bin"),
        ("vltest_c/part.bin", CONTENT + b"more", "larger"),
        ("vltest_c/part.bin", CONTENT[:-1] + b"!", "sha256"),
        ("vltest_c/part.bin", CONTENT[:9], "9 bytes"),
    ],
)
def test_a_wheel_that_is_not_as_registered_is_refused(
    wheel_index, register: Register, home: Path, member: str, data: bytes, reason: str
) -> None:
    requirement = wheel_index("vltest_c", {member: data})
    register(WheelMirror({"thing.bin": ((requirement, "vltest_c/part.bin"),)}, 1))
    with pytest.raises(ArtifactError, match=reason):
        hub.fetch("thing")
    assert "thing.bin" not in parts_left(home)


def test_the_error_names_every_mirror_its_reason_and_the_remedy(wheel_index, register: Register) -> None:
    wheel_index("vltest_d", {})
    absent = WheelMirror({"thing.bin": (("vltest_absent==1.0", "x"),)}, 1)
    register(web("https://nowhere.invalid/file"), absent)
    with pytest.raises(ArtifactError) as caught:
        hub.fetch("thing")
    message = str(caught.value)
    for said in ("thing", "nowhere.invalid", "vltest_absent==1.0", "voicelip models pull thing"):
        assert said in message
    assert "\n" not in message


# --- what is kept


def test_offline_uses_what_is_there_and_asks_for_nothing_else(
    server: Server, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(web(server.url))
    monkeypatch.setenv("VOICELIP_OFFLINE", "1")
    with pytest.raises(ArtifactError, match="VOICELIP_OFFLINE"):
        hub.fetch("thing")
    assert server.asked == []
    monkeypatch.delenv("VOICELIP_OFFLINE")
    hub.fetch("thing")
    monkeypatch.setenv("VOICELIP_OFFLINE", "1")
    assert hub.fetch("thing").read_bytes() == CONTENT


def test_a_file_changed_after_its_check_is_fetched_again(server: Server, register: Register) -> None:
    register(web(server.url))
    path = hub.fetch("thing")
    path.write_bytes(b"overwritten")
    assert hub.fetch("thing").read_bytes() == CONTENT


def test_a_copied_file_is_adopted_without_a_download(
    server: Server, register: Register, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(web(server.url))
    (home / "models" / "thing").mkdir(parents=True)
    (home / "models" / "thing" / "thing.bin").write_bytes(CONTENT)
    monkeypatch.setenv("VOICELIP_OFFLINE", "1")
    assert hub.fetch("thing").read_bytes() == CONTENT
    assert server.asked == []


def test_verify_finds_damage_that_the_stamp_cannot_see(server: Server, register: Register) -> None:
    register(web(server.url))
    assert hub.verify("thing").state == "absent"
    path = hub.fetch("thing")
    assert hub.verify("thing").state == "present"
    before = path.stat()
    path.write_bytes(CONTENT[:-1] + b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hub.status()[0].state == "present"
    assert hub.verify("thing").state == "damaged"
    assert hub.status()[0].state == "damaged"
    assert hub.fetch("thing").read_bytes() == CONTENT


def test_concurrent_fetches_download_once(server: Server, register: Register) -> None:
    register(web(server.url))
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: hub.fetch("thing"), range(4)))
    assert len(server.asked) == 1
    assert all(path.read_bytes() == CONTENT for path in paths)


def test_a_home_that_cannot_be_written_is_one_clear_error(
    server: Server, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(web(server.url))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "file"))
    with pytest.raises(ArtifactError, match="VOICELIP_HOME"):
        hub.fetch("thing")


# --- the registry itself


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="face-landmarker"):
        hub.fetch("nonsense")


def test_entries_are_complete_and_safe() -> None:
    for name, artifact in hub.entries().items():
        assert artifact.name == name
        assert artifact.licence
        assert artifact.purpose
        for file in artifact.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert Path(file.name).name == file.name
            assert file.bytes > 0
        assert artifact.mirrors
        for mirror in artifact.mirrors:
            if isinstance(mirror, WebMirror):
                assert all(url.startswith("https://") for url in mirror.urls.values())
                assert set(mirror.urls) == set(artifact.sizes)
                continue
            assert isinstance(mirror, WheelMirror)
            assert set(mirror.members) == set(artifact.sizes)
            assert all(re.fullmatch(r"[\w.-]+==[\w.]+", requirement) for requirement in mirror.requirements)


def test_what_has_terms_of_its_own_is_fetched_only_by_name_and_after_acceptance(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path))
    monkeypatch.setenv("VOICELIP_OFFLINE", "1")
    assert "wav2lip" in hub.entries()
    assert "wav2lip" not in hub.free_entries()
    with pytest.raises(TermsError, match="models accept wav2lip-gan"):
        hub.fetch("wav2lip-gan")
    monkeypatch.setenv("VOICELIP_ACCEPT", "wav2lip-gan")
    with pytest.raises(ArtifactError, match="OFFLINE"):
        hub.fetch("wav2lip-gan")


def test_pretrained_files_are_found_or_named() -> None:
    assert hub.pretrained("kokoro_voices.npz").is_file()
    with pytest.raises(ArtifactError, match=r"pretrained/nothing\.onnx"):
        hub.pretrained("nothing.onnx")
