"""Dates and times of day."""

import functools
import re
from typing import Any

from voicelip.speech.reading import numerals
from voicelip.speech.reading.rules import Rule, rule
from voicelip.speech.reading.tables import Language

_CENTURY = r"(?:1[0-9]|20)"
_YEAR = rf"{_CENTURY}\d\d"
_HOURS = r"\s?(?:h(?:rs?|s)?\b\.?|बजे)"  # written after the digits, said within the time
_MERIDIEM = r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?)"


def rules(table: Language) -> list[Rule]:
    """Full dates before parts of them, times before plain numbers."""
    return [*_numeric_dates(table), *_written_dates(table), *_times(table), *_years(table)]


def _numeric_dates(table: Language) -> list[Rule]:
    order = r"(?P<d>\d{1,2})%s(?P<m>\d{1,2})" if table.day_first else r"(?P<m>\d{1,2})%s(?P<d>\d{1,2})"
    return [
        rule(r"(?<!\d)(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)", lambda m: _date(m, table)),
        rule(rf"(?<![\d/]){order % '/'}/(?P<y>\d{{4}}|\d\d)(?![\d/])", lambda m: _date(m, table)),
        rule(r"(?<![\d.-])(?P<d>\d{1,2})(?P<s>[.-])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4})(?![\d.-]\d)",
             lambda m: _date(m, table)),
    ]  # fmt: skip


def _written_dates(table: Language) -> list[Rule]:
    if table.code != "en":
        months = "|".join(re.escape(name) for name in month_names(table))
        of = r"(?: de)?" if table.code in ("es", "pt") else ""
        first = rf"(?<!\d)1(?:er|º|°|\.º)?(?= ?{of} (?:{months})\b)"
        return [rule(first, lambda m: table.first_day or numerals.cardinal(1, table), re.IGNORECASE)]
    months = "|".join((*month_names(table), *(f"{name[:3]}\\.?" for name in month_names(table)), r"Sept\.?"))
    day = r"(?P<d>[0-3]?\d)(?:st|nd|rd|th)?"
    year = rf"(?:,? (?P<y>{_YEAR}))?(?!\d|[.,:]\d)"
    return [
        rule(rf"\b(?P<name>{months}) {day}(?!\d|[.,:]\d| ?%){year}", lambda m: _named_date(m, table)),
        rule(
            rf"(?<!\d)(?:[Tt]he )?{day}(?: of)? (?P<name>{months}){year}", lambda m: _day_first_date(m, table)
        ),
    ]


def _times(table: Language) -> list[Rule]:
    french = r"(?<![\d:])(?P<h>[01]?\d|2[0-4]) ?h(?: ?(?P<m>[0-5]\d))?\b(?!\.\w)"
    found = [
        rule(rf"(?<![\d:.])(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d))?(?![\d:])(?:{_MERIDIEM}|{_HOURS})?",
             lambda m: _time(m, table)),
        rule(rf"(?<![\d:.])(?P<h>1[0-2]|0?[1-9])(?P<m>)(?P<s>){_MERIDIEM}", lambda m: _time(m, table)),
    ]  # fmt: skip
    if table.code in ("fr", "pt"):
        found.append(rule(french, lambda m: _clock(int(m["h"]), int(m["m"] or 0), table)))
    return found


def _years(table: Language) -> list[Rule]:
    """Four digits without separator, and decades; only where they are read unlike other numbers."""
    if not table.reads_years:
        return []
    plain = rf"(?<![\w.,$€£¥₹#/-])(?P<y>{_YEAR})(?![\w%°€]|[.,/:]\d| ?(?:%|km|kg|m|g|°))"
    return [
        rule(
            rf"(?<![\w.,])(?P<y>{_CENTURY}\d0)['’]?s\b",
            lambda m: _plural(numerals.year(int(m["y"]), table)),
        ),
        rule(r"(?:['’]|\b)(?P<y>[2-9]0)['’]?s\b", lambda m: _plural(numerals.cardinal(int(m["y"]), table))),
        rule(
            rf"(?<![\w.,])(?P<y>{_YEAR})[-–](?P<to>{_YEAR}|\d\d)(?![\w-])", lambda m: _years_range(m, table)
        ),
        rule(plain, lambda m: numerals.year(int(m["y"]), table)),
    ]


def _plural(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


def _years_range(match: "re.Match[str]", table: Language) -> str:
    start, end = numerals.year(int(match["y"]), table), match["to"]
    said = numerals.year(int(end), table) if len(end) == 4 else numerals.number(end, table)
    return f"{start} {table.to} {said}"


def _date(match: "re.Match[str]", table: Language) -> str | None:
    day, month, year = int(match["d"]), int(match["m"]), int(match["y"])
    if table.code == "en" and not table.day_first and month > 12 >= day:
        day, month = month, day
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    if len(match["y"]) == 2:
        year += 2000 if year < 50 else 1900
    return _said_date(day, month_names(table)[month - 1], year, table)


def _named_date(match: "re.Match[str]", table: Language) -> str | None:
    day = int(match["d"])
    if not 1 <= day <= 31:
        return None
    # As it is written: the month first, also in British English ("March the third").
    the = "the " if table.day_first else ""
    year = f", {numerals.year(int(match['y']), table)}" if match["y"] else ""
    return f"{_full_month(match['name'], table)} {the}{numerals.ordinal(day, table)}{year}"


def _day_first_date(match: "re.Match[str]", table: Language) -> str | None:
    day = int(match["d"])
    if not 1 <= day <= 31:
        return None
    year = f" {numerals.year(int(match['y']), table)}" if match["y"] else ""
    return f"the {numerals.ordinal(day, table)} of {_full_month(match['name'], table)}{year}"


def _said_date(day: int, month: str, year: int, table: Language) -> str:
    if table.code == "en":
        spoken_day = numerals.ordinal(day, table)
    else:
        spoken_day = table.first_day if day == 1 and table.first_day else numerals.cardinal(day, table)
    return table.date.format(day=spoken_day, month=month, year=numerals.year(year, table))


def _time(match: "re.Match[str]", table: Language) -> str | None:
    hours, minutes, seconds = int(match["h"]), int(match["m"] or 0), match["s"]
    half = (match["half"] or "").lower()
    if half and table.code == "en" and not minutes:
        said = numerals.cardinal(hours, table)
    else:
        said = _clock(hours, minutes, table)
    if seconds:
        said += f" {numerals.number(seconds.lstrip('0') or '0', table)}"
    return f"{said} {table.am if half == 'a' else table.pm}" if half else said


def _clock(hours: int, minutes: int, table: Language) -> str:
    spoken_hours = numerals.cardinal(hours, table, "f" if table.hours_feminine else "")
    unit = {"fr": "heure", "pt": "hora"}.get(table.code, "") + ("s" if hours > 1 else "")
    if not minutes:
        # "Fourteen hundred", not "fourteen o'clock".
        hundred = table.code == "en" and not 1 <= hours <= 12
        return f"{spoken_hours} hundred" if hundred else table.clock_full.format(h=spoken_hours, unit=unit)
    template = table.clock_low if minutes < 10 and table.clock_low else table.clock
    return template.format(h=spoken_hours, m=numerals.cardinal(minutes, table), unit=unit)


def _full_month(written: str, table: Language) -> str:
    return next(name for name in month_names(table) if name.lower().startswith(written.lower()[:3]))


@functools.cache
def _locale(name: str) -> Any:
    from babel import Locale

    return Locale.parse(name)


def month_names(table: Language) -> tuple[str, ...]:
    """January to December as they stand in dates."""
    names = _locale(table.locale).months["format"]["wide"]
    return tuple(names[i] for i in range(1, 13))
