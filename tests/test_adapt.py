"""Lips that learn one person: the networks that go on learning, the profile that is kept, and who gets it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_runs import runner
from consent_samples import vouched_for
from media_samples import make_video, numbered
from training_samples import face, make_prepared

from voicelip import hub
from voicelip.errors import (
    BadReferenceError,
    OptionError,
    OutputError,
    ProfileError,
    UnknownNameError,
    UnreadableMediaError,
)
from voicelip.hashing import content_hash
from voicelip.lips import adapted, face_profile, face_store
from voicelip.lips.embedded import RENDERER_FILE, EmbeddedGenerator
from voicelip.lips.face_profile import FaceFacts
from voicelip.lips.hearing import MOTION_FILE, network_session
from voicelip.lips.mel import SILENCE
from voicelip.lips.motion import MOTION_POINTS, MotionBasis
from voicelip.lips.motion_net import MotionNet
from voicelip.lips.person import Person, placed
from voicelip.lips.renderer import Renderer
from voicelip.training import adapt_motion, adapt_renderer
from voicelip.training.adapt import AdaptOptions, adapt
from voicelip.training.adapt_footage import Footage
from voicelip.training.adapt_weights import ShippedNetwork

CLOSED = face(0.0)[list(MOTION_POINTS)]


@pytest.fixture(scope="module")
def generator() -> EmbeddedGenerator:
    return EmbeddedGenerator.load()


@pytest.fixture(scope="module")
def basis() -> MotionBasis:
    return MotionBasis.load(hub.pretrained("lips_basis.npz"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path))
    return tmp_path


def shipped_motion() -> ShippedNetwork:
    return ShippedNetwork(MotionNet(10), hub.pretrained(MOTION_FILE))


def keep(name: str, clip: Path, look: float = 0.0, **changed: object) -> Path:
    """A profile whose motion network is the shipped one."""
    with face_store.new_folder(name) as folder:
        shutil.copy(hub.pretrained(MOTION_FILE), folder / MOTION_FILE)
        facts = FaceFacts(
            name=name, voicelip="0", created="now", file=clip.name, sha256=content_hash(clip), seconds=30.0,
            scores={key: {"before": 0.9, "after": 0.7} for key in ("lmd", "r", "mouth_psnr")}, settings={},
            base=face_profile.base_hashes([MOTION_FILE]),
            networks={MOTION_FILE: content_hash(folder / MOTION_FILE)},
        )  # fmt: skip
        looks = np.full((3, 16), look, np.float32)
        face_profile.write(folder, replace(facts, **changed), Person(0.8, CLOSED), looks)  # type: ignore[arg-type]
    return face_store.faces_folder() / name


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "alice.mp4"
    path.write_bytes(b"a clip of alice")
    return path


def test_a_shipped_motion_network_goes_on_in_pytorch_and_back(tmp_path: Path) -> None:
    network = shipped_motion()
    windows = torch.randn(1, 30, 80, 28)

    def ours() -> np.ndarray:
        with torch.no_grad():
            return network.network(windows).numpy()

    def theirs(path: Path) -> np.ndarray:
        return network_session(path).run(None, {"windows": windows.numpy()})[0]

    shipped = ours()
    assert np.allclose(shipped, theirs(hub.pretrained(MOTION_FILE)), atol=1e-4)
    with torch.no_grad():
        for number, weight in enumerate(network.network.parameters()):
            weight.mul_(1 + 0.02 * number)
    network.save(tmp_path / "learned.onnx")
    assert np.allclose(ours(), theirs(tmp_path / "learned.onnx"), atol=1e-4)
    assert not np.allclose(ours(), shipped, atol=1e-2)


def test_a_shipped_renderer_goes_on_in_pytorch_and_back(tmp_path: Path) -> None:
    from voicelip.lips.export import RendererGraph, renderer_inputs

    torch.manual_seed(0)
    network, inputs = ShippedNetwork(Renderer(), hub.pretrained(RENDERER_FILE)), renderer_inputs(1)
    with torch.no_grad():
        for weight in network.network.parameters():
            weight.mul_(1.01)
        ours = RendererGraph(network.network)(**inputs)
    network.save(tmp_path / "learned.onnx")
    theirs = network_session(tmp_path / "learned.onnx").run(
        None, {name: tensor.numpy() for name, tensor in inputs.items()}
    )
    for our_layer, their_layer in zip(ours, theirs, strict=True):
        assert np.allclose(our_layer.numpy(), their_layer, atol=1e-3)


def test_a_known_mouth_is_laid_where_the_clip_shows_it() -> None:
    turned = 1.2 * CLOSED @ np.array([[0.98, 0.2], [-0.2, 0.98]]) + 7
    assert np.allclose(placed(CLOSED, turned), turned, atol=1e-6)
    assert np.allclose(Person(1.0, CLOSED).rest(turned), turned, atol=1e-6)


def spoken(network: torch.nn.Module, basis: MotionBasis, person: Person, seed: int) -> adapt_motion.Heard:
    """Speech that a person answers with twice the shipped network's motion."""
    rng = np.random.default_rng(seed)
    loud = np.clip(np.interp(np.arange(340), np.arange(0, 340, 12), rng.uniform(-2, 3, 29)), SILENCE, 4)
    mel = np.clip(loud + 0.3 * rng.standard_normal((80, 340)), SILENCE, 4).astype(np.float32)
    from voicelip.lips.mel import frame_windows

    near = np.ones((100, 1))
    stretch = adapt_motion.Heard(frame_windows(mel, 100, 25, 28), mel, np.zeros((100, 55, 2)), near)
    codes = adapt_motion.codes_of(network, stretch)
    return replace(stretch, points=person.closed + basis.decode(2.0 * (codes - codes[:5].mean(axis=0))))


def test_a_person_who_moves_otherwise_is_predicted_better(
    basis: MotionBasis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt_motion, "_RIDGE", 1.0)
    network, person = shipped_motion().network, Person(1.0, CLOSED)
    learned = [spoken(network, basis, person, seed) for seed in range(3)]
    said = [2.0 * adapt_motion.codes_of(network, stretch) + 0.3 for stretch in learned]
    examples = [
        replace(example, codes=codes)
        for example, codes in zip(adapt_motion.lessons(learned, person, basis), said, strict=True)
    ]
    adapt_motion.correct_linearly(network, examples, learned)
    for stretch, wanted in zip(learned, said, strict=True):
        assert np.abs(adapt_motion.codes_of(network, stretch) - wanted).mean() < 0.1 * np.abs(wanted).mean()


def test_held_out_speech_is_judged_on_a_mouth_seen_elsewhere(basis: MotionBasis) -> None:
    network, person = shipped_motion().network, Person(1.0, CLOSED)
    seen, said = (spoken(network, basis, person, seed) for seed in (0, 1))
    exam = adapt_motion.Exam.of([seen], [said])
    assert exam.pairs == [(seen, said)]
    assert exam.person_score(network, adapt_motion.know([seen, said], basis), basis).r > 0.95
    elsewhere = adapt_motion.Exam.of([replace(seen, points=seen.points + 5.0)], [said])
    assert elsewhere.base_score(network, basis).lmd == pytest.approx(exam.base_score(network, basis).lmd)


def test_learning_motion_keeps_only_what_scores_better_and_stops_when_told(
    basis: MotionBasis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt_motion, "_EVALUATE_EVERY", 1)
    monkeypatch.setattr(adapt_motion, "_BATCH", 1)
    network, person = shipped_motion().network, Person(1.0, CLOSED)
    examples = adapt_motion.lessons([spoken(network, basis, person, 0)], person, basis)
    scores, asked = iter([5.0, 6.0, 4.0, 4.5]), []

    def told(step: int, best: float) -> bool:
        asked.append((step, best))
        return step < 3

    kept = list(adapt_motion.learn(network, examples, basis, 0, lambda _: next(scores), told))
    assert [score for score, _ in kept] == [4.0]
    assert asked == [(1, 5.0), (2, 4.0), (3, 4.0)]


def test_the_renderer_learns_what_it_does_badly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt_renderer, "STEPS", 16)
    monkeypatch.setattr(adapt_renderer, "_EVALUATE_EVERY", 16)
    monkeypatch.setattr(adapt_renderer, "_RATE", 3e-3)
    monkeypatch.setattr(adapt_renderer, "_BATCH", 4)
    monkeypatch.setattr(adapt_renderer, "_EXAMS", (1,))
    data = make_prepared(tmp_path / "drawn", speakers=1, clips=3)
    network = ShippedNetwork(Renderer(), hub.pretrained(RENDERER_FILE)).network
    with torch.no_grad():
        network.flow.bias.add_(0.2)  # it reads 3 px beside
    before = adapt_renderer.drawing_score(network, data)
    kept = list(adapt_renderer.learn(network, data, data, 0, lambda *_: True))
    assert kept
    assert kept[-1][0] > before + 0.1


def test_sound_that_is_not_the_mouths_is_refused(tmp_path: Path, basis: MotionBasis) -> None:
    data = make_prepared(tmp_path / "drawn", speakers=1, clips=3)
    noise = np.random.default_rng(0).uniform(-4, 4, data.mel.shape).astype(np.float32)
    other = replace(data, mel=noise)
    with pytest.raises(BadReferenceError, match="does not go with this mouth"):
        adapt_motion.check_sound(
            shipped_motion().network, Footage(other, other, np.zeros((1, 4)), 5.0), basis, "alice.mp4"
        )


def test_clips_that_cannot_teach_are_refused_and_nothing_is_kept(home: Path) -> None:
    silent = make_video(home / "silent.mp4", [numbered(k) for k in range(8)])
    with pytest.raises(UnreadableMediaError, match="no sound"):
        adapt(silent)
    assert face_store.face_names() == []


def test_a_clip_without_a_face_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    landmarker = hub.fetch("face-landmarker")
    monkeypatch.setattr(hub, "fetch", lambda *_: landmarker)
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path))
    sound = 0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    blank = make_video(tmp_path / "blank.mp4", [numbered(k) for k in range(25)], sound=sound)
    vouched_for(blank, kind="face")
    outcome = runner(capfd, monkeypatch)("adapt", blank)
    assert outcome.code == 5
    assert "no face" in outcome.error_lines[-1]
    assert face_store.face_names() == []


def test_a_profile_is_private_and_holds_what_was_learned(home: Path, clip: Path) -> None:
    folder = keep("alice", clip)
    assert face_store.faces_folder().stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    profile = face_store.load_face("alice")
    assert profile.person is not None
    assert profile.person.amplitude == pytest.approx(0.8)
    assert np.allclose(profile.person.closed, CLOSED, atol=1e-4)
    assert profile.is_current
    face_store.remove_face("alice")
    assert not folder.exists()


def test_a_stopped_writing_leaves_the_old_profile(home: Path, clip: Path) -> None:
    folder = keep("alice", clip)
    before = (folder / face_profile.FACTS).read_text()

    def stopped() -> Iterator[None]:
        with face_store.new_folder("alice") as new:
            (new / face_profile.FACTS).write_text("{}")
            raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        next(stopped())
    assert (folder / face_profile.FACTS).read_text() == before
    assert [path.name for path in face_store.faces_folder().iterdir()] == ["alice"]


def test_names_that_cannot_be_are_refused(home: Path, clip: Path) -> None:
    for name in ("../alice", "none", "Auto", "a/b", ""):
        with pytest.raises(OptionError):
            face_store.check_free(name, False)
    keep("alice", clip)
    with pytest.raises(OutputError, match="--overwrite"):
        face_store.check_free("alice", False)
    assert face_store.check_free("alice", True) == "alice"
    with pytest.raises(UnknownNameError, match="did you mean alice"):
        face_store.load_face("alise")


def test_damaged_and_later_profiles_say_so(home: Path, clip: Path) -> None:
    folder = keep("alice", clip)
    facts = json.loads((folder / face_profile.FACTS).read_text())
    (folder / face_profile.FACTS).write_text(json.dumps({**facts, "format": 99}))
    with pytest.raises(ProfileError, match="update"):
        face_store.load_face("alice")
    (folder / face_profile.FACTS).write_text("not json")
    with pytest.raises(ProfileError, match="adapt"):
        face_store.load_face("alice")


def unasked() -> list[np.ndarray]:
    raise AssertionError("the face was looked at, which costs time and was not needed")


def look(value: float) -> list[np.ndarray]:
    return [np.full(16, value, np.float32)] * 3


def test_without_profiles_nobody_is_looked_at(home: Path, clip: Path, generator: EmbeddedGenerator) -> None:
    assert adapted.adapted(generator, "auto", clip, unasked) == (generator, None)


def test_the_very_clip_finds_its_profile(home: Path, clip: Path, generator: EmbeddedGenerator) -> None:
    keep("alice", clip)
    ours, name = adapted.adapted(generator, "auto", clip, unasked)
    assert name == "alice"
    assert isinstance(ours, EmbeddedGenerator)
    assert ours.person is not None
    assert ours.motion is not generator.motion
    assert ours.renderer is generator.renderer
    assert adapted.adapted(generator, "none", clip, unasked) == (generator, None)


def test_another_clip_of_the_person_does_and_a_strangers_does_not(
    home: Path, clip: Path, generator: EmbeddedGenerator
) -> None:
    keep("alice", clip, look=0.0)
    keep("bob", clip, look=5.0, sha256="another")
    other = home / "other.mp4"
    other.write_bytes(b"another clip")
    assert adapted.adapted(generator, "auto", other, lambda: look(0.1))[1] == "alice"
    assert adapted.adapted(generator, "auto", other, lambda: look(4.9))[1] == "bob"
    assert adapted.adapted(generator, "auto", other, lambda: look(2.5))[1] is None
    assert adapted.adapted(generator, "auto", other, lambda: [])[1] is None
    assert adapted.adapted(generator, "bob", other, unasked)[1] == "bob"


def test_a_profile_of_other_networks_is_left_alone(
    home: Path, clip: Path, generator: EmbeddedGenerator, caplog: pytest.LogCaptureFixture
) -> None:
    keep("alice", clip, base={MOTION_FILE: "older"})
    assert adapted.adapted(generator, "auto", clip, unasked) == (generator, None)
    assert "run `voicelip adapt" in caplog.text
    with pytest.raises(ProfileError, match="other lip networks"):
        adapted.adapted(generator, "alice", clip, unasked)


def test_a_network_that_was_changed_is_not_loaded(
    home: Path, clip: Path, generator: EmbeddedGenerator
) -> None:
    folder = keep("alice", clip)
    (folder / MOTION_FILE).write_bytes(b"something else")
    with pytest.raises(ProfileError, match="is not the network"):
        adapted.adapted(generator, "auto", clip, unasked)


def test_other_lips_take_no_adapted_face(home: Path, clip: Path) -> None:
    class Other:
        def session(self, job: object) -> None:
            raise NotImplementedError

    other = Other()
    assert adapted.adapted(other, "auto", clip, unasked) == (other, None)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="embedded"):
        adapted.adapted(other, "alice", clip, unasked)  # type: ignore[arg-type]


def test_faces_are_listed_shown_and_removed(
    home: Path, clip: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("alice", clip)
    run = runner(capfd, monkeypatch)
    assert "alice: 30 s of alice.mp4; motion off by 0.70 % (before 0.90)" in run("faces", "list").out
    assert json.loads(run("faces", "show", "alice", "--json").out)["is_current"]
    assert "motion" in run("faces", "show", "alice").out
    assert run("faces", "remove", "alice", "bob").code == 11
    assert run("faces", "remove", "alice").out.strip() == "removed alice"
    assert json.loads(run("faces", "list", "--json").out) == []


def test_times_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError):
        AdaptOptions(minutes=0)
    assert asdict(AdaptOptions())["minutes"] == 5
