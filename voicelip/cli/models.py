"""`voicelip models`: the model files that are fetched on first use."""

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal
from voicelip.errors import ArtifactError

if TYPE_CHECKING:
    from voicelip.hub import Status

app = typer.Typer(help="List, fetch and check model files.", invoke_without_command=True)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Which; all if none is given."),
]


@app.callback()
def _models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_models(as_json=False)


@app.command("list")
def list_models(as_json: o.Json = False) -> None:
    """What there is, and whether it is here."""
    with Terminal(as_json) as terminal:
        from voicelip import hub

        _show(terminal, hub.status(), as_json)


@app.command()
def pull(
    names: Names = None, as_json: o.Json = False, verbose: o.Verbose = False, quiet: o.Quiet = False
) -> None:
    """Fetch model files now, so that later runs need no network; without names all that are free to use."""
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip import hub

        for name in _known(names) if names else hub.free_entries():
            path = hub.fetch(name, terminal.progress)
            if not (as_json or quiet):
                print(f"{name}: {path}", flush=True)
        if as_json:
            terminal.show_json([_facts(status) for status in _chosen(hub.status(), names)])


@app.command()
def verify(names: Names = None, as_json: o.Json = False) -> None:
    """Compute the hashes again; what is damaged is fetched anew on its next use."""
    with Terminal(as_json) as terminal:
        from voicelip import hub

        found = [hub.verify(name) for name in _known(names)]
        _show(terminal, found, as_json)
        wrong = [
            status.artifact.name
            for status in found
            if status.state == "damaged" or (names and status.state == "absent")
        ]
        if wrong:
            raise ArtifactError(
                f"not as they should be: {', '.join(wrong)}; run `voicelip models pull {' '.join(wrong)}`"
            )


class _Precision(str, Enum):
    """How large the numbers of an exported network are."""

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"


@app.command()
def export(
    state_dict: Annotated[Path, typer.Argument(metavar="STATE_DICT", help="A .pth or .safetensors file.")],
    out: o.Out,
    precision: Annotated[_Precision, typer.Option(help="Of weights and activations.")] = _Precision.fp32,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
) -> None:
    """Write a network, ours or Wav2Lip's, as an ONNX file, and compare it with PyTorch."""
    with Terminal(as_json) as terminal:
        from voicelip.lips.export_state import export as write
        from voicelip.media import check_output

        check_output(out, overwrite)
        done = write(state_dict, out, precision.value)
        if as_json:
            terminal.show_json({**asdict(done), "path": str(done.path)})
            return
        difference = f"differs from PyTorch by {done.largest_difference:.1e} at most"
        print(
            f"{done.path}: {done.kind}, {done.bytes / 1e6:.1f} MB, {precision.value}, {difference}",
            flush=True,
        )


@app.command()
def accept(name: Annotated[str, typer.Argument(help="The model whose terms of use you accept.")]) -> None:
    """Accept a model's own terms of use, such as non-commercial ones; without it they are not loaded."""
    with Terminal():
        from voicelip import terms

        given = terms.accept(name)
        print(f"{name}: accepted: {given.licence} ({given.summary}; {given.url})", flush=True)


def _known(names: list[str] | None) -> list[str]:
    """The names given, or all; an unknown one is refused before anything is done."""
    from voicelip import hub

    known = hub.entries()
    for name in names or []:
        if name not in known:
            hub.fetch(name)  # raises, with the names that there are
    return names or list(known)


def _chosen(found: list["Status"], names: list[str] | None) -> list["Status"]:
    return [status for status in found if not names or status.artifact.name in names]


def _show(terminal: Terminal, found: list["Status"], as_json: bool) -> None:
    if as_json:
        terminal.show_json([_facts(status) for status in found])
        return
    for status in found:
        artifact = status.artifact
        print(
            f"{artifact.name:16}  {status.state:8}  {artifact.bytes / 1e6:6.1f} MB  "
            f"{artifact.licence:14}  {artifact.purpose}"
        )


def _facts(status: "Status") -> dict[str, Any]:
    artifact = status.artifact
    return {
        "name": artifact.name,
        "state": status.state,
        "path": str(status.path),
        "bytes": artifact.bytes,
        "licence": artifact.licence,
        "purpose": artifact.purpose,
        "home": artifact.home,
        "sha256": {file.name: file.sha256 for file in artifact.files},
    }
