"""Training of the voice mapper (speech/mapper.py).

First on invented voices: from what the speaker encoder hears of one, in the colour of a real person's
recording, back to the style that spoke. Meanwhile small listeners learn the other way, from style, pitch and
colour to the embedding. Then real people's embeddings go through the mapper and a listener, and should come
out as they went in: this teaches what no style is known for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from voicelip.media import read_audio
from voicelip.speech import encoder
from voicelip.speech.decoder import STYLE
from voicelip.speech.mapper import MIDDLE_HZ
from voicelip.speech.pitch import pitch_of
from voicelip.speech.reference import clean
from voicelip.speech.voices import stock_voices
from voicelip.training.voice_pairs import Pairs

LARGEST_DB = 12.0  # as the finish corrects at most
WINDOW_STEP = 48  # mel frames between the two windows of an invented voice


@dataclass(frozen=True)
class MapperConfig:
    """How the mapper is trained."""

    coordinates: int = 20  # of timbre, and as many of prosody
    width: int = 192
    listeners: int = 3
    colours: int = 4  # that each invented voice is heard in
    steps: int = 2500
    people_steps: int = 1200
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 0.03
    dropout: float = 0.2
    nearness: float = 0.02  # of coordinates to the middle voice, when real people teach
    held_out: float = 0.1  # of the invented voices and of the people
    seed: int = 0


@dataclass(frozen=True)
class People:
    """Real people as they are heard; arrays run along them."""

    windows: np.ndarray  # (N, W, 256) GE2E, windows repeated where there are fewer
    colours: np.ndarray  # (N, 40) dB, mean 0, in the encoder's mel bands
    octaves: np.ndarray  # (N,) median pitch over 150 Hz


@dataclass(frozen=True)
class Heard:
    """Invented voices in the colours of people; arrays run along both."""

    windows: Tensor  # (N, C, 2, 256)
    colours: Tensor  # (N, C, 40) as they came out
    octaves: Tensor  # (N,)
    places: Tensor  # (N, 2K)


class Space:
    """Coordinates of styles: timbre and prosody apart, each in units of the stock voices' spread."""

    def __init__(self, coordinates: int) -> None:
        means = stock_voices().means
        self.middle = means.mean(axis=0)
        self.directions = np.zeros((2 * coordinates, means.shape[1]), np.float32)
        for i, half in enumerate((slice(0, STYLE), slice(STYLE, None))):
            _, sizes, rows = np.linalg.svd((means - self.middle)[:, half], full_matrices=False)
            spread = (sizes / np.sqrt(len(means)))[:coordinates, None]
            self.directions[i * coordinates : (i + 1) * coordinates, half] = spread * rows[:coordinates]

    def places(self, styles: np.ndarray) -> np.ndarray:
        """(N, 256) → (N, 2K)."""
        squares = (self.directions**2).sum(axis=1)
        found: np.ndarray = (styles - self.middle) @ self.directions.T / squares
        return found.astype(np.float32)


class Mapper(nn.Module):
    """Embeddings of windows and pitch → coordinates of a style; what speech/mapper.py runs."""

    def __init__(self, config: MapperConfig) -> None:
        super().__init__()
        self.window = nn.Linear(256, config.width)
        self.inner = nn.Linear(config.width + 1, config.width)
        self.place = nn.Linear(config.width, 2 * config.coordinates)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, windows: Tensor, octaves: Tensor) -> Tensor:
        """(B, P, 256), (B,) → (B, 2K)."""
        each = F.relu(self.window(windows)).mean(dim=1)
        together = self.dropout(torch.cat([each, octaves[:, None]], dim=1))
        found: Tensor = self.place(self.dropout(F.relu(self.inner(together))))
        return found


class Listener(nn.Module):
    """Coordinates, pitch and colour → the embedding that would be heard."""

    def __init__(self, config: MapperConfig) -> None:
        super().__init__()
        inputs = 2 * config.coordinates + 1 + encoder.BANDS
        self.layers = nn.Sequential(
            nn.Linear(inputs, 256), nn.GELU(), nn.Dropout(config.dropout / 2), nn.Linear(256, 256),
        )  # fmt: skip

    def forward(self, places: Tensor, octaves: Tensor, colours: Tensor) -> Tensor:
        """(B, 2K), (B,), (B, 40) → (B, 256) of length 1."""
        inputs = torch.cat([places, octaves[:, None], colours / 10], dim=1)
        return F.normalize(self.layers(inputs), dim=1)


def describe_people(folder: Path, skip: tuple[str, ...] = (), most_windows: int = 8) -> People:
    """Everybody in a folder with a recording of each, but those whose file names start with `skip`."""
    windows, colours, octaves = [], [], []
    for path in sorted(folder.iterdir()):
        if path.name.split("-")[0] in skip:
            continue
        audio = clean(read_audio(path))
        pitch = pitch_of(audio)
        if pitch is None:
            continue
        mel = encoder.power_mel(encoder.prepare(audio))
        windows.append(np.resize(encoder.embed_windows(audio), (most_windows, 256)))
        colours.append(_colour(mel))
        octaves.append(np.log2(pitch.median_hz / MIDDLE_HZ))
    return People(np.stack(windows), np.stack(colours), np.array(octaves, np.float32))


def hear(pairs: Pairs, people: People, config: MapperConfig, space: Space) -> Heard:
    """Let the encoder hear each invented voice in the colours of a few people."""
    rng = np.random.default_rng(config.seed)
    network = encoder.network()
    windows, colours = [], []
    for mel in pairs.mels:
        wanted = people.colours[rng.choice(len(people.colours), config.colours, replace=False)]
        coloured = np.stack([_coloured(mel, colour) for colour in wanted])
        starts = (0, WINDOW_STEP)
        parts = np.stack([coloured[:, at : at + encoder.PARTIAL_FRAMES] for at in starts], axis=1)
        with torch.inference_mode():
            found = network(torch.from_numpy(parts.reshape(-1, encoder.PARTIAL_FRAMES, encoder.BANDS)))
        windows.append(found.clone().reshape(config.colours, len(starts), -1))
        colours.append(torch.from_numpy(np.stack([_colour(one) for one in coloured])))
    octaves = torch.from_numpy(np.log2(pairs.pitches / MIDDLE_HZ).astype(np.float32))
    return Heard(
        torch.stack(windows), torch.stack(colours), octaves, torch.from_numpy(space.places(pairs.styles))
    )


def train(
    heard: Heard, people: People, config: MapperConfig, told: Callable[[str], None] = print
) -> tuple[Mapper, dict[str, float]]:
    """The mapper, and how well it did on what was held out."""
    torch.manual_seed(config.seed)
    mapper = Mapper(config)
    listeners = nn.ModuleList(Listener(config) for _ in range(config.listeners))
    course = _Course(heard, people, config)
    _descend(
        [mapper, listeners],
        config,
        config.steps,
        lambda: course.invented(mapper, listeners),
        "invented",
        told,
    )
    told(str(scores := course.scores(mapper, listeners)))
    listeners.requires_grad_(False)
    _descend([mapper], config, config.people_steps, lambda: course.real(mapper, listeners), "people", told)
    after = course.scores(mapper, listeners)
    told(str(after))
    return mapper, {**{f"{name}_before_people": value for name, value in scores.items()}, **after}


class _Course:
    """What is learned from, in batches, and what is held out."""

    def __init__(self, heard: Heard, people: People, config: MapperConfig) -> None:
        self.heard, self.config = heard, config
        self.rng = np.random.default_rng(config.seed)
        self.windows, self.colours, self.octaves = (
            torch.from_numpy(np.asarray(array, np.float32))
            for array in (people.windows, people.colours, people.octaves)
        )
        self.voices, self.voices_out = _split(len(heard.places), config)
        self.people, self.people_out = _split(len(self.windows), config)

    def invented(self, mapper: Mapper, listeners: nn.ModuleList) -> Tensor:
        """Loss of a batch of invented voices: of the mapper's coordinates, and of what listeners expect."""
        loss, places, heard = self._restored(mapper)
        for listener in listeners:
            loss = loss + 5 * (1 - (listener(*places) * heard).sum(dim=1)).mean()
        return loss

    def real(self, mapper: Mapper, listeners: nn.ModuleList) -> Tensor:
        """Loss of a batch of people: their embeddings should come back; invented voices still count."""
        at = self.rng.choice(self.people, self.config.batch)
        chosen = self.rng.choice(self.windows.shape[1], 4)
        windows = self.windows[at][:, chosen]
        places = mapper(windows, self.octaves[at])
        listener = listeners[int(self.rng.integers(len(listeners)))]
        expected = listener(places, self.octaves[at], self.colours[at])
        wanted = F.normalize(self.windows[at].mean(dim=1), dim=1)
        loss = 5 * (1 - (expected * wanted).sum(dim=1)).mean() + self.config.nearness * places.square().mean()
        return loss + self._restored(mapper)[0]

    def scores(self, mapper: Mapper, listeners: nn.ModuleList) -> dict[str, float]:
        """On held-out voices and people: share of variance explained, and expected likeness."""
        mapper.eval()
        listeners.eval()
        with torch.no_grad():
            at = self.voices_out
            wanted = self.heard.places[at]
            found = mapper(self.heard.windows[at, 0], self.heard.octaves[at])
            left = (found - wanted).square().mean(dim=0) / wanted.var(dim=0)
            expected = [
                listener(wanted, self.heard.octaves[at], self.heard.colours[at, 0]) for listener in listeners
            ]
            middle = F.normalize(self.heard.windows[at, 0].mean(dim=1), dim=1)
            known = F.normalize(torch.stack(expected).mean(dim=0), dim=1)
            at = self.people_out
            places = mapper(self.windows[at], self.octaves[at])
            come_back = torch.stack(
                [listener(places, self.octaves[at], self.colours[at]) for listener in listeners]
            )
            real = F.normalize(self.windows[at].mean(dim=1), dim=1)
            likeness = (F.normalize(come_back.mean(dim=0), dim=1) * real).sum(dim=1).mean()
        mapper.train()
        listeners.train()
        half = self.config.coordinates
        return {
            "timbre_explained": round(float(1 - left[: min(6, half)].mean()), 3),
            "prosody_explained": round(float(1 - left[half : half + 6].mean()), 3),
            "listener_cosine": round(float((known * middle).sum(dim=1).mean()), 3),
            "people_cosine": round(float(likeness), 3),
            "people_reach": round(float(places.square().mean().sqrt()), 3),
        }

    def _restored(self, mapper: Mapper) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor], Tensor]:
        at = self.rng.choice(self.voices, self.config.batch)
        colour = self.rng.integers(self.heard.windows.shape[1], size=len(at))
        windows = self.heard.windows[at, colour]
        places, octaves = self.heard.places[at], self.heard.octaves[at]
        loss = (mapper(windows, octaves) - places).square().mean()
        middle = F.normalize(windows.mean(dim=1), dim=1)
        return loss, (places, octaves, self.heard.colours[at, colour]), middle


def save_mapper(mapper: Mapper, space: Space, path: Path, facts: dict[str, Any]) -> None:
    """As speech/mapper.py reads it, float16."""
    from safetensors.numpy import save_file

    arrays = {name: tensor.numpy() for name, tensor in mapper.state_dict().items()}
    arrays |= {"middle": space.middle, "directions": space.directions}
    metadata = {name: str(value) for name, value in facts.items()}
    save_file(
        {name: np.ascontiguousarray(array.astype(np.float16)) for name, array in arrays.items()},
        path,
        metadata,
    )


def _descend(
    modules: list[nn.Module], config: MapperConfig, steps: int, loss_of: Callable[[], Tensor], name: str,
    told: Callable[[str], None],
) -> None:  # fmt: skip
    parameters = [parameter for module in modules for parameter in module.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=config.rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 250 == 0:
            told(f"{name} {step}/{steps} loss {loss.item():.3f}")


def _split(count: int, config: MapperConfig) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(config.seed).permutation(count)
    out = max(1, round(config.held_out * count))
    return order[out:], order[:out]


def _colour(mel: np.ndarray) -> np.ndarray:
    """(40,) float32 dB of a (T, 40) power mel's mean, mean 0."""
    decibels = 10 * np.log10(np.maximum(mel.mean(axis=0), 1e-12))
    return (decibels - decibels.mean()).astype(np.float32)


def _coloured(mel: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(T, 40) float32 power mel, brought to a (40,) colour as the finish would, at its own level."""
    gains = np.clip(wanted - _colour(mel), -LARGEST_DB, LARGEST_DB)
    changed = mel * 10 ** (gains / 10)
    return (changed * (mel.sum() / max(float(changed.sum()), 1e-12))).astype(np.float32)
