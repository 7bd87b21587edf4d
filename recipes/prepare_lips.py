"""Prepare talking clips for training: mouth crops, landmarks and mel spectrograms in shards, with figures.

    python -m recipes.prepare_lips CLIPS OUT [--layout grid|lrs|hdtf|plain] [--workers 2]

Run it again after it was stopped, or when clips were added: what is finished is not done again. What cannot
serve is left out, and OUT/report.json says why. Frames become 25 a second.

The clips used for the shipped weights are those of the GRID audiovisual sentence corpus (Cooke, Barker,
Cunningham, Shao 2006, CC BY 4.0; https://zenodo.org/records/3625687), re-encoded to H.264 + AAC.
"""

import argparse
import json
import multiprocessing
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from voicelip import hub
from voicelip.errors import VoicelipError
from voicelip.training.clips import PreparedClips
from voicelip.training.corpora import Layout, Recording, find_recordings
from voicelip.training.preparation import Outcome, Place, Requirements, mouth_crops, prepare_shard
from voicelip.training.shards import journal_lines, shard_folders
from voicelip.training.wav2lip_faces import face_crops

PER_SHARD = 32  # recordings
CROPS: dict[str, Place] = {"mouth": mouth_crops, "face": face_crops}
FIGURES = ("face_px", "sharpness", "silence", "opening", "av_offset_frames", "av_r")


def prepare(
    folder: Path, out: Path, layout: Layout, needs: Requirements, workers: int, place: Place = mouth_crops
) -> None:
    """Prepare what is not prepared yet, and write the report."""
    layout, recordings = find_recordings(folder, layout)
    done = {line["source"] for shard in shard_folders(out) for line in journal_lines(shard)}
    missing = [recording for recording in recordings if recording.source not in done]
    print(f"{len(recordings)} recordings, laid out as {layout.value}; {len(missing)} to do", flush=True)
    finished = len(recordings) - len(missing)
    for outcomes in _run(folder, out, missing, needs, workers, place):
        finished += len(outcomes)
        for outcome in outcomes:
            if outcome.rejected:
                print(f"left out {outcome.recording.source}: {outcome.rejected}", flush=True)
        print(f"{finished}/{len(recordings)} recordings", flush=True)
    summary = report(out)
    (out / "report.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False), "utf-8")
    left_out = len(summary["left_out"])
    print(f"{summary['clips']} clips, {summary['hours']} h, {left_out} recordings left out -> {out}")


def _run(
    folder: Path, out: Path, recordings: list[Recording], needs: Requirements, workers: int, place: Place
) -> Iterator[list[Outcome]]:
    """The outcomes of one shard after the other, as they get done."""
    landmarker = hub.fetch("face-landmarker")
    batches = [recordings[i : i + PER_SHARD] for i in range(0, len(recordings), PER_SHARD)]
    first = next_number(out)
    # A forked worker would wait for ever for OpenCV's threads, which stay behind in its parent.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        waiting: list[Future[list[Outcome]]] = [
            pool.submit(
                prepare_shard, folder, out / "shards" / f"{number:05d}", batch, landmarker, needs, place
            )
            for number, batch in enumerate(batches, start=first)
        ]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def end_with_parent() -> None:
    """Let this worker end when the run is killed: it would go on beside the run that takes up its work."""
    parent = multiprocessing.parent_process()

    def wait_and_end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait_and_end, daemon=True).start()


def next_number(out: Path) -> int:
    numbers = [-1]
    for path in (out / "shards").glob("*"):
        with suppress(ValueError):
            numbers.append(int(path.name))
    return max(numbers) + 1


def report(out: Path) -> dict[str, Any]:
    """What a prepared folder holds: counts, hours, how good the clips are, and what was left out why."""
    left_out = {
        line["source"]: line["rejected"]
        for shard in shard_folders(out)
        for line in journal_lines(shard)
        if line.get("rejected")
    }
    clips = PreparedClips.open(out).clips
    measured = [clip.quality for clip in clips if clip.quality]
    spread = {name: _spread([getattr(figures, name) for figures in measured]) for name in FIGURES}
    return {
        "clips": len(clips),
        "hours": round(sum(clip.frames / clip.fps for clip in clips) / 3600, 4),
        "speakers": dict(Counter(clip.speaker for clip in clips)),
        "quality_percentiles_5_50_95": spread if measured else {},
        "left_out": left_out,
    }


def _spread(values: list[float]) -> list[float]:
    return [round(float(value), 3) for value in np.percentile(values, [5, 50, 95])] if values else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clips", type=Path, help="folder with the recordings")
    parser.add_argument("out", type=Path, help="folder for the shards and report.json")
    parser.add_argument("--layout", type=Layout, choices=list(Layout), default=Layout.auto, metavar="NAME",
                        help="auto, grid, lrs, hdtf or plain")  # fmt: skip
    parser.add_argument("--crops", choices=list(CROPS), default="mouth",
                        help="mouth: of the embedded network; face: of Wav2Lip (%(default)s)")  # fmt: skip
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--min-face", type=float, default=Requirements.face_px,
                        help="px between the outer eye corners (%(default)s)")  # fmt: skip
    parser.add_argument("--max-silence", type=float, default=Requirements.max_silence,
                        help="share of silent frames (%(default)s)")  # fmt: skip
    parser.add_argument("--max-offset", type=int, default=Requirements.max_offset_frames,
                        help="frames sound and picture may be out of step (%(default)s: any)")  # fmt: skip
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    needs = Requirements(
        face_px=arguments.min_face, max_silence=arguments.max_silence, max_offset_frames=arguments.max_offset
    )
    try:
        place = CROPS[arguments.crops]
        prepare(arguments.clips, arguments.out, arguments.layout, needs, arguments.workers, place)
    except (VoicelipError, OSError) as error:
        sys.exit(f"prepare_lips: {error}")


if __name__ == "__main__":
    main()
