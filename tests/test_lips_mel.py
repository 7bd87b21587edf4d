"""The mel front end: the published one, and windows that sit where the frames are."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from voicelip.lips.mel import SILENCE, frame_windows, mel_spectrogram, published_starts
from voicelip.melscale import mel_filters

GOLDEN = Path(__file__).parents[2] / "shared" / "data" / "wav2lip_golden.npz"


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    if not GOLDEN.exists():
        pytest.skip("needs the published front end's outputs, wav2lip_golden.npz")
    with np.load(GOLDEN) as stored:
        return dict(stored)


def test_it_is_the_published_spectrogram(golden: dict[str, np.ndarray]) -> None:
    assert np.abs(mel_spectrogram(golden["wave"]) - golden["mel"]).max() <= 1e-3


@pytest.mark.parametrize(("fps", "name"), [(25, "starts_25"), (29.97, "starts_29_97")])
def test_windows_start_where_published_inference_starts_them(
    golden: dict[str, np.ndarray], fps: float, name: str
) -> None:
    assert np.array_equal(published_starts(golden["mel"].shape[1], fps), golden[name])


def test_filters_agree_with_librosa() -> None:
    librosa_filters = pytest.importorskip("librosa.filters")
    theirs = librosa_filters.mel(sr=16_000, n_fft=800, n_mels=80, fmin=55, fmax=7600)
    assert np.allclose(mel_filters(16_000, 800, 80, 55.0, 7600.0), theirs, atol=1e-7)


def test_digital_silence_is_the_lowest_value() -> None:
    assert (mel_spectrogram(np.zeros(16_000, np.float32)) == SILENCE).all()


def test_a_long_sound_is_the_same_in_pieces() -> None:
    rng = np.random.default_rng(0)
    sound = rng.uniform(-0.5, 0.5, 16_000 * 60).astype(np.float32)
    whole = mel_spectrogram(sound)
    late = mel_spectrogram(sound[16_000 * 50 :])
    assert np.allclose(whole[:, 4000 + 4 :][:, :700], late[:, 4:704], atol=1e-4)


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_a_click_is_in_the_middle_of_its_frames_window(fps: Fraction) -> None:
    sound = np.zeros(16_000 * 3, np.float32)
    frame = int(1.5 * fps)
    middle = int((frame + 0.5) / fps * 16_000)
    sound[middle - 20 : middle + 20] = 0.9
    windows = frame_windows(mel_spectrogram(sound), int(3 * fps), fps, 28)
    loud = (windows[frame].max(axis=0) > SILENCE).nonzero()[0]
    assert abs(loud.mean() - 14) <= 1


def test_frames_beyond_the_sound_hear_silence() -> None:
    windows = frame_windows(np.zeros((80, 40), np.float32), 50, 25, 28)
    assert windows.shape == (50, 80, 28)
    assert (windows[-1] == SILENCE).all()
    assert (windows[0, :, :12] == SILENCE).all()


@pytest.mark.parametrize("broken", [np.zeros(100, np.float32), np.full(16_000, np.nan, np.float32)])
def test_sound_that_cannot_be_heard_is_refused(broken: np.ndarray) -> None:
    with pytest.raises(ValueError, match="sound"):
        mel_spectrogram(broken)
