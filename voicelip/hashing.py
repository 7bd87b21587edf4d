"""What a file is known by, whatever it is called."""

import hashlib
from pathlib import Path


def content_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; reads a megabyte at a time."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
