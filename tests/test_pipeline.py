"""The main job on real media: a face and a sound in, a talking head out."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from consent_samples import consent

import voicelip
from voicelip import hub
from voicelip.evaluation.lips import lip_leak, static_landmark_distance, synchrony
from voicelip.face.points import mouth_opening
from voicelip.face.tracker import FaceTracker
from voicelip.media import Audio, Clip, VideoWriter, read_audio, write_audio
from voicelip.pipeline import PRESENTER, PRESENTER_FACE, PRESENTER_VOICE

GRID = Path(__file__).resolve().parents[2] / "shared" / "data" / "grid"


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    return FaceTracker.from_task(hub.fetch("face-landmarker"))


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of silence, two of speech, one of silence."""
    voice = read_audio(PRESENTER_VOICE, 16_000).samples[: 2 * 16_000]
    path = tmp_path_factory.mktemp("sound") / "speech.wav"
    padded = np.concatenate([np.zeros(8_000), voice, np.zeros(16_000)]).astype(np.float32)
    write_audio(path, Audio(padded, 16_000))
    return path


@pytest.fixture(scope="module")
def spoken(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> voicelip.Result:
    return voicelip.lipsync(face=PRESENTER, audio=speech, out=tmp_path_factory.mktemp("out") / "spoken.mp4")


def points_of(tracker: FaceTracker, path: Path) -> np.ndarray:
    return tracker.track(frame.image for frame in Clip(path).frames()).points


def write_clip(path: Path, images: list[np.ndarray], fps: int = 25) -> Path:
    with VideoWriter(path, images[0].shape[1], images[0].shape[0], Fraction(fps)) as writer:
        for image in images:
            writer.write_frame(image)
    return path


def presenter_frames(start: int, stop: int) -> list[np.ndarray]:
    return [frame.image for frame in Clip(PRESENTER_FACE).frames(start, stop)]


def test_sound_and_picture_are_as_long_as_the_speech(spoken: voicelip.Result) -> None:
    clip, sound = Clip(spoken.path), read_audio(spoken.path)
    assert clip.info.frame_count == spoken.frames == 88  # 3.5 s, begun frames count
    assert abs(sound.duration_s - clip.info.duration_s) <= 1 / 25
    assert (clip.info.width, clip.info.fps) == (Clip(PRESENTER_FACE).info.width, 25)
    assert not spoken.warnings
    assert not spoken.passed_through


def test_the_mouth_speaks_with_the_sound_and_rests_without(
    tracker: FaceTracker, spoken: voicelip.Result
) -> None:
    opening = mouth_opening(points_of(tracker, spoken.path))
    before, during, after = opening[2:10], opening[14:60], opening[70:]
    assert during.max() > 0.06
    assert during.std() > 0.012
    assert before.mean() < 0.02
    assert after.mean() < 0.02


def test_only_the_mouth_is_changed(spoken: voicelip.Result) -> None:
    source = next(iter(Clip(PRESENTER_FACE).frames(30, 31))).image.astype(int)
    result = next(iter(Clip(spoken.path).frames(30, 31))).image.astype(int)
    top = source.shape[0] // 3  # eyes and above
    assert np.abs(source[:top] - result[:top]).mean() < 2.0  # what encoding costs


def test_a_second_run_reads_the_track_and_gives_the_same_picture(
    speech: Path, spoken: voicelip.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_for_faces(path: Path) -> None:
        pytest.fail("faces were looked for again")

    monkeypatch.setattr(FaceTracker, "from_task", look_for_faces)
    again = voicelip.lipsync(face=PRESENTER, audio=speech, out=tmp_path / "again.mp4")
    first = next(iter(Clip(spoken.path).frames(40, 41))).image
    assert np.array_equal(first, next(iter(Clip(again.path).frames(40, 41))).image)


def test_a_still_photo_talks(tracker: FaceTracker, speech: Path, tmp_path: Path) -> None:
    import cv2

    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), presenter_frames(0, 1)[0][..., ::-1])
    consent(face=photo)
    result = voicelip.lipsync(face=photo, audio=speech, out=tmp_path / "out.mp4")
    assert result.frames == 88
    opening = mouth_opening(points_of(tracker, result.path))
    assert opening[14:60].max() > 0.06
    assert opening[70:].mean() < 0.02


def test_frames_without_a_face_pass_through_and_are_counted(speech: Path, tmp_path: Path) -> None:
    images = presenter_frames(0, 60)
    grey = np.full_like(images[0], 127)
    clip = write_clip(tmp_path / "gap.mp4", [*images[:25], *[grey] * 15, *images[25:]])
    consent(face=clip)
    result = voicelip.lipsync(face=clip, audio=speech, out=tmp_path / "out.mp4")
    assert set(result.passed_through) == {"no_face"}
    assert result.passed_through["no_face"] >= 15
    assert any("show no face" in warning for warning in result.warnings)
    shown = next(iter(Clip(result.path).frames(32, 33))).image
    assert np.abs(shown.astype(int) - 127).max() <= 6


def test_a_short_clip_goes_back_and_forth_or_holds(speech: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "short.mp4", presenter_frames(0, 20))
    consent(face=clip)
    for mode in ("bounce", "hold"):
        options = voicelip.LipsyncOptions(when_short=mode)  # type: ignore[arg-type]
        result = voicelip.lipsync(face=clip, audio=speech, out=tmp_path / f"{mode}.mp4", options=options)
        assert Clip(result.path).info.frame_count == 88


def test_a_long_clip_is_cut_or_kept(speech: Path, tmp_path: Path) -> None:
    options = voicelip.LipsyncOptions(when_long="keep")
    result = voicelip.lipsync(face=PRESENTER, audio=speech, out=tmp_path / "kept.mp4", options=options)
    assert result.frames == Clip(PRESENTER_FACE).info.frame_count
    assert abs(read_audio(result.path).duration_s - result.duration_s) <= 1 / 25


def test_strength_zero_keeps_the_mouth_shut(tracker: FaceTracker, speech: Path, tmp_path: Path) -> None:
    options = voicelip.LipsyncOptions(strength=0.0)
    result = voicelip.lipsync(face=PRESENTER, audio=speech, out=tmp_path / "still.mp4", options=options)
    assert mouth_opening(points_of(tracker, result.path)).max() < 0.02


@pytest.mark.parametrize(
    "fault", [{"strength": 5.0}, {"detector": "eyes"}, {"face_index": 0, "face_like": Path("x.jpg")}]
)
def test_options_that_make_no_sense_are_refused(fault: dict[str, object]) -> None:
    with pytest.raises(voicelip.VoicelipError):
        voicelip.LipsyncOptions(**fault)  # type: ignore[arg-type]


def test_say_speaks_text_with_the_presenter(tracker: FaceTracker, tmp_path: Path) -> None:
    result = voicelip.say("Good morning.", voice="stock:af_heart", face=PRESENTER, out=tmp_path / "hi.mp4")
    sound = read_audio(result.path, 16_000)
    assert 0.6 < sound.duration_s < 4
    assert np.abs(sound.samples).max() > 0.05
    assert mouth_opening(points_of(tracker, result.path)).max() > 0.05
    assert {"voice", "speech", "faces", "listening", "lips"} <= set(result.timings_s)


def test_importing_voicelip_loads_nothing_heavy() -> None:
    heavy = "('torch', 'cv2', 'av', 'onnxruntime', 'librosa')"
    code = f"import sys, voicelip; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("speaker", ["s5", "s22"])
def test_people_the_network_never_saw_speak_in_time(
    tracker: FaceTracker, speaker: str, tmp_path: Path
) -> None:
    """A person's picture backwards, driven by their own sound: what moves the mouth can only be the sound."""
    if not GRID.exists():
        pytest.skip(f"the GRID corpus is not at {GRID}")
    (path,) = (GRID / "val" / speaker).glob("*.mp4")
    images = [frame.image for frame in Clip(path).frames()]
    face = write_clip(tmp_path / "backwards.mp4", images[::-1])
    consent(face=face, subject=speaker)
    result = voicelip.lipsync(face=face, audio=path, out=tmp_path / "out.mp4")
    moved, real = points_of(tracker, result.path), points_of(tracker, path)
    sync = synchrony(moved, real)
    assert sync.r >= 0.6
    assert abs(sync.lag) <= 1
    assert static_landmark_distance(real) > 0


def test_silence_does_not_move_a_real_mouth(tracker: FaceTracker, tmp_path: Path) -> None:
    if not GRID.exists():
        pytest.skip(f"the GRID corpus is not at {GRID}")
    (path,) = (GRID / "val" / "s22").glob("*.mp4")
    write_audio(tmp_path / "silence.wav", Audio(np.zeros(32_000, np.float32), 16_000))
    consent(face=path, subject="s22")
    result = voicelip.lipsync(face=path, audio=tmp_path / "silence.wav", out=tmp_path / "out.mp4")
    assert lip_leak(points_of(tracker, result.path), points_of(tracker, path)) <= 0.02
