"""The voice mapper: what it learns from, that it learns, and that it runs as it was trained."""

from dataclasses import replace

import numpy as np
import pytest

from voicelip.speech import mapper
from voicelip.speech.voices import stock_voices

torch = pytest.importorskip("torch")

from voicelip.training import voice_mapper, voice_pairs  # noqa: E402
from voicelip.training.voice_mapper import Heard, MapperConfig, People  # noqa: E402

TINY = MapperConfig(coordinates=4, width=32, listeners=2, steps=300, people_steps=60, batch=32, dropout=0.0)


def unit(array: np.ndarray) -> np.ndarray:
    return (array / np.linalg.norm(array, axis=-1, keepdims=True)).astype(np.float32)


def crowd(count: int, rng: np.random.Generator) -> tuple[Heard, People]:
    """Voices whose embeddings follow from their styles by a rule that can be learned."""
    places = rng.standard_normal((count, 2 * TINY.coordinates)).astype(np.float32)
    octaves = rng.uniform(-0.5, 0.9, count).astype(np.float32)
    rule = rng.standard_normal((2 * TINY.coordinates, 256))
    heard = unit(places @ rule + 0.3 * rng.standard_normal((count, 256)))
    colours = np.zeros((count, 40), np.float32)
    windows = np.repeat(heard[:, None], 2, axis=1)
    invented = [windows[:, None], colours[:, None], octaves, places]
    return Heard(*map(torch.from_numpy, invented)), People(windows, colours, octaves)


def test_it_learns_which_style_spoke_and_people_come_back_as_they_went_in():
    heard, people = crowd(400, np.random.default_rng(0))
    _, scores = voice_mapper.train(heard, people, TINY, lambda line: None)
    assert scores["timbre_explained"] > 0.5
    assert scores["prosody_explained"] > 0.5
    assert scores["listener_cosine"] > 0.8
    assert scores["people_cosine"] > 0.8


def test_the_file_runs_as_the_network_did(tmp_path):
    rng = np.random.default_rng(1)
    torch.manual_seed(0)
    trained = voice_mapper.Mapper(TINY).eval()
    space = voice_mapper.Space(TINY.coordinates)
    voice_mapper.save_mapper(trained, space, tmp_path / "mapper.safetensors", {"people": 3})
    windows = unit(rng.standard_normal((5, 256)))
    with torch.inference_mode():
        places = trained(torch.from_numpy(windows)[None], torch.tensor([np.log2(220 / 150)]).float())[0]
    wanted = space.middle + places.numpy() @ space.directions
    found = mapper.mapped(mapper.read_mapper(tmp_path / "mapper.safetensors"), windows, 220.0)
    np.testing.assert_allclose(found, wanted, atol=3e-3)


def test_the_shipped_network_tells_women_from_men():
    stock = stock_voices()
    styles = {}
    for sex, hz in (("f", 210.0), ("m", 115.0)):
        heard = stock.embeddings[[each == sex for each in stock.sex]]
        styles[sex] = mapper.style_like(heard, hz)
        assert styles[sex].shape == (510, 256)
    means = {sex: stock.means[[each == sex for each in stock.sex]].mean(axis=0) for sex in "fm"}
    apart = means["f"] - means["m"]
    assert (styles["f"] - styles["m"]).mean(axis=0) @ apart > 0.3 * apart @ apart


def test_coordinates_lead_back_to_the_style_they_stand_for():
    space = voice_mapper.Space(20)
    places = np.random.default_rng(2).standard_normal((3, 40)).astype(np.float32)
    styles = space.middle + places @ space.directions
    np.testing.assert_allclose(space.places(styles), places, atol=1e-3)


def test_invented_voices_differ_and_stay_near_what_the_engine_knows():
    rng = np.random.default_rng(3)
    styles = np.stack([voice_pairs.invented_style(rng) for _ in range(40)])
    means = stock_voices().means
    spread = means.std(axis=0)
    assert np.abs((styles - means.mean(axis=0)) / spread).mean() < 2
    assert np.unique(styles.round(4), axis=0).shape == styles.shape


def test_a_stopped_generation_goes_on_and_gives_the_same_voices(tmp_path, monkeypatch):
    monkeypatch.setattr(voice_pairs, "SHARD", 1)
    monkeypatch.setattr(voice_pairs, "STRETCH", 24)
    told = []
    voice_pairs.generate(tmp_path, 2, told.append)
    before = [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())]
    voice_pairs.generate(tmp_path, 2)
    assert told == [1, 2]
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())] == before
    pairs = voice_pairs.read_pairs(tmp_path)
    assert pairs.styles.shape == (2, 256)
    assert pairs.mels.shape == (2, voice_pairs.FRAMES, 40)
    assert (pairs.pitches > 50).all()
    assert (pairs.pitches < 500).all()
    np.testing.assert_array_equal(pairs.styles[1], voice_pairs.invented_style(np.random.default_rng(1)))


def test_people_are_described_by_their_recordings(tmp_path):
    import voice_samples

    from voicelip.media import write_audio

    for name, hz in (("alice-1", 210.0), ("bob-1", 110.0), ("carol-1", 230.0)):
        write_audio(tmp_path / f"{name}.wav", voice_samples.voice(4.0, hz))
    people = voice_mapper.describe_people(tmp_path, skip=("carol",), most_windows=3)
    assert people.windows.shape == (2, 3, 256)
    assert people.colours.shape == (2, 40)
    assert people.octaves[0] > people.octaves[1]


def test_hearing_gives_each_voice_the_colour_of_people():
    rng = np.random.default_rng(4)
    mels = rng.uniform(1e-6, 1e-3, (2, voice_pairs.FRAMES, 40)).astype(np.float32)
    pairs = voice_pairs.Pairs(stock_voices().means[:2], mels, np.array([150.0, 300.0], np.float32))
    colours = np.stack([np.linspace(-6, 6, 40), np.linspace(6, -6, 40)]).astype(np.float32)
    people = People(np.zeros((2, 1, 256), np.float32), colours, np.zeros(2, np.float32))
    heard = voice_mapper.hear(pairs, people, replace(TINY, colours=2), voice_mapper.Space(4))
    assert heard.windows.shape == (2, 2, 2, 256)
    np.testing.assert_allclose(heard.octaves, [0, 1], atol=1e-6)
    for voice in heard.colours.numpy():
        assert sorted(np.sign(voice[:, 0])) == [-1, 1]
        np.testing.assert_allclose(voice[0], -voice[1], atol=0.2)
