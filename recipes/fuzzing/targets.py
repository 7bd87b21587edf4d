"""The entries that take files of strangers, each with good files to spoil."""

import contextlib
import functools
import io
import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from voicelip.media import Audio, Clip, read_audio, write_audio

FPS = Fraction(25)
_MOST_FRAMES = 60  # read of a clip: what is spoilt later is found by the whole runs


@dataclass(frozen=True)
class Target:
    """`seeds(folder)` makes good files, by name; `call(path)` opens one of such a name, as a user would."""

    name: str
    seeds: Callable[[Path], dict[str, bytes]]
    call: Callable[[Path], object]


def targets() -> dict[str, Target]:
    """All of them, by name."""
    made = [
        Target("clip", _clips, _read_clip),
        Target("photo", _photos, _read_clip),
        Target("sound", _sounds, lambda path: read_audio(path, 16_000)),
        Target("verify", _signed, _verify),
        Target("certificates", _certificates, _verify_trusting),
        Target("lipsync", _clip_of_a_face, _lipsync),
        Target("voice archive", _voice_archive, _import_voice),
        Target("voice profile", functools.partial(_voice_files, ".json"), _read_voice),
        Target("voice numbers", functools.partial(_voice_files, ".safetensors"), _read_voice),
        Target("face facts", functools.partial(_face_files, ".json"), _read_face),
        Target("face numbers", functools.partial(_face_files, ".npz"), _read_face),
        Target("face track", _face_track, _read_track),
        Target("checkpoint", _checkpoints, _read_checkpoint),
        Target("training config", _configs, _read_config),
        Target("text", _texts, _read_text),
    ]
    return {target.name: target for target in made}


def _presenter(seconds: float, size: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures (`size`, `size`, 3) and 16 kHz sound of the rendered presenter."""
    import cv2

    from voicelip.pipeline import PRESENTER_FACE, PRESENTER_VOICE

    frames = Clip(PRESENTER_FACE).frames(0, round(seconds * FPS))
    pictures = [cv2.resize(frame.image, (size, size), interpolation=cv2.INTER_AREA) for frame in frames]
    return pictures, read_audio(PRESENTER_VOICE, 16_000, stop_s=seconds).samples


def _encoded(
    name: str, codec: str, sound_codec: str | None, pixels: str = "yuv420p", size: int = 96
) -> bytes:
    pictures, samples = _presenter(0.4, size)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=_FORMATS[Path(name).suffix]) as container:
        video = container.add_stream(codec, rate=FPS)
        video.width, video.height, video.pix_fmt = size, size, pixels
        audio = container.add_stream(sound_codec, rate=16_000, layout="mono") if sound_codec else None
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture).reformat(format=pixels)))
        container.mux(video.encode(None))
        if audio:
            frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate = 16_000
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return buffer.getvalue()


_FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".avi": "avi", ".gif": "gif", ".mov": "mov", ".ts": "mpegts"}


def _clips(folder: Path) -> dict[str, bytes]:
    return {
        "a.mp4": _encoded("a.mp4", "libx264", "aac"),
        "b.mov": _encoded("b.mov", "mpeg4", "pcm_s16le"),
        "c.mkv": _encoded("c.mkv", "libx264", "aac"),
        "d.avi": _encoded("d.avi", "mjpeg", "pcm_s16le", "yuvj420p"),
        "e.gif": _encoded("e.gif", "gif", None, "rgb8"),
        "f.ts": _encoded("f.ts", "mpeg2video", "aac"),
    }


def _clip_of_a_face(folder: Path) -> dict[str, bytes]:
    return {"a.mp4": _encoded("a.mp4", "libx264", "aac", size=256)}


def _photos(folder: Path) -> dict[str, bytes]:
    import cv2

    picture = _presenter(0.04, 96)[0][0][..., ::-1]
    suffixes = (".jpg", ".png", ".webp", ".bmp", ".tiff")
    return {f"a{suffix}": cv2.imencode(suffix, picture)[1].tobytes() for suffix in suffixes}


def _sounds(folder: Path) -> dict[str, bytes]:
    import soundfile

    samples = _presenter(0.5, 16)[1]
    files = {}
    for name, kind in (
        ("a.wav", "WAV"),
        ("b.flac", "FLAC"),
        ("c.ogg", "OGG"),
        ("d.mp3", "MP3"),
        ("e.aiff", "AIFF"),
    ):
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 16_000, format=kind)
        files[name] = buffer.getvalue()
    return files


def _read_clip(path: Path) -> None:
    for frame in itertools.islice(Clip(path).frames(0, _MOST_FRAMES), _MOST_FRAMES):
        frame.picture.rgb()


def _signed(folder: Path) -> dict[str, bytes]:
    from voicelip.trust import Claim
    from voicelip.trust.credentials import sign

    video, sound = folder / "s.mp4", folder / "s.wav"
    video.write_bytes(_encoded("s.mp4", "libx264", "aac"))
    write_audio(sound, Audio(_presenter(0.3, 16)[1], 16_000), overwrite=True)
    for file in (video, sound):
        sign(file, Claim())
    return {file.name: file.read_bytes() for file in (video, sound)}


def _verify(path: Path) -> None:
    from voicelip.trust.report import provenance_tree, to_dict, verdict_line
    from voicelip.trust.verify import verify

    report = verify(path)
    verdict_line(report)
    provenance_tree(report)
    json.dumps(to_dict(report))


def _certificates(folder: Path) -> dict[str, bytes]:
    from voicelip.trust.keys import key_folder, load_signer

    load_signer()
    return {"ca.pem": (key_folder() / "ca.pem").read_bytes()}


def _verify_trusting(path: Path) -> None:
    from voicelip.trust.verify import verify

    sound = path.with_name("trusted.wav")
    if not sound.exists():
        sound.write_bytes(_signed(path.parent)["s.wav"])
    verify(sound, trust=path)


def _lipsync(path: Path) -> None:
    from voicelip.pipeline import lipsync

    lipsync(face=path, audio=path, out=path.with_suffix(".out.mp4"), overwrite=True)


def _profile(folder: Path) -> Path:
    """The folder of a voice profile of nobody: the stock of numbers that a profile without a fit has."""
    from voicelip.pipeline import PRESENTER_VOICE
    from voicelip.speech.enrol import enrol
    from voicelip.speech.profile_store import has_profile, profile_folder

    if not has_profile("nobody"):
        enrol("nobody", [PRESENTER_VOICE], fit="none")
    return profile_folder("nobody")


def _voice_archive(folder: Path) -> dict[str, bytes]:
    from voicelip.speech.profile_store import export_profile

    _profile(folder)
    return {"a.voice": export_profile("nobody", folder / "a.voice", overwrite=True).read_bytes()}


def _import_voice(path: Path) -> None:
    from voicelip.speech.profile_store import import_profile

    import_profile(path, "imported", overwrite=True)


def _voice_files(suffix: str, folder: Path) -> dict[str, bytes]:
    whole = folder / "voice"
    shutil.copytree(_profile(folder), whole, dirs_exist_ok=True)
    return {file.name: file.read_bytes() for file in whole.iterdir() if file.suffix == suffix}


def _read_voice(path: Path) -> None:
    from voicelip.speech.profile import read_profile

    with _in_place(path, path.parent / "voice") as folder:
        read_profile(folder)


def _face_files(suffix: str, folder: Path) -> dict[str, bytes]:
    from voicelip import __version__
    from voicelip.lips import face_profile
    from voicelip.lips.motion import MOTION_POINTS
    from voicelip.lips.person import Person

    whole = folder / "face"
    whole.mkdir(exist_ok=True)
    facts = {field: "" for field in face_profile.FaceFacts.__dataclass_fields__}
    facts |= {"format": face_profile.FORMAT, "voicelip": __version__, "networks": {}, "base": {}}
    person = Person(1.0, np.zeros((len(MOTION_POINTS), 2)))
    face_profile.write(whole, face_profile.FaceFacts(**facts), person, np.zeros((2, 8)))
    return {file.name: file.read_bytes() for file in whole.iterdir() if file.suffix == suffix}


def _read_face(path: Path) -> None:
    from voicelip.lips.face_profile import read

    with _in_place(path, path.parent / "face") as folder:
        read(folder)


@contextlib.contextmanager
def _in_place(path: Path, folder: Path):
    """`folder` with one of its files replaced by that of the same name at `path`, for a while."""
    good = (folder / path.name).read_bytes()
    (folder / path.name).write_bytes(path.read_bytes())
    try:
        yield folder
    finally:
        (folder / path.name).write_bytes(good)


def _track_of(path: Path) -> Callable[[], object]:
    from voicelip.face import FaceTrack
    from voicelip.face.cache import cached_track
    from voicelip.pipeline import PRESENTER_FACE

    def compute() -> FaceTrack:
        still = np.zeros(8, np.float32)
        return FaceTrack(
            np.zeros((8, 478, 2), np.float32), still.astype(np.int8), still, still.astype(np.int32)
        )

    return lambda: cached_track(PRESENTER_FACE, "fuzz", path, compute)


def _face_track(folder: Path) -> dict[str, bytes]:
    store = folder / "tracks"
    _track_of(store)()
    return {file.name: file.read_bytes() for file in store.glob("*.npz")}


def _read_track(path: Path) -> None:
    with _in_place(path, path.parent / "tracks") as folder:
        _track_of(folder)()


def _checkpoints(folder: Path) -> dict[str, bytes]:
    import torch
    from safetensors.torch import save

    state = {"module.a.weight": torch.zeros(3, 4), "b.bias": torch.zeros(5), "n": torch.tensor(1)}
    pickled = {}
    for name, value in (("a.pth", {"state_dict": state}), ("b.pt", state)):
        buffer = io.BytesIO()
        torch.save(value, buffer, _use_new_zipfile_serialization=name == "a.pth")
        pickled[name] = buffer.getvalue()
    return {**pickled, "c.safetensors": save(state)}


def _read_checkpoint(path: Path) -> None:
    from voicelip.state_dict import read_state

    read_state(path)


def _configs(folder: Path) -> dict[str, bytes]:
    file = Path(__file__).parent.parent / "configs" / "motion.yaml"
    return {file.name: file.read_bytes()}


def _read_config(path: Path) -> None:
    from voicelip.training.config import load_config
    from voicelip.training.motion import MotionConfig

    load_config(MotionConfig, path)


def _texts(folder: Path) -> dict[str, bytes]:
    lines = {
        "en": 'On <break 400ms> March 3, 2024 at 10:30 *I* pay $3.50 to j@a.com [Nguyen](/wˈɪn/), IV. "No!"',
        "es": "El siglo XXI, 21 personas, 120 km/h, 1.234,5 €; ¿qué? http://a.b/c",
        "fr": "le 1er mars à 10h30, 5 M€, nº 3, l'été",
        "hi": "₹500.50, 12,34,567 लोग",
        "it": "l'8 marzo, 3,5 kg, 2° piano",
        "pt-br": "às 10h30, R$ 5,00, 1ª vez",
        "en-gb": '<phoneme ph="wˈɪn">N</phoneme> <sub alias="World">W</sub> £2.50 <emphasis>x</emphasis> 1/2',
    }
    return {f"{lang}.txt": line.encode() for lang, line in lines.items()}


def _read_text(path: Path) -> None:
    from voicelip.cli.text import read_text
    from voicelip.speech.script import script

    script(read_text(None, path), path.stem)
