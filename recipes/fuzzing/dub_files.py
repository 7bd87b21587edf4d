"""What a dub is asked for with: subtitles, casts, manifests, job folders."""

import itertools
import json
from pathlib import Path

from recipes.fuzzing.people_files import in_place
from recipes.fuzzing.target import Target

_LENGTH_S = 60.0


def targets() -> list[Target]:
    """Readers of what localization teams and other programs write."""
    return [
        Target("subtitles", _subtitles, _read_subtitles),
        Target("cast", _casts, _read_cast),
        Target("manifest", _manifests, _read_manifest),
        Target("job folder", _job_files, _read_job),
    ]


def _subtitles(folder: Path) -> dict[str, bytes]:
    import pysubs2

    lines = [
        "Ana: Buenos días.\\NSegunda línea",
        "<i>Luis:</i> ¿Qué tal, {\\b1}amiga{\\b0}?",
        "[música] Adiós",
    ]
    written = pysubs2.SSAFile()
    for number, text in enumerate(lines):
        written.append(pysubs2.SSAEvent(start=2000 * number, end=2000 * number + 1500, text=text))
    kinds = {".srt": "srt", ".vtt": "vtt", ".ass": "ass", ".ttml": "ttml"}
    return {f"a{suffix}": written.to_string(kind).encode() for suffix, kind in kinds.items()}


def _read_subtitles(path: Path) -> None:
    from voicelip.dub.subtitles import read_subtitles

    read_subtitles(path, _LENGTH_S)


def _casts(folder: Path) -> dict[str, bytes]:
    cast = "Ana: {voice: 'stock:ef_dora', face: 0}\nLuis:\n  voice: stock:em_alex\n  face: 1\n  lang: es\n"
    return {"a.yaml": cast.encode()}


def _read_cast(path: Path) -> None:
    from voicelip.dub.cast import read_cast

    read_cast(path).of(["Ana", "Luis"])


def _manifests(folder: Path) -> dict[str, bytes]:
    row = {"clip": "a.mp4", "subs": "a.srt", "lang": "es", "voice": "stock:ef_dora", "loudness": -16}
    csv = "\n".join([",".join(row), *itertools.repeat(",".join(map(str, row.values())), 2)])
    lines = "".join(json.dumps(row | {"lang": lang}) + "\n" for lang in ("es", "fr"))
    yaml = f"- {json.dumps(row)}\n- {json.dumps(row | {'lang': 'fr'})}\n"
    return {"a.csv": csv.encode(), "b.jsonl": lines.encode(), "c.yaml": yaml.encode()}


def _read_manifest(path: Path) -> None:
    from voicelip.dub.manifest import read_manifest

    read_manifest(path, path.parent)


def _job_files(folder: Path) -> dict[str, bytes]:
    from voicelip.dub.job import CueState, Fit, Job, JobState, Take

    job = Job(folder / "job")
    with job.locked():
        job.write(JobState("../a.mp4", {}, {"lang": "es"}, "0", {}))
        told = {"start_s": 0.5, "end_s": 2.0, "text": "Hola", "speaker": "Ana", "voice": "v", "lang": "es"}
        fit = Fit("natural", 1.0, 1.0, 0.5, 1.9, 1.5)
        job.write_cue(CueState(1, *told.values(), 1, told, (Take("k", "0" * 64, 1.0, 1.4),), fit))
    files = [folder / "job" / "job.json", *sorted((folder / "job" / "cues").glob("*.json"))]
    return {file.name: file.read_bytes() for file in files}


def _read_job(path: Path) -> None:
    from voicelip.dub.job import Job

    whole = path.parent / "job"
    holder = whole if path.name == "job.json" else whole / "cues"
    with in_place(path, holder):
        job = Job(whole)
        job.read()
        job.cues()
