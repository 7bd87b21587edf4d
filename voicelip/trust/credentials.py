"""Content credentials (C2PA) written into a finished file, by reading and writing it once, offline."""

import mimetypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from voicelip.errors import CredentialsError
from voicelip.hashing import content_hash
from voicelip.media.output import temporary_beside
from voicelip.trust.claim import Claim, Source
from voicelip.trust.keys import TIME_SERVER_VARIABLE, Signer, load_signer, time_server
from voicelip.version import __version__

Finish = Callable[[Path], None]
FORMATS = {
    ".mp4": "video/mp4",
    ".m4v": "video/x-m4v",
    ".mov": "video/quicktime",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
}
MODELS_LABEL = "org.voicelip.models"
MINING_LABEL = "cawg.training-mining"
CONSENT_LABEL = "org.voicelip.consent"

# One value for writing and reading: nothing is fetched, and little is held in memory. Without a Merkle
# tree c2pa reads up to 512 MB of a video at once.
SETTINGS: dict[str, Any] = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"backing_store_memory_threshold_in_mb": 8, "merkle_tree_chunk_size_in_kb": 1024},
    "builder": {
        "thumbnail": {"enabled": False},
        "bmff_hash_exclude_free_and_skip_boxes": False,
        "actions": {
            "auto_created_action": {"enabled": False},
            "auto_opened_action": {"enabled": False},
            "auto_placed_action": {"enabled": False},
        },
    },
}


def signing(out: str | Path, claim: Claim) -> Finish:
    """A function that signs the finished file of an output, which may still have another name than `out`.

    What could hinder signing is checked now, before the work.
    """
    signer = load_signer()
    time_server()
    title = Path(out).name

    def finish(path: Path) -> None:
        sign(path, claim, title=title, signer=signer)

    return finish


def sign(
    path: str | Path,
    claim: Claim,
    out: str | Path | None = None,
    *,
    title: str | None = None,
    signer: Signer | None = None,
) -> None:
    """Write content credentials into `path`, or into a copy of it at `out`; all or nothing.

    `title` is what the credentials call the file (default: its name). Raises CredentialsError, or OSError
    when the file cannot be written.
    """
    path = Path(path)
    target = Path(out) if out else path
    media_type = FORMATS.get(path.suffix.lower())
    if media_type is None:
        raise CredentialsError(
            f"{path.name}: credentials can be written into {', '.join(FORMATS)}; choose one"
        )
    definition = _definition(claim, title or target.name, media_type)
    signer = signer or load_signer()
    temporary = temporary_beside(target)
    try:
        _without_interruption(lambda: _sign(path, temporary, definition, claim.sources, media_type, signer))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _definition(claim: Claim, title: str, media_type: str) -> dict[str, Any]:
    """The manifest as c2pa-rs takes it, without ingredients."""
    models = [{"name": each.name, "sha256": each.sha256} for each in claim.models]
    agreed = [{"label": CONSENT_LABEL, "data": {"consents": list(claim.consents)}}] if claim.consents else []
    uses = ("cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training")
    return {
        "claim_generator_info": [{"name": "voicelip", "version": __version__}],
        "title": title,
        "format": media_type,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": _actions(claim)}},
            {"label": MODELS_LABEL, "data": {"models": models}},
            *agreed,
            {"label": MINING_LABEL, "data": {"entries": {use: {"use": "notAllowed"} for use in uses}}},
        ],
    }


def _actions(claim: Claim) -> list[dict[str, Any]]:
    """What was done, in order; C2PA asks that the first says how the file came to be."""
    agent = {"name": "voicelip", "version": __version__}
    made = {"softwareAgent": agent, "digitalSourceType": claim.digital_source_type}
    inputs = _parameters(claim, "inputTo")
    actions: list[dict[str, Any]] = []
    if claim.parent:
        actions.append({"action": "c2pa.opened", **_parameters(claim, "parentOf")})
        actions.append({"action": "c2pa.edited", **made, **inputs})
    else:
        actions.append({"action": "c2pa.created", **made, **inputs})
    if placed := _parameters(claim, "componentOf"):
        actions.append({"action": "c2pa.placed", **placed})
    return actions


def _parameters(claim: Claim, relationship: str) -> dict[str, Any]:
    ids = [_id(index) for index, each in enumerate(claim.sources) if each.relationship == relationship]
    return {"parameters": {"ingredientIds": ids}} if ids else {}


def _id(index: int) -> str:
    return f"source-{index}"


def _sign(
    path: Path,
    out: Path,
    definition: dict[str, Any],
    sources: tuple[Source, ...],
    media_type: str,
    signer: Signer,
) -> None:
    import c2pa

    with path.open("rb") as source, out.open("w+b") as file:
        target = _Target(file)
        try:
            with ExitStack() as stack:
                context = stack.enter_context(c2pa.Context.from_dict(SETTINGS))
                info = c2pa.C2paSignerInfo(signer.algorithm, signer.certificates, signer.key, time_server())
                native_signer = stack.enter_context(c2pa.Signer.from_info(info))
                builder = stack.enter_context(_builder(context, definition, sources))
                builder.sign(native_signer, media_type, source, target)
                _check(target, media_type, context)
        except c2pa.C2paError as failure:
            if target.failure:
                raise target.failure from None
            asked = f", {TIME_SERVER_VARIABLE} being set" if time_server() else ""
            raise CredentialsError(
                f"content credentials could not be written ({_one_line(failure)}{asked}); no output without "
                "them, see docs/trust.md"
            ) from None


def _check(file: "_Target", media_type: str, context: Any) -> None:
    """Read the file back as anybody would, since c2pa itself only looks at the credentials."""
    import c2pa

    file.seek(0)
    with c2pa.Reader(media_type, file, context=context) as reader:
        if reader.get_validation_state() not in ("Valid", "Trusted"):
            raise c2pa.C2paError("they do not fit the file that they were written into")


def _builder(context: Any, definition: dict[str, Any], sources: tuple[Source, ...]) -> Any:
    """A builder with its ingredients; those that c2pa cannot read are named by their hash alone."""
    import c2pa

    ingredients = [_ingredient(index, source) for index, source in enumerate(sources)]
    opaque = {index for index, source in enumerate(sources) if source.path is None}
    while True:
        plain = [ingredients[index] for index in sorted(opaque)]
        builder = c2pa.Builder({**definition, "ingredients": plain}, context)
        for index, source in enumerate(sources):
            if index in opaque or source.path is None:
                continue
            try:
                with source.path.open("rb") as file:
                    builder.add_ingredient(ingredients[index], ingredients[index]["format"], file)
            except c2pa.C2paError:
                opaque.add(index)
                builder.close()
                break
        else:
            return builder


def _ingredient(index: int, source: Source) -> dict[str, Any]:
    name = source.path.name if source.path else ""
    digest = content_hash(source.path) if source.path else source.sha256
    return {
        "title": source.role,
        "format": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "relationship": source.relationship,
        "instance_id": f"sha256:{digest}",
        "label": _id(index),
    }


class _Target:
    """The file written to; c2pa swallows what the system says of a failed write, so it is kept here."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as failure:
            self.failure = failure
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as failure:
            self.failure = failure
            raise

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(buffer)  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _without_interruption(work: Callable[[], None]) -> None:
    """Run `work` to its end in a thread; an interruption is raised when it is done.

    In the main thread Ctrl-C would be raised inside a callback of c2pa, be lost there, and pass for the
    end of the file.
    """
    with ThreadPoolExecutor(1) as threads:
        threads.submit(work).result()


def _one_line(failure: Exception) -> str:
    return " ".join(str(failure).split())[:200]
