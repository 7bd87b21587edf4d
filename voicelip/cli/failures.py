"""What an error looks like to the user: one line on stderr, and an exit code that scripts can rely on."""

import errno
import re
import sys
import traceback
from contextlib import suppress

from voicelip import errors
from voicelip.errors import VoicelipError

FINE = 0
USAGE = 2
UNEXPECTED = 70
INTERRUPTED = 130
TERMINATED = 143
BROKEN_PIPE = 141

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def exit_codes() -> dict[int, str]:
    """Every exit code and what it means, in a few words."""
    meanings = {error.exit_code: _words(error.__name__) for error in _error_classes()}
    meanings[VoicelipError.exit_code] = "other error"
    meanings[USAGE] = "wrong usage"
    meanings |= {FINE: "done", UNEXPECTED: "unexpected error", BROKEN_PIPE: "reader of the output went away"}
    meanings |= {INTERRUPTED: "Ctrl-C", TERMINATED: "terminated"}
    return dict(sorted(meanings.items()))


def _error_classes() -> list[type[VoicelipError]]:
    named = vars(errors).values()
    return [each for each in named if isinstance(each, type) and issubclass(each, VoicelipError)]


def _words(class_name: str) -> str:
    """InputNotFoundError → input not found."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", class_name.removesuffix("Error")).lower()


def say(line: str) -> None:
    """Put a line on stderr, whatever state stderr is in."""
    with suppress(OSError, ValueError):
        print(" ".join(line.split()), file=sys.stderr)


def report(error: Exception, verbose: bool = False) -> int:
    """Tell the user about `error`; the exit code that goes with it."""
    if isinstance(error, VoicelipError):
        say(f"voicelip: error: {error}")
        return error.exit_code
    if _is_usage_error(error):
        return _report_usage(error)
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        say(f"voicelip: error: {error.filename or 'output'}: disk full; free some space and run again")
        return errors.OutputError.exit_code
    if verbose:
        traceback.print_exception(error)
    advice = "" if verbose else "; run again with --verbose for the details"
    say(f"voicelip: error: unexpected {type(error).__name__}: {error}{advice}")
    return UNEXPECTED


def _is_usage_error(error: Exception) -> bool:
    # By its methods: Typer takes click's classes from the click package or brings them, as its version goes.
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _report_usage(error: Exception) -> int:
    message = error.format_message().rstrip(".")  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "voicelip"
    say(f"voicelip: error: {message[:1].lower()}{message[1:]}; see `{command} --help`")
    return error.exit_code  # type: ignore[attr-defined]
