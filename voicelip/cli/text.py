"""The text to be spoken, from the command line, a file or stdin."""

import sys
from pathlib import Path

from voicelip.errors import InputNotFoundError, OptionError, TextError


def read_text(text: str | None, text_file: Path | None) -> str:
    """TEXT itself, what `@FILE` or `--text-file` names, or stdin for `-`."""
    if (text is None) == (text_file is None):
        raise OptionError("give the text either as TEXT or with --text-file; see `--help`")
    if text == "-" or text_file == Path("-"):
        return _decoded(sys.stdin.buffer.read(), "stdin")
    if text is not None and text.startswith("@"):
        text_file = Path(text[1:]).expanduser()
    return _read(text_file) if text_file is not None else str(text)


def _read(path: Path) -> str:
    try:
        return _decoded(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise InputNotFoundError(f"{path}: no such file; check the name and the folder") from None
    except OSError as failure:
        raise InputNotFoundError(f"{path}: cannot be read ({failure.strerror})") from None


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TextError(f"{source}: is not text in UTF-8; save it as such") from None
