"""Voices are kept as profiles, travel as files that can do no harm, and speak by their name."""

import json
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voicelip import claims
from voicelip.errors import OptionError, OutputError, ProfileError, UnknownNameError
from voicelip.media import Audio
from voicelip.speech import profile_store as store
from voicelip.speech import resolve_voice
from voicelip.speech.pitch import Pitch
from voicelip.speech.profile import FACTS, NUMBERS, Origin, Profile

ORIGIN = {"file": "a.wav", "sha256": "ab", "duration_s": 1, "speech_s": 1, "findings": []}
SCALE = "encoder.predictor.F0_proj.weight_scale"  # has no dimension
BIAS = "decoder.decoder.encode.norm1.fc.bias"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Profiles of a test are its own."""
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def profile(name: str = "alice") -> Profile:
    rng = np.random.default_rng(0)
    windows = rng.random((3, 256), np.float32)
    return Profile(
        name=name,
        created="2026-01-02T03:04:05+00:00",
        voicelip="0.1.0",
        lang="en-us",
        origins=(Origin("a.wav", "ab" * 32, 12.0, 9.5, ("noisy: is noisy",)),),
        embedding=windows[0] / np.linalg.norm(windows[0]),
        windows=windows,
        mixture=(("af_heart", 0.75), ("af_bella", 0.25)),
        pitch=Pitch(200.0, 150.0, 260.0),
        spectrum=np.linspace(10, -10, 32, dtype=np.float32),
        style=rng.random((510, 256), np.float32),
        overrides={BIAS: rng.random(64, np.float32), SCALE: np.array(0.5, np.float32)},
        pace=1.1,
        fit={"mode": "quick", "seed": 0, "scores": {"secs": 0.9}},
    )


def test_a_profile_comes_back_as_it_was_kept() -> None:
    store.save_profile(profile())
    back = store.load_profile("alice")
    assert back == profile()
    for key in ("embedding", "windows", "spectrum", "style"):
        np.testing.assert_array_equal(getattr(back, key), getattr(profile(), key))
    for key, value in profile().overrides.items():
        assert back.overrides[key].shape == value.shape
        np.testing.assert_array_equal(back.overrides[key], value)


def test_only_the_owner_can_read_a_profile(home: Path) -> None:
    folder = store.save_profile(profile())
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (home / "voices", folder, *folder.iterdir())}
    assert {mode & 0o077 for mode in modes.values()} == {0}
    assert modes[folder] == 0o700


def test_a_profile_speaks_with_its_own_style_and_counts_as_a_real_person_s_voice() -> None:
    store.save_profile(profile())
    voice = resolve_voice("alice")
    assert (voice.name, voice.is_stock, voice.pace) == ("alice", False, 1.1)
    assert voice.style is not None
    assert set(voice.overrides) == {BIAS, SCALE}
    assert voice.target is not None
    assert voice.target.is_fitted
    claim = claims.spoken("kokoro", None, [origin.sha256 for origin in profile().origins])
    assert [source.sha256 for source in claim.sources] == ["ab" * 32]
    assert any(model.name.startswith("ge2e") for model in claim.models)


def test_a_profile_is_replaced_only_on_request() -> None:
    store.save_profile(profile())
    with pytest.raises(OutputError, match="exists"):
        store.save_profile(profile())
    store.save_profile(replace(profile(), lang="it"), overwrite=True)
    assert store.load_profile("alice").lang == "it"
    assert store.profile_names() == ["alice"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../up",
        "a/b",
        "a\\b",
        "/tmp/x",
        ".hidden",
        "stock:x",
        "con",
        "a" * 65,
        "x\n",
        " x",
        "x.",
    ],
)
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(OptionError, match="cannot be a voice's name"):
        store.save_profile(profile(name))
    assert not store.has_profile(name)


def test_names_in_any_script_are_allowed_and_case_does_not_tell_them_apart() -> None:
    for name in ("José", "अनु", "Anna-Lena 2", "x"):
        store.save_profile(profile(name))
    assert store.load_profile("Jose\u0301").name == "José"
    with pytest.raises(OptionError, match="José exists"):
        store.check_free("JOSÉ", True)
    with pytest.raises(OptionError, match="case"):
        store.check_free("X", False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("alcie", "did you mean alice"), ("zzz", "there are alice"), ("af_heart", "stock:af_heart")],
)
def test_an_unknown_voice_suggests_what_there_is(wrong: str, said: str) -> None:
    store.save_profile(profile())
    with pytest.raises(UnknownNameError, match=said):
        resolve_voice(wrong)


def test_without_profiles_an_unknown_voice_says_how_to_make_one() -> None:
    with pytest.raises(UnknownNameError, match="voicelip voice add bob"):
        resolve_voice("bob")


def test_a_profile_travels(tmp_path: Path) -> None:
    store.save_profile(profile(), {"reference-0.flac": b"sound"})
    file = store.export_profile("alice", tmp_path)
    assert file.name == "alice.voice"
    store.remove_profile("alice")
    assert store.profile_names() == []
    taken = store.import_profile(file)
    assert taken.name == "alice"
    assert (store.profile_folder("alice") / "reference-0.flac").read_bytes() == b"sound"
    other = store.import_profile(file, name="alice at work")
    assert store.load_profile("alice at work") == other
    with pytest.raises(OutputError, match="exists"):
        store.import_profile(file)


def exported(tmp_path: Path) -> dict[str, bytes]:
    store.save_profile(profile())
    with zipfile.ZipFile(store.export_profile("alice", tmp_path)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    store.remove_profile("alice")
    return members


def zipped(tmp_path: Path, members: dict[str, bytes]) -> Path:
    path = tmp_path / "evil.voice"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "evil", ["../../escaped", "/tmp/escaped", "sub/escaped", "x.pkl", "reference-0.flac.exe"]
)
def test_members_that_no_profile_has_stop_an_import(tmp_path: Path, evil: str) -> None:
    members = exported(tmp_path)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ProfileError, match="not imported"):
        store.import_profile(zipped(tmp_path, {**members, evil: b"x"}))
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "evil.voice"}
    assert store.profile_names() == []


def test_an_import_never_unpacks_more_than_a_profile_can_hold(tmp_path: Path) -> None:
    members = exported(tmp_path)
    bomb = zipped(tmp_path, {**members, FACTS: b" " * (40 << 20)})
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(ProfileError, match="too large"):
        store.import_profile(bomb)


def altered(members: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    facts = {**json.loads(members[FACTS]), **changes}
    return {**members, FACTS: json.dumps(facts).encode()}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 99}, "update voicelip"),
        ({"name": "../evil"}, "cannot be a voice's name"),
        ({"pace": 1e9}, "pace"),
        ({"pace": "fast"}, "TypeError"),
        ({"mixture": [["nobody", 1.0]]}, "unknown voices"),
        ({"origins": [{**ORIGIN, "kept": "../x"}]}, "no profile keeps"),
        ({"origins": 3}, "TypeError"),
    ],
)  # fmt: skip
def test_a_profile_that_lies_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = zipped(tmp_path, altered(exported(tmp_path), **changes))
    with pytest.raises((ProfileError, OptionError), match=said):
        store.import_profile(path)
    assert store.profile_names() == []


@pytest.mark.parametrize(
    "numbers",
    [b"", b"\x80\x04K\x01.", b"\xff" * 64, b"PK\x03\x04"],
    ids=["empty", "pickle", "header too long", "zip"],
)
def test_numbers_are_read_as_safetensors_only(tmp_path: Path, numbers: bytes) -> None:
    path = zipped(tmp_path, {**exported(tmp_path), NUMBERS: numbers})
    with pytest.raises(ProfileError, match=r"voice\.safetensors cannot be read"):
        store.import_profile(path)


def test_what_is_no_profile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.voice"
    path.write_bytes(b"hello")
    with pytest.raises(ProfileError, match="is no voice profile"):
        store.import_profile(path)
    with pytest.raises(ProfileError, match="is no voice profile"):
        store.import_profile(zipped(tmp_path, {"readme.txt": b"hi"}))


def test_the_finish_brings_speech_to_the_colour_of_its_reference() -> None:
    from voicelip.speech.finish import Target, finished, long_term_spectrum

    rng = np.random.default_rng(1)
    pulses = np.zeros(16_000 * 8, np.float32)
    pulses[:: 16_000 // 120] = 0.3
    pulses += 0.003 * rng.standard_normal(len(pulses)).astype(np.float32)
    bursts = pulses * (np.sin(np.arange(len(pulses)) / 16_000 * 2 * np.pi * 2) > -0.5)
    dull = np.convolve(bursts, np.ones(4) / 4, mode="same").astype(np.float32)
    wanted = long_term_spectrum(Audio(bursts, 16_000))
    before = np.abs(long_term_spectrum(Audio(dull, 16_000)) - wanted)
    mended = finished(Audio(dull, 16_000), Target(wanted))
    after = np.abs(long_term_spectrum(mended) - wanted)
    assert before.mean() > 2
    assert after.mean() < 0.6 * before.mean()
    assert len(mended.samples) == len(dull)
    level = np.sqrt(np.mean(mended.samples**2)) / np.sqrt(np.mean(dull**2))
    assert level == pytest.approx(1, abs=0.02)
