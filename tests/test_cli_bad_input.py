"""Whatever is wrong with the input or the output: one line, its exit code, and nothing lost or left behind.

Every case goes through the command line and the real pipeline.
"""

import os
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Outcome, Run, runner, signals_kept
from consent_samples import vouched_for
from media_samples import counting_video

from voicelip.media import Audio, write_audio
from voicelip.speech.phonemes import LANGUAGES

resource = pytest.importorskip("resource", reason="limits of processes are a matter of Unix")

RATE = 16_000
STOCK = "stock:af_heart"
PRESENTER = "stock:presenter"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    with signals_kept():
        yield runner(capfd, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for the output; what is in it afterwards was left behind."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good and bad files."""
    place = tmp_path_factory.mktemp("media")
    noise = np.random.default_rng(1).normal(0, 0.1, 400 * RATE).astype(np.float32)
    write_audio(place / "speech.wav", Audio(noise[: 3 * RATE], RATE))
    write_audio(place / "silent.wav", Audio(np.zeros(5 * RATE, np.float32), RATE))
    write_audio(place / "short.wav", Audio(noise[: 3 * RATE // 2], RATE))
    write_audio(place / "long.wav", Audio(noise[: 301 * RATE], RATE))
    (place / "empty.mp4").touch()
    (place / "empty.wav").touch()
    (place / "corrupt.mp4").write_bytes(np.random.default_rng(2).bytes(30_000))
    (place / "corrupt.wav").write_bytes(np.random.default_rng(3).bytes(30_000))
    whole = counting_video(place / "faceless.mp4", 50).read_bytes()
    (place / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (place / "words.mp4").write_text("This is not a film. " * 100)
    vouched_for(*place.glob("*.wav"), kind="voice")
    vouched_for(place / "faceless.mp4", kind="face")
    return place


def expect_error(outcome: Outcome, code: int, *said: str) -> None:
    assert outcome.code == code, outcome.err
    assert len(outcome.error_lines) == 1, outcome.err
    assert outcome.err.startswith("voicelip: error: ")
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    for words in said:
        assert words in outcome.err


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


class TestFace:
    @pytest.mark.parametrize(
        ("name", "code", "said"),
        [
            ("missing.mp4", 3, "no such file"),
            ("empty.mp4", 4, "is empty"),
            ("corrupt.mp4", 4, "corrupt"),
            ("truncated.mp4", 4, "cut short"),
            ("words.mp4", 4, "not a media file"),
            ("speech.wav", 4, "no picture"),
            ("", 4, "is a folder"),
            ("faceless.mp4", 5, "no face"),
        ],
    )
    def test_that_is_no_use(
        self, run: Run, media: Path, folder: Path, name: str, code: int, said: str
    ) -> None:
        outcome = run(
            "lipsync", "--face", media / name, "--audio", media / "speech.wav", "-o", folder / "out.mp4"
        )
        expect_error(outcome, code, said, str(media / name))
        assert not leftovers(folder)

    def test_that_is_missing_is_told_before_anything_is_spoken(self, run: Run, media: Path, folder: Path):
        outcome = run(
            "say", "Hello.", "--voice", STOCK, "--face", media / "missing.mp4", "-o", folder / "out.mp4"
        )
        expect_error(outcome, 3, "no such file")
        assert not leftovers(folder)

    def test_that_is_not_among_those_in_the_picture(self, run: Run, media: Path, folder: Path) -> None:
        outcome = run(
            "lipsync", "--face", PRESENTER, "--audio", media / "speech.wav", "-o", folder / "out.mp4",
            "--face-index", 7,
        )  # fmt: skip
        expect_error(outcome, 5)
        assert not leftovers(folder)


class TestAudio:
    @pytest.mark.parametrize(
        ("name", "code", "said"),
        [
            ("missing.wav", 3, "no such file"),
            ("empty.wav", 4, "is empty"),
            ("corrupt.wav", 4, "not a media file"),
            ("faceless.mp4", 4, "no sound"),
        ],
    )
    def test_that_is_no_use(
        self, run: Run, media: Path, folder: Path, name: str, code: int, said: str
    ) -> None:
        outcome = run("lipsync", "--face", PRESENTER, "--audio", media / name, "-o", folder / "out.mp4")
        expect_error(outcome, code, said, str(media / name))
        assert not leftovers(folder)


class TestVoice:
    @pytest.mark.parametrize(
        ("voice", "code", "said"),
        [
            ("missing.wav", 3, "no such file"),
            ("empty.wav", 4, "is empty"),
            ("corrupt.wav", 4, "not a media file"),
            ("silent.wav", 6, "silent"),
            ("short.wav", 6, "6 s to 2 min"),
            ("long.wav", 6, "5"),
        ],
    )
    def test_recording_that_is_no_use(
        self, run: Run, media: Path, folder: Path, voice: str, code: int, said: str
    ) -> None:
        outcome = run("speak", "Hello.", "--voice", media / voice, "-o", folder / "out.wav")
        expect_error(outcome, code, said, str(media / voice))
        assert not leftovers(folder)

    def test_of_an_unknown_name(self, run: Run, folder: Path) -> None:
        outcome = run("speak", "Hello.", "--voice", "stock:af_hart", "-o", folder / "out.wav")
        expect_error(outcome, 11, "af_heart")
        assert not leftovers(folder)


class TestText:
    @pytest.mark.parametrize("text", ["", " \n\t ", "…!?", "🙂🙃", "漢字"])
    def test_without_anything_to_speak(self, run: Run, folder: Path, text: str) -> None:
        outcome = run("speak", text, "--voice", STOCK, "-o", folder / "out.wav")
        expect_error(outcome, 7)
        assert not leftovers(folder)

    @pytest.mark.parametrize("lang", ["tlh", "de", ""])
    def test_in_a_language_that_is_not_spoken(self, run: Run, folder: Path, lang: str) -> None:
        outcome = run("speak", "Hello.", "--voice", STOCK, "--lang", lang, "-o", folder / "out.wav")
        expect_error(outcome, 8, *LANGUAGES)
        assert not leftovers(folder)

    def test_is_looked_at_before_the_face(self, run: Run, media: Path, folder: Path) -> None:
        outcome = run("say", "", "--voice", STOCK, "--face", media / "faceless.mp4", "-o", folder / "out.mp4")
        expect_error(outcome, 7)


COMMANDS = {
    "speak": ("speak", "Hello.", "--voice", STOCK),
    "lipsync": ("lipsync", "--face", PRESENTER, "--audio", "{media}/speech.wav"),
    "say": ("say", "Hello.", "--voice", STOCK, "--face", PRESENTER),
    "demo": ("demo",),
}


@pytest.mark.parametrize("command", COMMANDS)
class TestOutput:
    @pytest.fixture
    def argv(self, command: str, media: Path) -> list[str]:
        return [word.format(media=media) for word in COMMANDS[command]]

    @pytest.fixture
    def name(self, command: str) -> str:
        return "out.wav" if command == "speak" else "out.mp4"

    def test_folder_that_is_missing(self, run: Run, folder: Path, argv: list[str], name: str) -> None:
        expect_error(run(*argv, "-o", folder / "nowhere" / name), 9, "no such folder")
        assert not leftovers(folder)

    def test_folder_that_is_a_file(self, run: Run, folder: Path, argv: list[str], name: str) -> None:
        (folder / "file").write_text("kept")
        expect_error(run(*argv, "-o", folder / "file" / name), 9, "is not a folder")
        assert leftovers(folder) == ["file"]

    def test_folder_that_is_read_only(self, run: Run, folder: Path, argv: list[str], name: str) -> None:
        if os.getuid() == 0:
            # Permissions do not bind the administrator, but nobody writes to the kernel's own folders.
            folder = Path("/sys/kernel")
            if not folder.is_dir():
                pytest.skip("run by the administrator, and there is no /sys")
        else:
            folder.chmod(0o500)
        expect_error(run(*argv, "-o", folder / name), 9, "cannot be written to")
        assert not (folder / name).exists()

    def test_file_that_exists(self, run: Run, folder: Path, argv: list[str], name: str) -> None:
        (folder / name).write_text("dear to somebody")
        expect_error(run(*argv, "-o", folder / name), 9, "--overwrite")
        assert (folder / name).read_text() == "dear to somebody"
        assert leftovers(folder) == [name]

    def test_that_is_a_folder(self, run: Run, folder: Path, argv: list[str], name: str) -> None:
        (folder / name).mkdir()
        expect_error(run(*argv, "-o", folder / name, "--overwrite"), 9, "is a folder")
        assert leftovers(folder) == [name]


@pytest.mark.parametrize("command", ["speak", "lipsync"])
def test_output_of_an_unknown_kind(run: Run, media: Path, folder: Path, command: str) -> None:
    argv = [word.format(media=media) for word in COMMANDS[command]]
    expect_error(run(*argv, "-o", folder / "out.xyz"), 2, "out.xyz")
    assert not leftovers(folder)


class TestDiskFull:
    """The kernel refuses to let any file grow beyond some kilobytes, as it would when the disk is full.

    Each command runs once before that: libraries put files of their own aside when they start.
    """

    @pytest.fixture
    def run_without_room(self, run: Run, tmp_path: Path) -> Run:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)

        def run_twice(*argv: object) -> Outcome:
            warm = tmp_path / f"warm{Path(str(argv[-1])).suffix}"
            assert run(*argv[:-1], warm, "--overwrite").code == 0
            resource.setrlimit(resource.RLIMIT_FSIZE, (24_000, before[1]))
            try:
                return run(*argv[:-1], argv[-1], "--overwrite")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

        return run_twice

    @pytest.mark.parametrize("command", ["speak", "lipsync"])
    def test_keeps_what_was_there(
        self, run_without_room: Run, media: Path, folder: Path, command: str
    ) -> None:
        name = "out.wav" if command == "speak" else "out.mp4"
        (folder / name).write_text("dear to somebody")
        argv = [word.format(media=media) for word in COMMANDS[command]]
        expect_error(run_without_room(*argv, "-o", folder / name), 9, f"{name}: disk full")
        assert (folder / name).read_text() == "dear to somebody"
        assert leftovers(folder) == [name]


def test_long_reference_is_really_too_long(media: Path) -> None:
    with wave.open(str(media / "long.wav")) as file:
        assert file.getnframes() / file.getframerate() > 300
