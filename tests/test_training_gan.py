"""The sync expert and the GAN stage, in the small."""

from pathlib import Path

import numpy as np
import pytest
import torch
from training_samples import make_prepared

from voicelip.lips.discriminator import PatchDiscriminator, hinge_loss, judged_part
from voicelip.lips.renderer import Renderer
from voicelip.lips.sync_expert import SyncExpert, contrast, seen_mouths
from voicelip.training import gan, sync
from voicelip.training.clips import PreparedClips
from voicelip.training.config import load_config

CONFIGS = Path(__file__).parent.parent / "recipes" / "configs"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedClips:
    return make_prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def expert(prepared: PreparedClips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An expert that has learnt the made clips, where loud is open."""
    out = tmp_path_factory.mktemp("expert")
    config = sync.SyncConfig(steps=60, batch=4, moments=6, average=0.9, log_every=60, evaluate_every=60)
    sync.train(config, prepared, prepared, out)
    return out / "sync_expert.pt"


def test_the_expert_tells_own_sound_from_other_sound(prepared: PreparedClips, expert: Path) -> None:
    untrained = SyncExpert().eval()
    for number in range(2):
        before = sync.judge(sync.cosines(untrained, prepared, number))
        after = sync.judge(sync.cosines(sync.load_expert(expert), prepared, number))
        assert after.two_way > 0.7  # stretches of silence cannot be told apart
        assert after.two_way > before.two_way + 0.1
        assert abs(after.lag) <= 2


def test_a_judgement_is_of_pairs_and_lag() -> None:
    moments = np.arange(40)
    late = np.exp(-((moments[:, None] + 3 - moments) ** 2) / 50.0)  # fits the sound of three frames later
    assert sync.judge(np.eye(40)).two_way == 1
    assert sync.judge(np.zeros((40, 40))).two_way == 0.5
    assert sync.judge(late).lag == 3


def test_silent_clips_are_not_for_the_expert(prepared: PreparedClips) -> None:
    assert sync.has_speech(prepared, 0)
    silent = PreparedClips(
        prepared.crops, prepared.points, np.full(prepared.mel.shape, -4.0, np.float32), prepared.clips
    )
    assert not sync.has_speech(silent, 0)


def test_moments_of_one_clip_lie_apart(prepared: PreparedClips) -> None:
    moments = sync.draw_moments(prepared, [0, 1, 2], 5, np.random.default_rng(0))
    assert moments.mouths.shape == (3, 5, 15, 32, 32)
    assert moments.windows.shape == (3, 5, 80, 28)
    assert 0 <= moments.mouths.min() <= moments.mouths.max() <= 1


def test_a_perfect_match_costs_nothing() -> None:
    own = torch.eye(6)[None]
    assert contrast(own, own, torch.tensor(4.0)) < 1e-6
    assert contrast(own, own.flip(1), torch.tensor(4.0)) > 10


def test_the_discriminator_learns_to_tell_noise_from_faces(prepared: PreparedClips) -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator()
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    faces = torch.from_numpy(prepared.crops[:4].copy()).permute(0, 3, 1, 2) / 255
    outlines = torch.ones(4, 9, 48, 48)
    for _ in range(15):
        noisy = (faces + 0.1 * torch.randn_like(faces)).clamp(0, 1)
        real, drawn = (network(judged_part(crops, outlines))[0] for crops in (faces, noisy))
        value = hinge_loss(real, drawn, torch.ones_like(real))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    assert real.shape == (4, 1, 8, 8)
    assert value < 1.9
    assert real.mean() > drawn.mean() + 0.1


def test_the_gan_stage_sharpens_a_renderer(prepared: PreparedClips, expert: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save({"averaged": Renderer().state_dict()}, tmp_path / "renderer.pt")
    config = gan.GanConfig(steps=3, batch=2, accumulate=2, precision="float32", other_sounds=3)
    out = tmp_path / "gan"
    gan.train(config, prepared, prepared, tmp_path / "renderer.pt", expert, out)
    state = torch.load(out / "renderer.pt", weights_only=True)
    changed = Renderer()
    changed.load_state_dict(state["averaged"])
    start = torch.load(tmp_path / "renderer.pt", weights_only=True)["averaged"]
    assert not torch.equal(state["network"]["flow.weight"], start["flow.weight"])
    assert torch.equal(state["network"]["start.1.running_mean"], start["start.1.running_mean"])
    assert "discriminator" in state["others"]


def test_the_sync_loss_prefers_mouths_that_fit(prepared: PreparedClips, expert: Path) -> None:
    network = sync.load_expert(expert)
    stage = gan.GanStage(
        gan.GanConfig(batch=8, precision="float32"), prepared, prepared, Renderer().state_dict(), network
    )
    batch = stage.draw(np.random.default_rng(0))
    own = gan.sync_loss(network, batch.target, batch)
    others = gan.sync_loss(network, batch.target.roll(1, 0), batch)
    assert own < others
    assert seen_mouths(batch.target).shape == (8, 15, 32, 32)


def test_the_configs_hold_the_defaults() -> None:
    assert load_config(sync.SyncConfig, CONFIGS / "sync_expert.yaml") == sync.SyncConfig()
    assert load_config(gan.GanConfig, CONFIGS / "gan.yaml") == gan.GanConfig()
