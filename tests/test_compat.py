"""torchaudio beside a CPU build of torch.

In processes of their own, since importing torchaudio once decides for all.
"""

import subprocess
import sys
from importlib import metadata, util

import pytest


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def torchaudio_installed() -> None:
    if util.find_spec("torchaudio") is None:
        pytest.skip("torchaudio is not installed")


@pytest.fixture(scope="module")
def broken_torchaudio(torchaudio_installed: None) -> None:
    if run("import torchaudio").returncode == 0:
        pytest.skip(f"torchaudio {metadata.version('torchaudio')} fits this torch and needs no remedy")


def test_the_known_failure_is_an_oserror(broken_torchaudio: None) -> None:
    assert "OSError" in run("import torchaudio").stderr


def test_transforms_work_after_the_remedy(torchaudio_installed: None) -> None:
    result = run(
        "from voicelip import compat; compat.torchaudio()\n"
        "import torch, torchaudio\n"
        "wave = torch.sin(torch.arange(16000) * 0.1)[None]\n"
        "print(torchaudio.transforms.Resample(16000, 8000)(wave).shape[1])\n"
        "print(torchaudio.transforms.MelSpectrogram(16000, n_mels=40)(wave).shape[1])\n"
        "print(bool(torchaudio.transforms.Spectrogram()(wave).isfinite().all()))\n"
    )
    assert result.stdout.split() == ["8000", "40", "True"], result.stderr


def test_the_remedy_works_after_a_failed_import(broken_torchaudio: None) -> None:
    result = run(
        "try:\n    import torchaudio\nexcept OSError:\n    pass\n"
        "from voicelip import compat; compat.torchaudio()\n"
        "import torchaudio; print(torchaudio.transforms.Resample is not None)"
    )
    assert result.stdout.strip() == "True", result.stderr


def test_files_are_read_and_written_by_soundfile(broken_torchaudio: None, tmp_path) -> None:
    result = run(
        "from voicelip import compat; ta = compat.torchaudio()\n"
        "import torch\n"
        f"path = {str(tmp_path / 'a.wav')!r}\n"
        "ta.save(path, torch.full((2, 100), 0.25), 16000)\n"
        "wave, rate = ta.load(path, frame_offset=10, num_frames=50)\n"
        "print(tuple(wave.shape), rate, round(float(wave.mean()), 3))"
    )
    assert result.stdout.strip() == "(2, 50) 16000 0.25", result.stderr


def test_forced_alignment_says_why_it_does_not_work(broken_torchaudio: None) -> None:
    result = run(
        "from voicelip import compat; ta = compat.torchaudio()\n"
        "try:\n    ta.functional.forced_align(None, None)\n"
        "except RuntimeError as error:\n    print(error)"
    )
    assert "compiled part" in result.stdout, result.stderr
