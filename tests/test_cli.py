"""The command line itself: help, usage, lists, exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import ENVIRONMENT, Run, run_process, runner, signals_kept, start

import voicelip
from voicelip import errors, hub
from voicelip.cli import failures, options
from voicelip.cli.progress import amount
from voicelip.speech.phonemes import LANGUAGES, resolve_language
from voicelip.speech.voices import stock_voices

REPOSITORY = Path(__file__).parents[1]
COMMANDS = ("say", "lipsync", "speak", "demo", "voices", "models", "doctor")
HEAVY = ("torch", "numpy", "av", "cv2", "onnxruntime", "librosa", "scipy", "soundfile", "phonemizer")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capfd, monkeypatch)


@pytest.fixture(autouse=True)
def signals_as_before():
    with signals_kept():
        yield


def plain(text: str) -> str:
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", text).split())


class TestHelp:
    def test_names_every_command_and_exit_code(self, run: Run) -> None:
        shown = run("--help")
        assert shown.code == 0
        for command in COMMANDS:
            assert command in shown.out
        for code, meaning in failures.exit_codes().items():
            assert f"{code} {meaning}" in plain(shown.out)

    def test_is_what_a_bare_call_shows(self, run: Run) -> None:
        assert run().out == run("--help").out

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_a_command_goes_to_stdout(self, run: Run, command: str) -> None:
        shown = run(command, "--help")
        assert shown.code == 0
        assert "Usage" in shown.out
        assert not shown.err

    def test_has_no_colour_when_it_is_not_a_terminal(self) -> None:
        plain_environment = {key: value for key, value in ENVIRONMENT.items() if key != "FORCE_COLOR"}
        assert "\x1b" not in run_process("--help", env=plain_environment).out

    def test_imports_nothing_heavy(self) -> None:
        code = (
            "import sys\nfrom voicelip.cli import main\n"
            "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
            f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
        )
        assert done.stderr.strip() == "[]"

    def test_names_the_languages_that_are_spoken(self) -> None:
        for name in re.findall(r"[\w-]+", options.LANGUAGES):
            assert resolve_language(name) in LANGUAGES
        for language in LANGUAGES:
            assert language in options.LANGUAGES

    def test_the_demo_has_a_sentence_in_every_language(self) -> None:
        from voicelip.cli.demo import SENTENCES

        assert set(SENTENCES) == set(LANGUAGES)


def test_version(run: Run) -> None:
    assert run("--version").out == f"voicelip {voicelip.__version__}\n"


class TestUsageErrors:
    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            (["nonsense"], "no such command 'nonsense'"),
            (["say", "Hello"], "missing option '--voice'"),
            (["speak", "Hello", "--voice", "stock:af_heart"], "missing option '--out'"),
            (["lipsync", "--wrong"], "no such option: --wrong"),
            (["speak", "Hi", "--voice", "stock:af_heart", "-o", "a.wav", "--speed", "fast"], "'--speed'"),
            (["speak", "--voice", "stock:af_heart", "-o", "a.wav"], "give the text"),
            (
                ["speak", "Hi", "--text-file", "b", "--voice", "stock:af_heart", "-o", "a.wav"],
                "give the text",
            ),
            (["speak", "Hi", "--voice", "stock:af_heart", "-o", "a.wav", "--speed", "9"], "0.5 to 2"),
        ],
    )
    def test_are_one_line_and_exit_code_2(self, run: Run, argv: list[str], said: str, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        outcome = run(*argv)
        assert outcome.code == 2
        assert len(outcome.error_lines) == 1
        assert outcome.err.startswith("voicelip: error: ")
        assert said.lower() in outcome.err.lower()
        assert not list(tmp_path.iterdir())


class TestText:
    """Where the words come from; an unknown voice ends each run before anything is spoken."""

    @pytest.fixture
    def speak(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        return lambda *argv, **more: run("speak", *argv, "--voice", "stock:nobody", "-o", "a.wav", **more)

    def test_file_that_is_missing(self, speak) -> None:
        assert speak("@words.txt").code == errors.InputNotFoundError.exit_code
        assert "words.txt: no such file" in speak("--text-file", "words.txt").err

    def test_file_that_is_not_utf_8(self, speak, tmp_path: Path) -> None:
        (tmp_path / "words.txt").write_bytes("Grüß Gott".encode("latin-1"))
        outcome = speak("@words.txt")
        assert outcome.code == errors.TextError.exit_code
        assert "UTF-8" in outcome.err

    def test_stdin_that_is_not_utf_8(self, speak) -> None:
        assert speak("-", stdin=b"\xff\xfe\xfa").code == errors.TextError.exit_code

    def test_file_and_stdin_are_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import io

        from voicelip.cli.text import read_text

        (tmp_path / "words.txt").write_text("\ufeffGrüß Gott", encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Olá".encode())))
        assert read_text(f"@{tmp_path / 'words.txt'}", None) == "Grüß Gott"
        assert read_text(None, tmp_path / "words.txt") == "Grüß Gott"
        assert read_text("-", None) == "Olá"
        assert read_text("Hello", None) == "Hello"


class TestVoices:
    def test_every_stock_voice_is_listed_once(self, run: Run) -> None:
        listed = [line.split()[1] for line in run("voices").out.splitlines()]
        assert sorted(listed) == sorted(f"stock:{name}" for name in stock_voices().names)

    def test_of_one_language(self, run: Run) -> None:
        found = json.loads(run("voices", "--lang", "pt", "--json").out)
        assert {voice["lang"] for voice in found} == {"pt-br"}
        assert [voice["voice"] for voice in found if voice["is_default"]] == ["stock:pf_dora"]

    def test_of_an_unknown_language(self, run: Run) -> None:
        outcome = run("voices", "--lang", "tlh")
        assert outcome.code == errors.UnsupportedLanguageError.exit_code
        assert all(language in outcome.err for language in LANGUAGES)


class TestModels:
    @pytest.fixture(autouse=True)
    def empty_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "home"))

    def test_list_names_all_and_whether_they_are_here(self, run: Run) -> None:
        found = json.loads(run("models", "list", "--json").out)
        assert {entry["name"]: entry["state"] for entry in found} == dict.fromkeys(hub.entries(), "absent")
        lines = run("models").out.splitlines()
        assert [line.split()[:2] for line in lines] == [[name, "absent"] for name in hub.entries()]

    def test_an_unknown_name_is_refused_before_anything_is_fetched(self, run: Run, tmp_path: Path) -> None:
        for command in ("pull", "verify"):
            outcome = run("models", command, "ge2e", "nobody")
            assert outcome.code == errors.UnknownNameError.exit_code
            assert "kokoro" in outcome.err
        assert not (tmp_path / "home").exists()

    def test_pull_offline_says_what_to_do(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VOICELIP_OFFLINE", "1")
        outcome = run("models", "pull", "ge2e")
        assert outcome.code == errors.ArtifactError.exit_code
        assert len(outcome.error_lines) == 1
        assert "VOICELIP_OFFLINE" in outcome.err

    def test_verify_finds_damage(self, run: Run, tmp_path: Path) -> None:
        assert run("models", "verify").code == 0
        file = hub.entries()["ge2e"].files[0]
        folder = tmp_path / "home" / "models" / "ge2e"
        folder.mkdir(parents=True)
        (folder / file.name).write_bytes(b"not what it should be")
        outcome = run("models", "verify")
        assert outcome.code == errors.ArtifactError.exit_code
        assert "voicelip models pull ge2e" in outcome.err

    def test_verify_of_an_absent_one_by_name_is_an_error(self, run: Run) -> None:
        assert run("models", "verify", "ge2e").code == errors.ArtifactError.exit_code


class TestDoctor:
    def test_finds_nothing_wrong_here(self, run: Run) -> None:
        outcome = run("doctor", "--json")
        report = json.loads(outcome.out)
        assert outcome.code == 0, [each for each in report["findings"] if not each["ok"]]
        found = {each["subject"]: each["detail"] for each in report["findings"]}
        assert {"python", "cores", "memory", "torch", "device", "cache", "offline", "kokoro"} <= set(found)

    def test_finds_a_cache_that_cannot_be_written_to(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VOICELIP_HOME", "/dev/null/voicelip")
        outcome = run("doctor")
        assert outcome.code == 1
        assert re.search(r"BAD +cache .*\n +set VOICELIP_HOME", outcome.out)

    def test_finds_a_package_that_does_not_load(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "soundfile", None)
        outcome = run("doctor")
        assert outcome.code == 1
        assert re.search(r"BAD +soundfile .*\n +run `pip install --force-reinstall soundfile`", outcome.out)


class TestFailures:
    def test_an_unexpected_error_is_one_line_without_verbose(self, capsys) -> None:
        assert failures.report(ZeroDivisionError("division\nby zero")) == 70
        shown = capsys.readouterr().err
        assert shown.count("\n") == 1
        assert "ZeroDivisionError: division by zero" in shown
        assert "--verbose" in shown

    def test_verbose_shows_where_it_happened(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path
    ) -> None:
        from voicelip import pipeline

        def fails(*args: object, **options: object) -> None:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr(pipeline, "speak", fails)
        command = ("speak", "Hi", "--voice", "stock:af_heart", "-o", tmp_path / "a.wav")
        brief, full = run(*command), run(*command, "-v")
        assert brief.code == full.code == 70
        assert "Traceback" not in brief.err
        assert "in fails" in full.err

    def test_a_full_disk_anywhere_is_an_output_error(self, capsys) -> None:
        import errno

        full = OSError(errno.ENOSPC, "No space left on device", "/somewhere/file")
        assert failures.report(full) == errors.OutputError.exit_code
        assert "/somewhere/file: disk full" in capsys.readouterr().err

    def test_a_reader_that_goes_away_is_no_news(self) -> None:
        process = start("voices", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == failures.BROKEN_PIPE


@pytest.fixture(scope="module")
def table() -> dict[int, str]:
    """Exit codes and what the documentation says of them."""
    path = REPOSITORY / "docs" / "cli.md"
    if not path.exists():
        pytest.skip("the documentation is not beside the tests")
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {int(code): meaning for code, meaning in rows}


class TestExitCodesInTheDocs:
    def test_are_all_there(self, table: dict[int, str]) -> None:
        assert list(table) == list(failures.exit_codes())

    def test_name_the_error_class(self, table: dict[int, str]) -> None:
        for error in vars(errors).values():  # not its subclasses elsewhere, which never reach the user
            if not isinstance(error, type) or error is errors.VoicelipError:
                continue
            assert f"`{error.__name__}`" in table[error.exit_code]


@pytest.mark.parametrize(
    ("done", "total", "unit", "shown"),
    [
        (12_500_000, 92_400_000, "B", "12.5 MB/92.4 MB"),
        (1000, None, "B", "1.0 kB"),
        (30, 155, "frames", "30/155 frames"),
        (30, None, "frames", "30 frames"),
        (1, 4, "", "25%"),
        (1, None, "", ""),
    ],
)
def test_bars_say_how_much(done: float, total: float | None, unit: str, shown: str) -> None:
    assert amount(done, total, unit) == shown
