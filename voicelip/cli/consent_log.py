"""`voicelip consent log`: what was asked, granted and refused, and whether that list is whole."""

from typing import Annotated, Any

import typer

from voicelip.cli import failures
from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal

_TAMPERED = 16


def log(
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that nothing was changed or removed.")
    ] = False,
    start_anew: Annotated[
        bool, typer.Option("--start-anew", help="Put the log aside as it is and begin another.")
    ] = False,
    last: Annotated[int, typer.Option(metavar="N", help="Only the last N entries; 0: all.")] = 0,
    as_json: o.Json = False,
) -> None:
    """Every check of consent on this machine, oldest first."""
    with Terminal(as_json) as terminal:
        from voicelip.trust import audit_log

        if start_anew:
            aside = audit_log.start_anew()
            print(f"{aside or 'no log'}: put aside; a new log begins", flush=True)
        elif verify:
            _verify(as_json, terminal)
        else:
            entries = list(audit_log.entries())[-last:]
            if as_json:
                terminal.show_json(entries)
            else:
                for entry in entries:
                    print(_line(entry), flush=True)


def _verify(as_json: bool, terminal: Terminal) -> None:
    from voicelip.trust import audit_log

    found = audit_log.check()
    if as_json:
        terminal.show_json([{"line": each.line, "what": each.what} for each in found])
    else:
        for each in found:
            failures.say(f"voicelip: error: {audit_log.log_file()}: line {each.line} {each.what}")
    if found:
        raise typer.Exit(_TAMPERED)
    if not as_json:
        number, digest = audit_log.head()
        print(f"{number} entries, as they were written; the last is {digest}", flush=True)


def _line(entry: dict[str, Any]) -> str:
    """Such as `12  2026-11-22T05:00:00+00:00  granted  say  c-abc…  es  out.mp4`."""
    told = [entry.get("action"), *entry.get("consents", ()), entry.get("reason"), entry.get("lang")]
    told += [entry.get("purpose"), entry.get("out")]
    parts = [entry.get("n"), entry.get("at"), entry.get("event"), *(each for each in told if each)]
    return "  ".join(" ".join(str(part).split()) for part in parts)
