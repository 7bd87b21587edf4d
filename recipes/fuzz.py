"""Feed spoilt files to every entry that takes files of strangers.

    python -m recipes.fuzz --count 20000 [--only clip sound] [--kept FOLDER]

Each target (see `recipes/fuzzing/targets.py`) runs in processes of its own, so that a crash is seen, and in a
home of its own, which shares only the models that were fetched. A crash, a hang, a traceback, an error
without words, or too much memory is a failure; the file that caused it is kept. The same seed makes the same
files. Ends with 1 if anything failed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from recipes.fuzzing.attempts import LARGEST_ALLOCATION, Tally, empty_home, run
from recipes.fuzzing.targets import targets

_COSTLY = {"lipsync": 20, "voice archive": 3, "clip": 1}  # one in so many
_AT_ONCE = 500  # attempts of one process


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="files in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="TARGET")
    parser.add_argument("--kept", type=Path, default=Path("fuzz-failures"), help="where failures go")
    parser.add_argument(
        "--child", nargs=4, metavar=("TARGET", "COUNT", "SEED", "WORK"), help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.child:
        _try(*arguments.child, kept=arguments.kept)
        return
    names = arguments.only or list(targets())
    shares = {name: 1 / _COSTLY.get(name, 1) for name in names}
    failed = 0
    for name in names:
        count = round(arguments.count * shares[name] / sum(shares.values()))
        failed += _campaign(name, count, arguments.seed, arguments.kept / name.replace(" ", "-"))
    sys.exit(1 if failed else 0)


def _try(name: str, count: str, seed: str, work: str, kept: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_ALLOCATION, LARGEST_ALLOCATION))
    tally = run(targets()[name], int(count), int(seed), Path(work), kept)
    print(json.dumps(tally.to_dict()))


def _campaign(name: str, count: int, seed: int, kept: Path) -> int:
    """All attempts on one target; the number of failures."""
    kept.mkdir(parents=True, exist_ok=True)
    tried, accepted, refused, failures, slowest, memory = 0, 0, 0, 0, 0.0, 0
    for part, start in enumerate(range(0, count, _AT_ONCE)):
        with tempfile.TemporaryDirectory() as work:
            wanted = min(_AT_ONCE, count - start)
            done = _in_a_process(name, wanted, seed * 10_000 + part, Path(work), kept)
        tried, accepted = tried + done["tried"], accepted + done["accepted"]
        refused += sum(done["refused"].values())
        slowest, memory = max(slowest, done["slowest_s"]), max(memory, done["memory_mb"])
        for what, file in done["failures"].items():
            failures += 1
            print(f"  {name}: {what} [{file}]")
    print(
        f"{name:16} {tried:6} tried {accepted:6} read {refused:6} refused {failures:3} failures, "
        f"slowest {slowest:.1f} s, at most {memory} MB",
        flush=True,
    )
    return failures


def _in_a_process(name: str, count: int, seed: int, work: Path, kept: Path) -> dict:
    command = [sys.executable, "-m", "recipes.fuzz", "--kept", str(kept), "--child", name, str(count)]
    home = {"VOICELIP_HOME": str(empty_home(work)), "VOICELIP_OFFLINE": "1"}
    files = work / "files"
    files.mkdir()
    ended = subprocess.run(
        [*command, str(seed), str(files)],
        capture_output=True,
        text=True,
        env={**os.environ, **home},
        check=False,
    )
    lines = ended.stdout.splitlines()
    if ended.returncode == 0 and lines:
        return json.loads(lines[-1])
    latest = max(filter(Path.is_file, files.iterdir()), key=lambda file: file.stat().st_mtime, default=None)
    if latest is None:
        sys.exit(f"{name}: no good file to begin with\n{ended.stderr}")
    copy = kept / f"crash-{seed}-{latest.name}"
    copy.write_bytes(latest.read_bytes())
    (kept / f"crash-{seed}.txt").write_text(ended.stderr[-4000:])
    said = f"process ended with {ended.returncode}"
    return Tally(tried=1, failures={said: copy.name}).to_dict()


if __name__ == "__main__":
    main()
