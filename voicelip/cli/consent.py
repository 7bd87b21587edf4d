"""`voicelip consent`: who agreed to what, and what was made of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicelip.cli import failures
from voicelip.cli import options as o
from voicelip.cli.consent_log import log
from voicelip.cli.deny import app as deny_app
from voicelip.cli.terminal import Terminal

if TYPE_CHECKING:
    from datetime import date

    from voicelip.consent.making import Agreed
    from voicelip.trust.consent import Consent
    from voicelip.trust.consent_store import Shelf

app = typer.Typer(help="Keep and check people's consent.", no_args_is_help=True)
app.command()(log)
app.add_typer(deny_app, name="deny")

Record = Annotated[str, typer.Argument(metavar="RECORD", help="A record's id or file.", show_default=False)]
Files = list[Path] | None


@app.command()
def new(
    purpose: Annotated[list[str], typer.Option("--purpose", metavar="TEXT", help="What for; repeatable.")],
    subject: Annotated[str, typer.Option(metavar="NAME", help="Who agreed.")] = "",
    languages: Annotated[
        str, typer.Option(metavar="LANGS", help="What may be spoken, such as es,fr; or any.")
    ] = "any",
    expires: Annotated[
        str | None, typer.Option(metavar="DATE", help="The last day, YYYY-MM-DD.", show_default=False)
    ] = None,
    voice: Annotated[
        Files, typer.Option("--voice", metavar="FILE", help="A recording of the person; repeatable.")
    ] = None,
    face: Annotated[
        Files, typer.Option("--face", metavar="CLIP", help="A clip or photo of the person; repeatable.")
    ] = None,
    not_before: Annotated[
        str | None, typer.Option("--not-before", metavar="DATE", help="The first day; else today.")
    ] = None,
    allow: Annotated[
        str | None,
        typer.Option(metavar="COMMANDS", help="Such as speak,lipsync; else all: say, speak, lipsync, dub, "
                     "voice, adapt."),
    ] = None,
    issuer: Annotated[str, typer.Option(metavar="NAME", help="Who vouches for this record.")] = "",
    statement: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recording of the person reading the statement.")
    ] = None,
    statement_lang: Annotated[
        str, typer.Option("--statement-lang", metavar="LANG", help="Its language: en, es, fr, hi, it, pt.")
    ] = "en",
    show_statement: Annotated[
        bool, typer.Option("--show-statement", help="Only print what is to be read.")
    ] = False,
    face_index: o.FaceIndex = None,
    face_like: o.FaceLike = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the record here as well.")
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
) -> None:  # fmt: skip
    """Make a signed record of what a person agreed to, from recordings of them."""
    with Terminal(as_json, verbose) as terminal:
        from voicelip.consent.choice import FaceChoice
        from voicelip.consent.making import Agreed, make
        from voicelip.trust.consent import ACTIONS, to_dict

        agreed = Agreed(
            subject, tuple(purpose), tuple(languages.split(",")), _day("--expires", expires),
            tuple(voice or ()), tuple(face or ()), _day("--not-before", not_before) if not_before else None,
            tuple(allow.split(",")) if allow else ACTIONS, issuer, statement, statement_lang,
            FaceChoice(face_index, face_like),
        )  # fmt: skip
        if show_statement:
            _print_statement(agreed)
            return
        made = make(agreed, out, overwrite)
        if as_json:
            terminal.show_json(to_dict(made))
        else:
            print(_line(made), flush=True)


@app.command()
def show(record: Record, as_json: o.Json = False) -> None:
    """What a record says."""
    with Terminal(as_json) as terminal:
        from voicelip.trust.consent import to_dict
        from voicelip.trust.consent_store import find, load

        found, shelf = find(record), load()
        if as_json:
            terminal.show_json({**to_dict(found), "status": _status(found, shelf)})
            return
        for key, value in _facts(found, shelf):
            print(f"{key:12} {value}")


@app.command("list")
def list_records(as_json: o.Json = False) -> None:
    """The records that are kept here."""
    with Terminal(as_json) as terminal:
        from voicelip.trust.consent import to_dict
        from voicelip.trust.consent_store import folder, load

        shelf = load()
        if as_json:
            terminal.show_json([{**to_dict(one), "status": _status(one, shelf)} for one in shelf.consents])
        else:
            for one in shelf.consents:
                print(f"{_line(one)}: {_status(one, shelf)}")
        for bad in shelf.unusable:
            failures.say(f"voicelip: warning: {bad.error}")
        if not shelf.consents and not as_json:
            failures.say(f"no consent records in {folder()}; make one with `voicelip consent new`")


@app.command()
def check(
    record: Record,
    face: Annotated[Path | None, typer.Option(metavar="CLIP", help="Is it of this face?")] = None,
    voice: Annotated[Path | None, typer.Option(metavar="FILE", help="Is it of this voice?")] = None,
    lang: Annotated[str | None, typer.Option(metavar="LANG", help="Is this language covered?")] = None,
    action: Annotated[str | None, typer.Option(metavar="COMMAND", help="Is this command allowed?")] = None,
    purpose: o.Purpose = None,
    face_index: o.FaceIndex = None,
    face_like: o.FaceLike = None,
    as_json: o.Json = False,
) -> None:
    """Each requirement, and whether a record meets it. Exit code 16 if not all are met."""
    with Terminal(as_json) as terminal:
        from voicelip.consent.choice import FaceChoice
        from voicelip.consent.examining import examine

        wanted = examine(record, face, voice, lang, action, purpose, FaceChoice(face_index, face_like))
        if as_json:
            terminal.show_json([{"what": each.what, "met": each.met, "why": each.why} for each in wanted])
        else:
            for each in wanted:
                print(f"{'yes' if each.met else 'NO ':3}  {each.what}: {each.why}")
        if not all(each.met for each in wanted):
            raise typer.Exit(16)


@app.command()
def revoke(
    record: Record,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the list.")] = "",
) -> None:
    """Let a record count no more on this machine."""
    with Terminal():
        from voicelip.consent.examining import revoke as revoke_record

        id_, at = revoke_record(record, reason)
        print(f"{id_}: revoked on {at[:10]}", flush=True)


@app.command()
def trust(
    key: Annotated[
        Path, typer.Argument(metavar="KEYFILE", help="An issuer's public key (PEM).", show_default=False)
    ],
) -> None:
    """Believe the records that another installation signed."""
    with Terminal():
        from voicelip.trust import audit_log, consent_key

        fingerprint = consent_key.trust(key)
        audit_log.append({"event": "trusted", "key": fingerprint})
        print(f"{fingerprint}: records signed with this key are believed from now on", flush=True)


@app.command()
def key(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it here.", show_default=False)
    ] = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Print this installation's public key, for `voicelip consent trust` elsewhere."""
    with Terminal():
        from voicelip.media import check_output
        from voicelip.trust import consent_key

        if out is None:
            print(consent_key.public_pem(), end="", flush=True)
            return
        check_output(out, overwrite)
        out.write_text(consent_key.public_pem())
        print(f"{out}: {consent_key.fingerprint(consent_key.own_public())}", flush=True)


def _day(option: str, text: str | None) -> "date":
    from datetime import date

    from voicelip.errors import OptionError

    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise OptionError(f"{option} {text or ''}: is no day; write it as 2027-12-31") from None


def _print_statement(agreed: "Agreed") -> None:
    from voicelip.consent.statement import text

    print(text(agreed.scope, agreed.statement_lang), flush=True)


def _line(record: "Consent") -> str:
    """Such as `c-abc…: Alice, voice and face, for training videos, in es, fr, until 2027-12-31`."""
    scope = record.scope
    kinds = " and ".join(kind for kind in ("voice", "face") if record.of_kind(kind))  # type: ignore[arg-type]
    return (
        f"{record.id}: {record.subject}, {kinds}, for {'; '.join(scope.purposes)}, "
        f"in {', '.join(scope.languages)}, until {scope.expires}"
    )


def _status(record: "Consent", shelf: "Shelf") -> str:
    from voicelip.trust.consent import today

    if record.id in shelf.revoked:
        return f"revoked on {shelf.revoked[record.id].at[:10]}"
    if today() > record.scope.expires:
        return "expired"
    return "not yet valid" if today() < record.scope.not_before else "valid"


def _facts(record: "Consent", shelf: "Shelf") -> list[tuple[str, Any]]:
    from voicelip.trust.consent_key import fingerprint

    scope, statement = record.scope, record.statement
    facts: list[tuple[str, Any]] = [
        ("id", record.id),
        ("subject", record.subject),
        ("status", _status(record, shelf)),
        ("purposes", "; ".join(scope.purposes)),
        ("allows", ", ".join(scope.actions)),
        ("languages", ", ".join(scope.languages)),
        ("from, until", f"{scope.not_before}, {scope.expires}"),
        (
            "issued",
            f"{record.issued} by {record.issuer or 'this installation'}, key {fingerprint(record.key)}",
        ),
    ]
    for medium in record.media:
        several = ", among others" if medium.several else ""
        facts.append((medium.kind, f"sha256 {medium.sha256[:16]}…{several}"))
    if statement:
        facts.append(("statement", f"{1 - statement.wer:.0%} of its words heard, by {statement.checked_by}"))
    return [*facts, ("file", record.source)]
