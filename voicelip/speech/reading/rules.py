"""What a reading rule is."""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Text that matches `pattern` is read as `say(match)`; None leaves it to later rules."""

    pattern: "re.Pattern[str]"
    say: Callable[["re.Match[str]"], str | None]


def rule(pattern: str, say: Callable[["re.Match[str]"], str | None], flags: int = 0) -> Rule:
    """A rule from the source of its pattern."""
    return Rule(re.compile(pattern, flags), say)
