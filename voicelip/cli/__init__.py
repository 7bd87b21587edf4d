"""The command line: flags to calls, errors to exit codes, progress to bars.

Nothing heavy is imported before a command needs it, so that `voicelip --help` answers at once.
"""

from voicelip.cli.entry import main

__all__ = ["main"]
