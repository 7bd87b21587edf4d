"""Numbers as they are written → words, by the rules of the Unicode CLDR (unicode-rbnf)."""

import functools
import re
from typing import Any, Literal

from voicelip.speech.reading.tables import Language

Gender = Literal["", "m", "f"]
LONGEST = 15  # digits; longer ones are read one by one

_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_WELL_FORMED_ROMAN = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")


def cardinal(number: int, table: Language, gender: Gender = "") -> str:
    """Such as "twenty-one"; with a gender as before a noun of it."""
    rule = {"": table.numeral, "m": table.masculine, "f": table.feminine}[gender]
    said = _spell(abs(number), rule, table)
    return f"{table.minus} {said}" if number < 0 else said


def ordinal(number: int, table: Language, feminine: bool = False) -> str:
    """Such as "twenty-first"."""
    return _spell(number, table.ordinal_feminine if feminine else table.ordinal, table)


def year(number: int, table: Language) -> str:
    """Such as "nineteen ninety-nine" where years are read in pairs."""
    if table.reads_years and 1000 <= number < 10_000:
        return _spell(number, "spellout-numbering-year", table)
    return cardinal(number, table)


def digits(text: str, table: Language) -> str:
    """The digits in `text`, one by one."""
    return " ".join(cardinal(int(char), table) for char in text if char.isdigit())


def number(text: str, table: Language, gender: Gender = "") -> str:
    """A number as it is written, with separators and decimals."""
    whole, decimals = split(text, table)
    if len(whole) > LONGEST or (len(whole) > 1 and whole[0] == "0"):
        said = digits(whole, table)
    else:
        said = cardinal(int(whole), table, "" if decimals else gender)
    return f"{said} {table.point} {_decimals(decimals, table)}" if decimals else said


def split(text: str, table: Language) -> tuple[str, str]:
    """The digits before and after the decimal mark; either mark where only one reading makes sense."""
    text = "".join(str(int(char)) if char.isdigit() else char for char in text)
    for mark in table.group_marks:
        text = (
            re.sub(rf"(?<=\d){re.escape(mark)}(?=\d{{2,3}}(?!\d))", "", text)
            if _grouped(text, mark)
            else text
        )
    whole, _, decimals = text.replace(",", ".").partition(".")
    return re.sub(r"\D", "", whole), re.sub(r"\D", "", decimals)


def value(text: str, table: Language) -> float:
    """The number itself."""
    whole, decimals = split(text, table)
    return float(f"{whole}.{decimals or 0}")


def pattern(table: Language) -> str:
    """Regular expression of an unsigned number as the language writes it."""
    groups = table.group_digits.replace("MARKS", re.escape(table.group_marks))
    decimals = rf"(?:{re.escape(table.decimal_mark)}\d+)?"
    other = r"\.\d+" if table.decimal_mark == "," else r"(?!)"
    return rf"(?:(?:{groups})(?!\d){decimals}|\d+{re.escape(table.decimal_mark)}\d+|\d+{other}|\d+)"


def roman(text: str) -> int:
    """The value of a Roman numeral; 0 if it is none."""
    if not text or not _WELL_FORMED_ROMAN.fullmatch(text):
        return 0
    values = [_ROMAN[char] for char in text]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _grouped(text: str, mark: str) -> bool:
    return bool(
        re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{2,3}})*{re.escape(mark)}\d{{3}}(?:\D.*)?", text)
    )


def _decimals(text: str, table: Language) -> str:
    if table.decimals_as_number and len(text) <= 2 and text[0] != "0":
        return cardinal(int(text), table)
    return digits(text, table)


@functools.lru_cache(4096)
def _spell(value: int, rule: str, table: Language) -> str:
    text = _engine(table.code).format_number(value, ruleset_names=[rule]).text
    # The commas of "one thousand, two hundred" would be heard as pauses; soft hyphens are for printers.
    return text.replace(",", "").replace("\u00ad", "")


@functools.cache
def _engine(code: str) -> Any:
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language(code)
