"""What files say of themselves, and whom to believe."""

import json
from datetime import date, timedelta
from pathlib import Path

from recipes.fuzzing.media_files import encoded, presenter
from recipes.fuzzing.target import Target
from voicelip.media import Audio, write_audio


def targets() -> list[Target]:
    """Verification, certificates, consent records, keys and deny lists."""
    return [
        Target("verify", signed, _verify),
        Target("certificates", _certificates, _verify_trusting),
        Target("consent record", _consent, _read_consent),
        Target("consent key", _consent_key, _trust_key),
        Target("deny list", _deny_list, _read_deny_list),
    ]


def signed(folder: Path) -> dict[str, bytes]:
    from voicelip.trust import Claim
    from voicelip.trust.credentials import sign

    video, sound = folder / "s.mp4", folder / "s.wav"
    video.write_bytes(encoded("s.mp4", "libx264", "aac"))
    write_audio(sound, Audio(presenter(0.3, 16)[1], 16_000), overwrite=True)
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
        sound.write_bytes(signed(path.parent)["s.wav"])
    verify(sound, trust=path)


def _consent(folder: Path) -> dict[str, bytes]:
    from voicelip.consent.making import Agreed, make
    from voicelip.pipeline import PRESENTER_FACE

    made = folder / "made.json"
    tomorrow = date.today() + timedelta(days=1)
    make(Agreed("nobody", ("tests",), ("any",), tomorrow, faces=(PRESENTER_FACE,)), made, overwrite=True)
    return {"a.json": made.read_bytes()}


def _read_consent(path: Path) -> None:
    from voicelip.consent.asking import Agreement, Use, require
    from voicelip.pipeline import PRESENTER_FACE

    footage = path.with_name("copy.mp4")
    if not footage.exists():  # a byte more makes it a stranger's
        footage.write_bytes(PRESENTER_FACE.read_bytes() + b"0")
    require(Use("lipsync", face=footage, agreement=Agreement((path,))))


def _consent_key(folder: Path) -> dict[str, bytes]:
    from voicelip.trust.consent_key import own_public, public_pem

    own_public()
    return {"a.pem": public_pem().encode()}


def _trust_key(path: Path) -> None:
    from voicelip.trust.consent_key import trust

    trust(path)


def _deny_list(folder: Path) -> dict[str, bytes]:
    from voicelip.consent.denying import deny_people
    from voicelip.pipeline import PRESENTER_FACE

    deny_people(folder / "made-list.json", (), (PRESENTER_FACE,))
    return {"a.json": (folder / "made-list.json").read_bytes()}


def _read_deny_list(path: Path) -> None:
    from voicelip.trust.deny import read

    read(path)
