"""`voicelip adapt` and `voicelip faces`: lips that know a person."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicelip.cli import failures, kept
from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal

if TYPE_CHECKING:
    from voicelip.lips.face_profile import FaceFacts, FaceProfile

app = typer.Typer(help="Faces that the lips were adapted to.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The face's name.", show_default=False)]


def adapt(
    clip: Annotated[
        Path, typer.Argument(metavar="CLIP", help="The person speaking, seen and heard: 30 s or more.",
                             show_default=False)
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The face's name; else the clip's.")
    ] = None,
    minutes: Annotated[float, typer.Option(metavar="N", help="Time to learn, at most.")] = 5.0,
    seed: Annotated[int, typer.Option(metavar="N", help="Of chance; the same one learns the same.")] = 0,
    consent: o.Consent = None,
    purpose: o.Purpose = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a face of this name.")] = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:  # fmt: skip
    """Teach the lips one person, from a clip of them speaking. Clips of that person then use it by
    themselves.

    Only for a person who has agreed: `voicelip consent new`. What does no better on the clip's held-out end
    is not kept.
    """
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip.consent.keeping import adapt_face
        from voicelip.lips.face_profile import to_dict
        from voicelip.training.adapt import AdaptOptions

        adapted = adapt_face(
            clip,
            AdaptOptions(name, minutes, seed, overwrite),
            o.agreement(consent, purpose),
            terminal.progress,
        )
    if as_json:
        terminal.show_json({**to_dict(adapted.profile), "warnings": list(adapted.warnings)})
    elif not quiet:
        for warning in adapted.warnings:
            failures.say(f"voicelip: warning: {warning}")
        print(_line(adapted.profile), flush=True)


@app.command("list")
def list_faces(as_json: o.Json = False) -> None:
    """The faces that are kept here."""
    kept.show_list(_faces, as_json)


@app.command()
def show(name: Name, as_json: o.Json = False) -> None:
    """Where a face came from, and what was learned."""
    kept.show_one(_faces, name, as_json)


@app.command()
def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Faces to delete.", show_default=False)
    ],
) -> None:
    """Delete faces and all that was learned of them."""
    kept.delete(_faces, names)


def _faces() -> "kept.Profiles[FaceProfile]":
    from voicelip.lips import face_store as store
    from voicelip.lips.face_profile import to_dict

    none = f"no faces in {store.faces_folder()}; make one with `voicelip adapt CLIP`"
    return kept.Profiles(
        store.face_names, store.load_face, store.face_folder, store.remove_face, to_dict, _line, _facts, none
    )


def _line(profile: "FaceProfile") -> str:
    """Such as `alice: 29 s of alice.mp4; lips off by 0.70 % of the eyes' distance (before 0.83), …`."""
    facts = profile.facts
    outdated = "" if profile.is_current else "; adapted from other networks than these: adapt again"
    return f"{facts.name}: {facts.seconds:.0f} s of {facts.file}; {'; '.join(_scores(facts))}{outdated}"


def _scores(facts: "FaceFacts") -> list[str]:
    lmd, psnr = facts.scores["lmd"], facts.scores["mouth_psnr"]
    return [
        f"motion off by {lmd['after']:.2f} % (before {lmd['before']:.2f})",
        f"drawing {psnr['after']:.1f} dB (before {psnr['before']:.1f})",
    ]


def _facts(profile: "FaceProfile") -> list[tuple[str, Any]]:
    facts = profile.facts
    networks = [name.removeprefix("lips_").removesuffix(".onnx") for name in facts.networks]
    return [
        ("name", facts.name),
        ("created", f"{facts.created} by voicelip {facts.voicelip}"),
        ("learned from", f"{facts.file}, {facts.seconds:.1f} s, sha256 {facts.sha256[:16]}…"),
        *(("held-out end", line) for line in _scores(facts)),
        ("adapted", ", ".join(networks) or "nothing but reach and resting mouth"),
        ("consent", ", ".join(facts.consents) or "none remembered"),
        ("settings", ", ".join(f"{key} {value}" for key, value in facts.settings.items())),
        ("in use", "yes" if profile.is_current else "no: adapted from other networks; adapt again"),
    ]
