"""A consent record from recordings of the person who agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from voicelip.consent.choice import WHOEVER, FaceChoice
from voicelip.errors import ConsentError, InputNotFoundError, OptionError
from voicelip.hashing import content_hash
from voicelip.media import check_output
from voicelip.trust import audit_log, consent, consent_store, deny
from voicelip.trust.consent import ACTIONS, Consent, Medium, Scope, Statement
from voicelip.trust.likeness import LIMITS


@dataclass(frozen=True)
class Agreed:
    """What somebody agreed to, and recordings of them. `subject` is who it is, in the issuer's words.

    With `statement`, a recording of them reading the statement in `statement_lang`, that is checked too.
    """

    subject: str
    purposes: tuple[str, ...]
    languages: tuple[str, ...]
    expires: date
    voices: tuple[Path, ...] = ()
    faces: tuple[Path, ...] = ()
    not_before: date | None = None  # default: today
    actions: tuple[str, ...] = ACTIONS
    issuer: str = ""
    statement: Path | None = None
    statement_lang: str = "en"
    choice: FaceChoice = WHOEVER

    @property
    def scope(self) -> Scope:
        """The same as it stands in the record."""
        languages = tuple(each.strip().lower().replace("_", "-") for each in self.languages)
        try:
            return Scope(
                self.purposes, self.actions, languages, self.not_before or consent.today(), self.expires
            )
        except ValueError as error:
            raise OptionError(f"the consent {error}; correct the options") from None


def make(agreed: Agreed, out: Path | None = None, overwrite: bool = False) -> Consent:
    """A signed record, kept here and written to `out`.

    Raises a VoicelipError subclass if the recordings do not show one person, or not well enough.
    """
    scope = agreed.scope
    _check(agreed, scope)
    if out is not None:
        check_output(out, overwrite)
    media = (*_voices(agreed.voices), *_faces(agreed.faces, agreed.choice))
    for medium, path in zip(media, (*agreed.voices, *agreed.faces), strict=True):
        deny.refuse(medium.likeness, str(path))
    statement = _statement(agreed, scope, media)
    made, text = consent.issue(agreed.subject.strip(), scope, media, agreed.issuer, statement)
    consent_store.keep(made, text)
    if out is not None:
        out.write_text(text, "utf-8")
        out.chmod(0o600)
    audit_log.append({"event": "issued", "consents": [made.id]})
    return made


def _check(agreed: Agreed, scope: Scope) -> None:
    if not agreed.subject.strip():
        raise OptionError("the subject is who agreed; give --subject")
    for said in (agreed.subject, agreed.issuer, *agreed.purposes):
        if len(said) > 200 or not said.isprintable():
            raise OptionError(f"{said[:40]!r}: names and purposes are one line of up to 200 letters")
    if not agreed.voices and not agreed.faces:
        raise OptionError("a consent is of a voice, a face or both; give --voice FILE, --face CLIP")
    if scope.expires < consent.today():
        raise OptionError(f"--expires {scope.expires} is over already; give a day to come")
    for path in (*agreed.voices, *agreed.faces, *([agreed.statement] if agreed.statement else [])):
        if not path.is_file():
            raise InputNotFoundError(f"{path}: no such file; check the name and the folder")


def _voices(paths: Sequence[Path]) -> list[Medium]:
    from voicelip.consent.voices import likeness_of_voice

    return _of_one([(path, Medium("voice", content_hash(path), likeness_of_voice(path))) for path in paths])


def _faces(paths: Sequence[Path], choice: FaceChoice) -> list[Medium]:
    media = []
    for path in paths:
        from voicelip.consent.faces import look_closely

        seen = look_closely(path, choice)
        if seen.several and choice == WHOEVER:
            raise ConsentError(
                f"{path}: shows several people; say who agreed with --face-index N (from the left, 0 first) "
                "or --face-like PHOTO",
                "several faces",
            )
        media.append((path, Medium("face", content_hash(path), seen.likeness, seen.several)))
    return _of_one(media)


def _of_one(media: Sequence[tuple[Path, Medium]]) -> list[Medium]:
    """The media, if they are all of one person."""
    for path, medium in media[1:]:
        first_path, first = media[0]
        if not first.likeness.is_same(medium.likeness):
            apart = first.likeness.distance(medium.likeness)
            raise ConsentError(
                f"{path}: this {medium.kind} is not the one in {first_path} ({apart:.2f} apart, at most "
                f"{LIMITS[medium.kind]:.2f}); make a record for each person",
                f"wrong {medium.kind}",
            )
    return [medium for _, medium in media]


def _statement(agreed: Agreed, scope: Scope, media: Sequence[Medium]) -> Statement | None:
    if agreed.statement is None:
        return None
    from voicelip.consent.statement import check

    voices = [medium.likeness for medium in media if medium.kind == "voice"]
    if not voices:
        raise OptionError("a spoken statement is compared with the person's voice; give --voice FILE too")
    return check(agreed.statement, scope, agreed.statement_lang, voices)
