"""The speaker encoder equals the published one, and tells speakers apart."""

from pathlib import Path

import numpy as np
import pytest

from voicelip import hub
from voicelip.media import Audio, read_audio
from voicelip.speech import encoder

RECORDINGS = Path(__file__).parent.parent.parent / "shared" / "data" / "librispeech" / "ten_each"


@pytest.fixture(scope="module")
def speakers() -> list[list[np.ndarray]]:
    """GE2E embeddings of three recordings each of three people."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings of several people at {RECORDINGS}")
    folders = sorted(path for path in RECORDINGS.iterdir() if path.is_dir())[:3]
    return [[encoder.embed(read_audio(path)) for path in sorted(folder.iterdir())[:3]] for folder in folders]


def noise(seconds: float, rate: int = 16_000, level: float = 0.1) -> Audio:
    samples = np.random.default_rng(0).standard_normal(round(seconds * rate)).astype(np.float32)
    return Audio(samples * level, rate)


def test_the_front_end_equals_librosa_s() -> None:
    from librosa.filters import mel
    from torch import from_numpy, hann_window, stft

    samples = noise(1.0).samples
    window, wave = hann_window(400), from_numpy(samples)
    spectrum = stft(wave, 400, 160, window=window, pad_mode="constant", return_complex=True)
    theirs = (mel(sr=16_000, n_fft=400, n_mels=40) @ (spectrum.abs() ** 2).numpy()).T
    ours = encoder.power_mel(samples)
    assert ours.shape == theirs.shape == (101, 40)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_the_network_equals_its_published_definition() -> None:
    """Written out step by step in numpy from the weights: three LSTM layers, projection, ReLU, norm."""
    torch = pytest.importorskip("torch")
    path = hub.fetch("ge2e")
    state = {
        k: v.numpy()
        for k, v in torch.load(path, map_location="cpu", weights_only=True)["model_state"].items()
    }
    mel = np.random.default_rng(1).random((20, 40)).astype(np.float32)
    layer_input = mel
    for layer in range(3):
        hidden, cell, outputs = np.zeros(256), np.zeros(256), []
        weights = [
            state[f"lstm.{part}_l{layer}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        for frame in layer_input:
            gates = weights[0] @ frame + weights[1] @ hidden + weights[2] + weights[3]
            enter, forget, update, leave = np.split(gates, 4)
            cell = _sigmoid(forget) * cell + _sigmoid(enter) * np.tanh(update)
            hidden = _sigmoid(leave) * np.tanh(cell)
            outputs.append(hidden)
        layer_input = np.stack(outputs)
    raw = np.maximum(0, state["linear.weight"] @ layer_input[-1] + state["linear.bias"])
    ours = encoder._network(str(path))(torch.from_numpy(mel[None]))[0].detach().numpy()
    np.testing.assert_allclose(ours, raw / np.linalg.norm(raw), atol=1e-5)


def test_one_person_is_nearer_than_another(speakers: list[list[np.ndarray]]) -> None:
    same = [one @ other for each in speakers for one in each for other in each if one is not other]
    different = [
        one @ other for i, each in enumerate(speakers) for others in speakers[i + 1 :] for one in each
        for other in others
    ]  # fmt: skip
    assert min(same) > max(different)
    assert np.mean(same) > 0.8


def test_level_and_sample_rate_hardly_matter(speakers: list[list[np.ndarray]]) -> None:
    audio = read_audio(next(iter(sorted(RECORDINGS.glob("*/*")))))
    quiet = Audio(audio.samples * np.float32(0.02), audio.sample_rate).resampled(44_100)
    assert encoder.embed(audio) @ encoder.embed(quiet) > 0.98


def test_long_pauses_are_shortened() -> None:
    loud = noise(1.0).samples
    samples = np.concatenate([loud, np.zeros(48_000, np.float32), loud])
    kept = encoder.without_pauses(samples, 16_000)
    assert 2.0 <= len(kept) / 16_000 <= 2.5


def test_short_and_silent_sounds_still_give_finite_partials() -> None:
    for samples in (noise(0.3).samples, np.zeros(16_000, np.float32)):
        partials = encoder.mel_partials(encoder.prepare(Audio(samples, 16_000)))
        assert partials.shape == (1, 160, 40)
        assert np.isfinite(partials).all()


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
