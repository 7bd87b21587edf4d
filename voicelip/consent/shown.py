"""The real voices and faces that a command is about to use, and what each is known again by."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelip.consent.choice import FaceChoice
from voicelip.errors import InputNotFoundError, ProfileError
from voicelip.hashing import content_hash
from voicelip.trust.consent_check import Shown

if TYPE_CHECKING:
    from voicelip.speech.profile import Profile
    from voicelip.trust.likeness import Kind, Likeness

_ASSETS = Path(__file__).parents[1] / "assets"
_BUNDLED = tuple(_ASSETS / name for name in ("presenter.mp4", "presenter.wav"))


def voices_in(voice: "str | Path | Sequence[Path] | Profile | None") -> list[Shown]:
    """The real voices that are meant."""
    if voice is None or voice == "stock:presenter":
        return []
    if isinstance(voice, (str, Path)):
        from voicelip.speech.speaking import VoiceSpec

        named = VoiceSpec.parse(voice)
        if named.kind == "stock":
            return []
        if named.kind == "recording":
            return _recordings("voice", [Path(named.name)], _voice_of)
        from voicelip.speech.profile_store import load_profile

        return [_profile(load_profile(named.name))]
    if isinstance(voice, Sequence):
        return _recordings("voice", [Path(each) for each in voice], _voice_of)
    return [_profile(voice)]


def _profile(profile: "Profile") -> Shown:
    def likeness() -> "Likeness":
        from voicelip.trust.likeness import Likeness

        if profile.campplus is None:
            raise ProfileError(
                f"voice {profile.name}: made by an older version, so it cannot be compared with who agreed; "
                "`voicelip voice add` it anew"
            )
        return Likeness.of("voice", profile.campplus)

    return Shown(
        "voice",
        f"the voice {profile.name}",
        tuple(origin.sha256 for origin in profile.origins),
        likeness,
        files=tuple(origin.file for origin in profile.origins),
        remembered=profile.consents,
    )


def faces_in(face: str | Path | None, choice: FaceChoice) -> list[Shown]:
    if face is None or str(face).startswith("stock:"):
        return []

    def likeness_of(path: Path) -> "Likeness":
        from voicelip.consent.faces import likeness_of_face

        return likeness_of_face(path, choice)

    return _recordings("face", [Path(face)], likeness_of)


def _recordings(kind: "Kind", paths: Sequence[Path], likeness_of: Callable[[Path], Any]) -> list[Shown]:
    shown = []
    for path in paths:
        if not path.is_file():
            raise InputNotFoundError(f"{path}: no such file; check the name and the folder")
        if not _is_bundled(path):
            shown.append(
                Shown(kind, str(path), (content_hash(path),), _once(likeness_of, path), (str(path),))
            )
    return shown


def _once(likeness_of: Callable[[Path], Any], path: Path) -> "Callable[[], Likeness]":
    found: list[Any] = []

    def likeness() -> "Likeness":
        if not found:
            found.append(likeness_of(path))
        return found[0]

    return likeness


def _voice_of(path: Path) -> "Likeness":
    from voicelip.consent.voices import likeness_of_voice

    return likeness_of_voice(path)


def _is_bundled(path: Path) -> bool:
    """Whether a file is the presenter's, who is nobody, whatever it is called."""
    size = path.stat().st_size
    near = [asset for asset in _BUNDLED if asset.exists() and asset.stat().st_size == size]
    return any(content_hash(asset) == content_hash(path) for asset in near)
