"""`voicelip voice`: people's voices, kept as profiles."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicelip.cli import failures, kept
from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal

if TYPE_CHECKING:
    from voicelip.speech.profile import Profile

app = typer.Typer(help="Keep people's voices as profiles.", no_args_is_help=True)

SENTENCES = {
    "en": "This is how my voice sounds when the computer speaks for me.",
    "es": "Así suena mi voz cuando el ordenador habla por mí.",
    "fr": "Voici ma voix quand l'ordinateur parle pour moi.",
    "hi": "जब कंप्यूटर मेरे लिए बोलता है तो मेरी आवाज़ ऐसी लगती है।",
    "it": "Ecco come suona la mia voce quando il computer parla per me.",
    "pt": "É assim que a minha voz soa quando o computador fala por mim.",
}


class FitMode(str, Enum):
    """How long the engine is fitted to the voice."""

    quick = "quick"
    full = "full"
    none = "none"


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The voice's name, for --voice.", show_default=False)
]
Recordings = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Recordings or videos of one person, 6 s to 2 min in all.",
                   show_default=False),
]  # fmt: skip
Fit = Annotated[
    FitMode,
    typer.Option(
        "--fit", help="Fit the speech engine to the voice: about a minute, five minutes, or not at all."
    ),
]
OwnLang = Annotated[
    str | None, typer.Option("--lang", metavar="LANG", help=f"The language the person speaks: {o.LANGUAGES}.")
]
KeepAudio = Annotated[
    bool, typer.Option("--keep-audio", help="Keep the cleaned recordings in the profile; else none is kept.")
]


@app.command()
def add(
    name: Name,
    recordings: Recordings,
    fit: Fit = FitMode.quick,
    lang: OwnLang = None,
    keep_audio: KeepAudio = False,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Of the fit; the same one gives the same voice.")
    ] = 0,
    consent: o.Consent = None,
    purpose: o.Purpose = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a voice of this name.")] = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Make a profile from recordings: check them, clean them, fit the engine to the voice.

    Only for a voice whose owner has agreed: `voicelip consent new`.
    """
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip.consent.keeping import add_voice
        from voicelip.speech.profile import to_dict

        profile = add_voice(
            name, recordings, fit=fit.value, lang=lang, keep_audio=keep_audio, overwrite=overwrite, seed=seed,
            agreement=o.agreement(consent, purpose), progress=terminal.progress,
        )  # fmt: skip
    if as_json:
        terminal.show_json(to_dict(profile))
        return
    if quiet:
        return
    for origin in profile.origins:
        for finding in origin.findings:
            kind, _, text = finding.partition(": ")
            failures.say(f"voicelip: warning: {origin.file} {text} [{kind}]")
    print(_line(profile), flush=True)
    print(f"hear it: voicelip voice test {name!r} -o test.wav", flush=True)


@app.command("list")
def list_voices(as_json: o.Json = False) -> None:
    """The voices that are kept here."""
    kept.show_list(_voices, as_json)


@app.command()
def show(name: Name, as_json: o.Json = False) -> None:
    """Where a voice came from, and what is known of it."""
    kept.show_one(_voices, name, as_json)


@app.command("test")
def say_sentence(
    name: Name,
    out: o.Out,
    text: Annotated[
        str | None, typer.Argument(help="What is to be said; else a sentence.", show_default=False)
    ] = None,
    lang: OwnLang = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Say a sentence in a voice."""
    with Terminal(as_json, verbose, quiet) as terminal:
        from voicelip import pipeline
        from voicelip.speech.phonemes import resolve_language
        from voicelip.speech.profile_store import load_profile, profile_folder

        profile_folder(name)
        lang = resolve_language(lang or load_profile(name).lang or "en")
        result = pipeline.speak(
            text or SENTENCES[lang[:2]], voice=name, out=out, lang=lang, overwrite=overwrite,
            progress=terminal.progress,
        )  # fmt: skip
        terminal.show(result)


@app.command("export")
def export_voice(
    name: Name,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The file, or a folder for NAME.voice.")
    ] = Path("."),
    overwrite: o.Overwrite = False,
) -> None:
    """Write a voice into one file, to take it to another machine."""
    with Terminal():
        from voicelip.speech.profile_store import export_profile

        print(export_profile(name, out, overwrite), flush=True)


@app.command("import")
def import_voice(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `export` wrote.", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Another name for it.")] = None,
    consent: o.Consent = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a voice of this name.")] = False,
) -> None:
    """Take in a voice that was exported, if a consent record covers it. Nothing in the file is run."""
    with Terminal():
        from voicelip.consent.keeping import import_voice

        print(_line(import_voice(file, name, o.agreement(consent, None), overwrite)), flush=True)


@app.command()
def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Voices to delete.", show_default=False)
    ],
) -> None:
    """Delete voices and all that is in their profiles."""
    kept.delete(_voices, names)


def _voices() -> "kept.Profiles[Profile]":
    from voicelip.speech import profile_store as store
    from voicelip.speech.profile import to_dict

    none = f"no voices in {store.voices_folder()}; make one with `voicelip voice add NAME FILE...`"
    return kept.Profiles(
        store.profile_names, store.load_profile, store.profile_folder, store.remove_profile, to_dict, _line,
        _facts, none,
    )  # fmt: skip


def _line(profile: "Profile") -> str:
    """Such as `alice: 34 s of 3 recordings, en-us, 182 Hz, fitted (full, likeness 0.91)`."""
    count = len(profile.origins)
    parts = [f"{profile.seconds:.0f} s of {count} recording{'s' if count != 1 else ''}"]
    parts += [profile.lang] if profile.lang else []
    parts += [f"{profile.pitch.median_hz:.0f} Hz"] if profile.pitch else []
    return f"{profile.name}: {', '.join([*parts, _fit(profile)])}"


def _fit(profile: "Profile") -> str:
    if profile.fit is None:
        return "not fitted"
    likeness = profile.fit.get("scores", {}).get("secs")
    said = f", likeness {likeness:.2f}" if isinstance(likeness, float) else ""
    return f"fitted ({profile.fit.get('mode')}{said})"


def _facts(profile: "Profile") -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [
        ("name", profile.name),
        ("created", f"{profile.created} by voicelip {profile.voicelip}"),
        ("language", profile.lang or "not told"),
        ("fit", _fit(profile)),
    ]
    if profile.pitch:
        pitch = profile.pitch
        facts.append(("pitch", f"{pitch.median_hz:.0f} Hz, mostly {pitch.low_hz:.0f} to {pitch.high_hz:.0f}"))
    if profile.syllables_per_s:
        facts.append(("pace", f"{profile.syllables_per_s:.1f} syllables a second"))
    facts.append(("consent", ", ".join(profile.consents) or "none remembered"))
    facts.append(("starts from", ", ".join(f"{name} {weight:.0%}" for name, weight in profile.mixture)))
    for origin in profile.origins:
        kept = f", kept as {origin.kept}" if origin.kept else ""
        facts.append(
            ("recording", f"{origin.file}, {origin.duration_s:.1f} s{kept}, sha256 {origin.sha256[:16]}…")
        )
        facts += [("", finding) for finding in origin.findings]
    return facts
