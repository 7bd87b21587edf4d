"""The cast: which voice, face and language each speaker of the subtitles has."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voicelip.errors import InputNotFoundError, OptionError
from voicelip.plain_yaml import NotYamlError, read_yaml

ANYONE = "*"  # the entry for speakers who have none of their own
_KEYS = {"voice", "face", "lang"}


@dataclass(frozen=True)
class Role:
    """One speaker: a voice as `speak` takes it, the face (a photo, the place from the left, 0 first, or None
    to find it by itself), and the language of what they say.
    """

    speaker: str
    voice: str
    face: Path | int | None = None
    lang: str = "en"


@dataclass(frozen=True)
class Cast:
    """All roles; `anyone` is for speakers without one."""

    roles: tuple[Role, ...] = ()
    anyone: Role | None = None

    def role(self, speaker: str) -> Role:
        """The role of a speaker as the subtitles write the name; raises OptionError if there is none."""
        for role in self.roles:
            if role.speaker.casefold() == speaker.casefold():
                return replace(role, speaker=speaker)
        if self.anyone is not None:
            return replace(self.anyone, speaker=speaker)
        who = f"the speaker {speaker!r}" if speaker else "cues without a speaker"
        raise OptionError(
            f"the cast has no voice for {who}; add an entry for it, or give --voice{_near(self, speaker)}"
        )

    def of(self, speakers: Iterable[str]) -> "Cast":
        """The cast of these speakers alone, each with a role of their own."""
        return Cast(tuple(self.role(speaker) for speaker in sorted(set(speakers))))

    @property
    def names(self) -> tuple[str, ...]:
        """The speakers who have a role of their own."""
        return tuple(role.speaker for role in self.roles)


def _near(cast: Cast, speaker: str) -> str:
    close = difflib.get_close_matches(speaker, cast.names, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def read_cast(path: str | Path | None, voice: str | None = None, lang: str = "en") -> Cast:
    """The cast that a YAML file holds, `voice` and `lang` being for whoever, and whatever, it leaves out.

    An entry is `Name: VOICE`, or `Name: {voice: …, face: …, lang: …}`; `*` stands for anybody else. Photos
    are looked for beside the file.
    """
    anyone = Role("", voice, None, lang) if voice else None
    if path is None:
        return Cast((), anyone)
    path = Path(path)
    roles = [_role(path, str(name), entry, voice, lang) for name, entry in _entries(path).items()]
    named = tuple(role for role in roles if role.speaker != ANYONE)
    others = [replace(role, speaker="") for role in roles if role.speaker == ANYONE]
    return Cast(named, others[0] if others else anyone)


def _entries(path: Path) -> Mapping[Any, Any]:
    try:
        found = read_yaml(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise InputNotFoundError(f"{path}: no such file; check the name and the folder") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise OptionError(f"{path}: cannot be read as text in UTF-8 ({failure})") from None
    except NotYamlError as failure:
        raise OptionError(
            f"{path}{failure.where}: is not YAML; write a line `Name: VOICE` for each speaker"
        ) from None
    if not isinstance(found, dict) or not found:
        raise OptionError(f"{path}: names nobody; write a line `Name: VOICE` for each speaker")
    return found


def _role(path: Path, name: str, entry: Any, voice: str | None, lang: str) -> Role:
    entry = {"voice": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict):
        raise OptionError(f"{path}: {name} should be a voice, or voice, face and lang; it is {entry!r}")
    if unknown := sorted(set(map(str, entry)) - _KEYS):
        raise OptionError(f"{path}: {name} has {', '.join(unknown)}; known are voice, face and lang")
    spoken = entry.get("voice") or voice
    if not isinstance(spoken, str):
        raise OptionError(f"{path}: {name} has no voice; add `voice:`, or give --voice for all without")
    own = entry.get("lang", lang)
    if not isinstance(own, str):
        raise OptionError(f"{path}: the lang of {name} is {own!r}; quote it, as in lang: 'no'")
    return Role(name, spoken, _face(path, name, entry.get("face")), own)


def _face(path: Path, name: str, face: Any) -> Path | int | None:
    if face is None or (isinstance(face, int) and not isinstance(face, bool) and face >= 0):
        return face
    if not isinstance(face, str):
        raise OptionError(f"{path}: the face of {name} should be a photo or a place from the left, 0 first")
    photo = path.parent / Path(face).expanduser()
    if not photo.is_file():
        raise InputNotFoundError(f"{photo}: no such photo, for {name} in {path.name}; check the name")
    return photo
