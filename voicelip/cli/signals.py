"""Ctrl-C, `kill` and a closed terminal all end a command the same way: unwinding, so that nothing is left."""

import signal
import time
from types import FrameType

REPEAT_S = 2.0


class Stopped(KeyboardInterrupt):
    """The user or the system asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def stop_on_signals() -> None:
    """Raise `Stopped` in the main thread on SIGINT, SIGTERM and SIGHUP, unless the parent has them ignored.

    An impatient second Ctrl-C does not disturb the clean-up; one that comes later is heard, in case the
    first was lost inside a library's callback.
    """
    heard_s = -REPEAT_S

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal heard_s
        if time.monotonic() - heard_s >= REPEAT_S:
            heard_s = time.monotonic()
            raise Stopped(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
