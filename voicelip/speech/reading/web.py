"""Web addresses, e-mail addresses and telephone numbers."""

import re

from voicelip.speech.reading import numerals
from voicelip.speech.reading.rules import Rule, rule
from voicelip.speech.reading.tables import Language

# Endings after which a bare name with stops is an address; others need http:// or www.
ENDINGS = (
    "com|org|net|edu|gov|info|biz|app|dev|ai|io|tv|me|eu|uk|us|ca|au|nz|ie|in"
    "|es|mx|ar|cl|fr|be|ch|it|br|pt|de"
)
# Names that are said as words although they are short.
_SAID = {"com", "org", "net", "info", "gov", "edu", "app", "biz", "dev"}

_PATH = r"(?:/[\w\-./?=&#%~+:@]*[\w/])?/?"
_HOST = r"[\w-]+(?:\.[\w-]+)+"


def rules(table: Language) -> list[Rule]:
    """E-mail before web addresses, which are part of them."""
    return [
        rule(rf"[\w.+-]+@{_HOST}", lambda m: _spoken(m.group(), table)),
        rule(rf"(?:https?://|ftp://)(?P<rest>{_HOST}(?::\d+)?{_PATH})", lambda m: _spoken(m["rest"], table)),
        rule(rf"\bwww\.{_HOST}{_PATH}", lambda m: _spoken(m.group(), table)),
        rule(rf"(?<![\w@.])(?:[\w-]+\.)+(?:{ENDINGS})\b(?!\.?\w){_PATH}", lambda m: _site(m.group(), table)),
        rule(r"(?<![\w.,])\+?\d[\d ().-]{6,18}\d(?![\w]|[.,]\d)", lambda m: _telephone(m.group(), table)),
    ]


def _site(text: str, table: Language) -> str | None:
    """ "Hello.In" of a forgotten space is no address: names are written small."""
    return _spoken(text, table) if text == text.lower() and not text[0].isdigit() else None


def _spoken(address: str, table: Language) -> str:
    words = []
    for part in re.findall(r"[^\W\d_]+|\d+|[\W_]", address.rstrip("/")):
        if part in table.web:
            words.append(table.web[part])
        elif part.isdigit():
            words.append(numerals.number(part, table) if len(part) <= 4 else numerals.digits(part, table))
        elif part.lower() not in _SAID and _is_spelled(part, words[-1:] == [table.web["."]]):
            words.append(" ".join(part.upper()))
        elif part.isalpha():
            words.append(part)
    return " ".join(words)


def _is_spelled(name: str, follows_stop: bool) -> bool:
    """Letters that make no word, and the short endings of hosts (uk, io)."""
    return not re.search("[aeiouyà-ÿ]", name.lower()) or (follows_stop and len(name) <= 2)


def _telephone(text: str, table: Language) -> str | None:
    """Groups of digits with a pause between them; None if it does not look like a telephone number."""
    groups = re.findall(r"\d+", text)
    count = sum(map(len, groups))
    if not 7 <= count <= 15 or (len(groups) < 3 and not text.startswith("+")) or _is_arithmetic(text, groups):
        return None
    said = [_group(group, table) for group in groups]
    return (f"{table.plus} " if text.startswith("+") else "") + ", ".join(said)


def _group(digits: str, table: Language) -> str:
    if table.digit_pairs and len(digits) == 2 and digits[0] != "0":
        return numerals.number(digits, table)
    return numerals.digits(digits, table)


def _is_arithmetic(text: str, groups: list[str]) -> bool:
    """Dates (2024-03-01, 31.12.2024) and grouped numbers (1 000 000) have their own rules."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d|\d{1,2}[.-]\d{1,2}[.-]\d{2,4}", text) or ". " in text or " - " in text:
        return True
    if re.fullmatch(r"\d{1,3}(?:[. ]\d{3})+", text):
        return "." in text or len(groups[0]) < 3
    return any(len(group) > 7 for group in groups) and not text.startswith("+")
