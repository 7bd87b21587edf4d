"""Nobody's voice or face is used without their consent: each way to be wrong is refused, with its reason."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from consent_samples import agreed, another_face, consent
from media_samples import make_video
from voice_samples import somebody_else, voice

from voicelip import hub
from voicelip.consent import examining, shown
from voicelip.consent.asking import Agreement, Use, require, require_drawn
from voicelip.consent.choice import FaceChoice
from voicelip.consent.denying import deny_people
from voicelip.consent.making import make
from voicelip.errors import ConsentError, OptionError
from voicelip.face.tracker import FaceTracker
from voicelip.media import Clip, write_audio
from voicelip.pipeline import PRESENTER_FACE, PRESENTER_VOICE
from voicelip.trust import audit_log, consent_key, consent_store, deny
from voicelip.trust.consent import today

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store, a key and a log of the test's own."""
    monkeypatch.setattr(consent_key, "folder", lambda: tmp_path / "keys")
    monkeypatch.setattr(consent_store, "folder", lambda: tmp_path / "consents")
    return tmp_path / "consents"


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a voice made by rule."""
    path = tmp_path_factory.mktemp("alice") / "alice.wav"
    write_audio(path, voice(6))
    return path


@pytest.fixture(scope="module")
def alice_again(alice: Path) -> Path:
    """Something else that the same voice said."""
    path = alice.with_name("again.wav")
    write_audio(path, voice(7, seed=5))
    return path


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of a face that counts as a person's: another file than the bundled presenter's."""
    images = [frame.image for frame in Clip(PRESENTER_FACE).frames(0, 8)]
    return make_video(tmp_path_factory.mktemp("face") / "face.mp4", images)


@pytest.fixture(scope="module")
def others() -> list[np.ndarray]:
    """Frames of another face."""
    tracker = FaceTracker.from_task(hub.fetch("face-landmarker"))
    images = [frame.image for frame in Clip(PRESENTER_FACE).frames(0, 5)]
    points = tracker.candidates(images[0])[0].mesh.points
    return [another_face(image, points) for image in images]


@pytest.fixture(scope="module")
def pair(others: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The face of the other clips on the left, another one on the right."""
    own = [frame.image for frame in Clip(PRESENTER_FACE).frames(0, 5)]
    images = [np.hstack(sides) for sides in zip(own, others, strict=True)]
    return make_video(tmp_path_factory.mktemp("pair") / "pair.mp4", images)


def refused(use: Use) -> ConsentError:
    with pytest.raises(ConsentError) as caught:
        require(use)
    error = caught.value
    assert "\n" not in str(error)
    last = list(audit_log.entries())[-1]
    assert (last["event"], last["reason"]) == ("refused", error.reason)
    assert not audit_log.check()
    return error


def edited(store: Path, **changes: object) -> None:
    """Change the only record that is kept, as somebody with an editor would."""
    (path,) = store.glob("c-*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


class TestGranted:
    def test_the_recording_that_the_record_names_without_listening_to_it(
        self, alice: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = consent(voice=alice)

        def listen(path: Path) -> None:
            pytest.fail("a recording that the record names was listened to")

        monkeypatch.setattr(shown, "_voice_of", listen)
        assert require(Use("speak", voice=alice, lang="es", out="x.wav")).ids == (made.id,)

    def test_another_recording_of_the_same_voice(self, alice: Path, alice_again: Path) -> None:
        made = consent(voice=alice)
        assert require(Use("speak", voice=alice_again)).ids == (made.id,)

    def test_other_footage_of_the_same_face(self, face: Path, tmp_path: Path) -> None:
        made = consent(face=face)
        images = [frame.image[20:, 10:] for frame in Clip(PRESENTER_FACE).frames(40, 44)]
        images = [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in images]
        granted = require(Use("lipsync", face=make_video(tmp_path / "other.mp4", images)))
        assert granted.ids == (made.id,)
        assert granted.face is not None
        assert not granted.face.by_hash

    def test_a_record_in_a_file_which_is_kept_from_then_on(self, alice: Path, store: Path) -> None:
        made = consent(voice=alice)
        record = (store / f"{made.id}.json").rename(store.parent / "alice.consent.json")
        assert require(Use("speak", voice=alice, agreement=Agreement((record,)))).ids == (made.id,)
        record.unlink()
        assert require(Use("speak", voice=alice)).ids == (made.id,)

    @pytest.mark.parametrize("use", [
        Use("say", voice="stock:af_heart", face="stock:presenter", lang="en"),
        Use("say", voice=PRESENTER_VOICE, face=PRESENTER_FACE, lang="en"),
        Use("lipsync", face="stock:presenter"),
    ])  # fmt: skip
    def test_nobody_needs_none_and_nothing_is_logged(self, use: Use, store: Path) -> None:
        assert require(use).ids == ()
        assert not store.exists()

    def test_one_of_two_records_that_is_still_valid(self, alice: Path) -> None:
        old = consent(voice=alice)
        examining.revoke(old.id, "left the company")
        renewed = consent(voice=alice)
        assert require(Use("speak", voice=alice)).ids == (renewed.id,)


class TestRefused:
    def test_missing_with_the_command_that_makes_one(self, alice: Path, face: Path) -> None:
        error = refused(Use("say", voice=alice, face=face, lang="es"))
        assert error.reason == "missing"
        assert error.exit_code == 16
        assert "this voice and this face" in str(error)
        command = str(error).partition("voicelip consent new ")[2]
        for part in (f"--voice {alice}", f"--face {face}", "--languages es", "--expires 20"):
            assert part in command

    @pytest.mark.parametrize(("scope", "use", "reason", "said"), [
        ({"not_before": today() - 9 * DAY, "expires": today()}, {}, "expired", "expired on"),
        ({"not_before": today() + DAY, "expires": today() + 2 * DAY}, {}, "not yet valid", "begins on"),
        ({"languages": ("es", "fr")}, {"lang": "it"}, "language", "covers the languages es, fr, not it"),
        ({"languages": ("en-gb",)}, {"lang": "en"}, "language", "--languages en-gb,en-us"),
        ({"actions": ("lipsync", "adapt")}, {}, "action", "allows lipsync, adapt, not speak"),
        ({"purposes": ("training videos",)}, {"purpose": "advertising"}, "purpose", "not for advertising"),
    ])  # fmt: skip
    def test_out_of_scope(
        self, alice: Path, monkeypatch: pytest.MonkeyPatch, scope: dict, use: dict, reason: str, said: str
    ) -> None:
        made = consent(voice=alice, **scope)
        if reason == "expired":
            monkeypatch.setattr("voicelip.trust.consent_check.today", lambda: made.scope.expires + DAY)
        wanted = Use(
            "speak", voice=alice, lang=use.get("lang"), agreement=Agreement(purpose=use.get("purpose"))
        )
        error = refused(wanted)
        assert error.reason == reason
        assert said in str(error)
        assert made.id in str(error)

    def test_revoked(self, alice: Path) -> None:
        made = consent(voice=alice)
        examining.revoke(made.id, "changed their mind")
        error = refused(Use("speak", voice=alice))
        assert error.reason == "revoked"
        assert "changed their mind" in str(error)

    def test_a_list_of_revoked_records_that_was_edited(self, alice: Path, store: Path) -> None:
        made = consent(voice=alice)
        examining.revoke(made.id)
        listed = json.loads((store / "revoked.json").read_text())
        (store / "revoked.json").write_text(json.dumps({**listed, "revoked": {}}))
        assert refused(Use("speak", voice=alice)).reason == "revocations"

    def test_a_list_of_revoked_records_that_was_deleted(self, alice: Path, store: Path) -> None:
        examining.revoke(consent(voice=alice).id)
        (store / "revoked.json").unlink()
        assert refused(Use("speak", voice=alice)).reason == "revocations"

    @pytest.mark.parametrize(("changes", "reason", "said"), [
        ({"expires": "2099-12-31"}, "signature", "changed after it was signed"),
        ({"subject": "Bob"}, "signature", "changed after it was signed"),
        ({"signature": "AAAA"}, "signature", "does not fit"),
        ({"signature": None}, "signature", "not signed"),
        ({"format": 2}, "version", "later voicelip"),
        ({"media": "none"}, "damaged", "no consent record that can be read"),
        ({"expires": "soon"}, "damaged", "no consent record that can be read"),
        ({"subject": "\x1b[2J"}, "damaged", "no consent record that can be read"),
    ])  # fmt: skip
    def test_edited_or_damaged(self, alice: Path, store: Path, changes: dict, reason: str, said: str) -> None:
        consent(voice=alice)
        edited(store, **changes)
        (path,) = store.glob("c-*.json")
        error = refused(Use("speak", voice=alice, agreement=Agreement((path,))))
        assert error.reason == reason
        assert said in str(error)

    def test_an_edited_record_in_the_store_is_named(self, alice: Path, store: Path) -> None:
        consent(voice=alice)
        edited(store, languages=["any", "de"])
        assert refused(Use("speak", voice=alice)).reason == "signature"

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"kind": "voicelip consent"}', b"[" * 9999]
    )
    def test_a_file_that_is_no_record(self, alice: Path, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "x.json").write_bytes(content)
        error = refused(Use("speak", voice=alice, agreement=Agreement((tmp_path / "x.json",))))
        assert error.reason == "damaged"

    def test_a_file_that_is_not_there(self, alice: Path, tmp_path: Path) -> None:
        assert (
            refused(Use("speak", voice=alice, agreement=Agreement((tmp_path / "x.json",)))).reason
            == "missing"
        )

    def test_an_unknown_issuer_until_trusted(
        self, alice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = tmp_path / "alice.consent.json"
        make(agreed(voices=(alice,), issuer="Elsewhere Ltd"), record)
        (tmp_path / "key.pem").write_text(consent_key.public_pem())
        monkeypatch.setattr(consent_key, "folder", lambda: tmp_path / "other keys")
        monkeypatch.setattr(consent_store, "folder", lambda: tmp_path / "other consents")
        use = Use("speak", voice=alice, agreement=Agreement((record,)))
        error = refused(use)
        assert error.reason == "issuer"
        assert "Elsewhere Ltd" in str(error)
        assert "voicelip consent trust" in str(error)
        consent_key.trust(tmp_path / "key.pem")
        assert require(use).ids

    def test_another_voice(self, alice: Path, tmp_path: Path) -> None:
        made = consent(voice=alice)
        bob = tmp_path / "bob.wav"
        write_audio(bob, somebody_else())
        assert refused(Use("speak", voice=bob)).reason == "wrong voice"
        record = consent_store.folder() / f"{made.id}.json"
        error = refused(Use("speak", voice=bob, agreement=Agreement((record,))))
        assert f"consent {made.id} is of another voice" in str(error)

    def test_another_face(self, face: Path, others: list[np.ndarray], tmp_path: Path) -> None:
        consent(face=face)
        other = make_video(tmp_path / "other.mp4", others)
        error = refused(Use("lipsync", face=other))
        assert error.reason == "wrong face"
        assert "voicelip consent new" in str(error)

    def test_a_voice_under_a_record_of_a_face(self, alice: Path, face: Path) -> None:
        consent(face=face)
        assert refused(Use("speak", voice=alice)).reason == "missing"

    def test_a_key_that_cannot_be_read(self, alice: Path) -> None:
        consent(voice=alice)
        (consent_key.folder() / consent_key.FILE).write_text("no key")
        with pytest.raises(ConsentError, match="Ed25519 private key") as caught:
            require(Use("speak", voice=alice))
        assert caught.value.reason == "key"

    def test_denied_whatever_the_record_says(
        self, alice: Path, alice_again: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        consent(voice=alice)
        assert deny_people(tmp_path / "deny.json", [alice_again], []) == 1
        assert require(Use("speak", voice=alice)).ids
        monkeypatch.setenv(deny.VARIABLE, str(tmp_path / "deny.json"))
        assert refused(Use("speak", voice=alice)).reason == "denied"
        with pytest.raises(ConsentError, match="deny list"):
            consent(voice=alice_again)

    def test_a_deny_list_that_cannot_be_read(
        self, alice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        consent(voice=alice)
        monkeypatch.setenv(deny.VARIABLE, str(tmp_path / "nowhere.json"))
        assert refused(Use("speak", voice=alice)).reason == "deny list"


class TestMaking:
    def test_two_recordings_of_two_people_make_no_record(self, alice: Path, tmp_path: Path) -> None:
        bob = tmp_path / "bob.wav"
        write_audio(bob, somebody_else())
        with pytest.raises(ConsentError, match="make a record for each person"):
            make(agreed(voices=(alice, bob)))
        assert not consent_store.folder().exists()

    @pytest.mark.parametrize("fault", [
        {"subject": " "}, {"subject": "two\nlines"}, {"purposes": ()}, {"languages": ("Spanish!",)},
        {"actions": ("fly",)}, {"expires": today() - DAY}, {"not_before": today() + 5 * DAY}, {"voices": ()},
    ])  # fmt: skip
    def test_what_makes_no_sense_is_refused(self, alice: Path, fault: dict) -> None:
        with pytest.raises(OptionError):
            make(replace(agreed(voices=(alice,)), **fault))

    def test_files_are_the_users_alone(self, alice: Path, store: Path) -> None:
        consent(voice=alice)
        files = [*store.iterdir(), *consent_key.folder().iterdir()]
        assert len(files) >= 4
        assert {file.stat().st_mode & 0o077 for file in (*files, store)} == {0}

    def test_nothing_of_the_person_can_be_read_from_what_is_written_elsewhere(self, alice: Path) -> None:
        consent(voice=alice, subject="Alice Example")
        require(Use("speak", voice=alice, out="out.wav"))
        assert "Alice Example" not in audit_log.log_file().read_text()


class TestTwoFaces:
    def test_a_record_needs_to_know_which(self, pair: Path) -> None:
        with pytest.raises(ConsentError, match="--face-index"):
            make(agreed((pair,)))

    def test_only_the_face_that_was_agreed_to(self, pair: Path) -> None:
        made = make(agreed((pair,), choice=FaceChoice(0)))
        assert made.media[0].several
        assert require(Use("lipsync", face=pair, choice=FaceChoice(0))).ids == (made.id,)
        assert refused(Use("lipsync", face=pair, choice=FaceChoice(1))).reason == "wrong face"

    def test_a_track_of_the_other_one_is_refused(self, pair: Path, face: Path) -> None:
        import voicelip

        make(agreed((pair,), choice=FaceChoice(0)))
        granted = require(Use("lipsync", face=pair, choice=FaceChoice(0)))
        clip = Clip(pair)
        tracked = {k: track_of(clip, voicelip.LipsyncOptions(face_index=k)) for k in (0, 1)}
        granted.confirm(clip, tracked[0])
        with pytest.raises(ConsentError, match="not that of Test Person"):
            granted.confirm(clip, tracked[1])

    def test_all_who_are_drawn_need_a_record_of_their_own(
        self, pair: Path, face: Path, others: list[np.ndarray], tmp_path: Path
    ) -> None:
        import voicelip

        clip = Clip(pair)
        tracks = [(0, track_of(clip, voicelip.LipsyncOptions(face_index=k))) for k in (0, 1)]
        use = Use("dub", face=pair, lang="es")
        first = consent(face=face)
        assert require_drawn(use, clip, tracks[:1]).ids == (first.id,)
        with pytest.raises(ConsentError, match=r"pair.mp4 at 0.\d s") as caught:
            require_drawn(use, clip, tracks)
        assert caught.value.reason == "wrong face"
        second = consent(face=make_video(tmp_path / "other.mp4", others), subject="Another")
        assert set(require_drawn(use, clip, tracks).ids) == {first.id, second.id}


class TestLog:
    @pytest.fixture
    def log(self, alice: Path) -> Path:
        """A log of four lines."""
        consent(voice=alice)
        for lang in ("es", "fr", "it"):
            require(Use("speak", voice=alice, lang=lang, out=f"{lang}.wav"))
        assert [each.get("lang") for each in audit_log.entries()] == [None, "es", "fr", "it"]
        assert audit_log.check() == []
        return audit_log.log_file()

    @pytest.mark.parametrize(("change", "line"), [
        (lambda lines: [*lines[:2], lines[2].replace(b"fr.wav", b"xx.wav"), lines[3]], 3),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: lines[1:], 1),
        (lambda lines: lines[:3], 3),
        (lambda lines: [], 0),
        (lambda lines: [*lines, lines[3]], 5),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], 2),
        (lambda lines: [*lines[:3], b"nonsense\n"], 4),
    ])  # fmt: skip
    def test_every_change_is_found(self, log: Path, change, line: int) -> None:
        log.write_bytes(b"".join(change(log.read_bytes().splitlines(keepends=True))))
        assert audit_log.check()[0].line == line

    def test_a_removed_log_is_missed(self, log: Path) -> None:
        log.unlink()
        assert "cut off" in audit_log.check()[0].what

    def test_nothing_is_granted_under_a_log_that_was_cut(self, log: Path, alice: Path) -> None:
        log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:3]))
        with pytest.raises(ConsentError, match="tampered") as caught:
            require(Use("speak", voice=alice))
        assert caught.value.reason == "log"
        aside = audit_log.start_anew()
        assert aside is not None
        assert aside.exists()
        assert require(Use("speak", voice=alice)).ids

    def test_runs_at_the_same_time_write_one_after_the_other(self, log: Path) -> None:
        with ThreadPoolExecutor(8) as runs:
            list(runs.map(lambda n: audit_log.append({"event": "granted", "action": f"run {n}"}), range(24)))
        assert audit_log.check() == []
        assert audit_log.head()[0] == 28

    def test_a_run_that_was_killed_between_line_and_seal_is_no_tampering(
        self, log: Path, alice: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(audit_log, "_write_seal", lambda *_: None)
            require(Use("speak", voice=alice))
        require(Use("speak", voice=alice))
        assert audit_log.check() == []


def track_of(clip: Clip, options):
    from voicelip.progress import silent
    from voicelip.talking_head import follow

    return follow(clip, clip.info.frame_count, options, silent)
