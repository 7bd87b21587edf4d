"""What the reader has to know of a language, beyond the CLDR data that unicode-rbnf and Babel bring."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

_MODULES = {
    "en": "english", "es": "spanish", "fr": "french", "it": "italian", "pt": "portuguese", "hi": "hindi",
}  # fmt: skip


@dataclass(frozen=True)
class Money:
    """A currency's words: one, many, a hundredth, hundredths; `feminine` numerals before the main unit."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""
    feminine: bool = False


@dataclass(frozen=True, eq=False)
class Language:
    """How numbers are written in a language, and the words with which they are read.

    Templates take {h} hours, {m} minutes, {day}, {month}, {year}, {n}, {d} in words.
    """

    code: str  # of unicode-rbnf's rules
    locale: str  # of Babel's data
    point: str
    minus: str
    plus: str
    to: str  # between the ends of a range
    number: str  # of "#5" and "No. 5"
    decimal_mark: str = ","
    group_marks: str = ".\u00a0\u202f"
    group_digits: str = r"\d{1,3}(?:[MARKS]\d{3})+"
    day_first: bool = True
    reads_years: bool = False  # four digits in two pairs
    decimals_as_number: bool = True  # 3,14: "fourteen", not "one four"
    numeral: str = "spellout-numbering"
    masculine: str = "spellout-cardinal-masculine"
    feminine: str = "spellout-cardinal-feminine"
    ordinal: str = "spellout-ordinal-masculine"
    ordinal_feminine: str = "spellout-ordinal-feminine"
    ordinal_signs: str = r"(?P<masculine>º|\.º|°)|(?P<feminine>ª|\.ª)"
    roman_ordinal: str = ""  # pattern of a Roman numeral that is read as an ordinal: groups `roman`
    roman_cardinal: str = ""
    feminine_nouns: str = ""  # pattern of the word that follows a numeral
    particles: str = ""  # words after which no noun agrees with the numeral before
    date: str = "{day} {month} {year}"
    date_no_year: str = "{day} {month}"
    first_day: str = ""  # said instead of the cardinal
    clock: str = "{h} {m}"
    clock_full: str = "{h}"
    clock_low: str = ""  # minutes below ten
    hours_feminine: bool = False
    am: str = "a m"
    pm: str = "p m"
    money: Mapping[str, Money] = field(default_factory=dict)
    money_join: str = "{main} {cents}"
    scales: Mapping[str, str] = field(default_factory=dict)  # as written after an amount → as said
    of_scale: str = " "  # between "million" and the currency
    feminine_units: frozenset[str] = frozenset()
    unit_words: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # symbol → one, many
    symbols: Mapping[str, str] = field(default_factory=dict)
    web: Mapping[str, str] = field(default_factory=dict)
    fractions: Mapping[str, str] = field(default_factory=dict)
    over: str = ""
    abbreviations: Mapping[str, str] = field(default_factory=dict)  # with their stops → said
    digit_pairs: bool = False  # telephone numbers


@functools.cache
def language(lang: str) -> Language:
    """The table for an espeak language name such as en-gb."""
    module = import_module(f"voicelip.speech.reading.{_MODULES[lang.split('-')[0]]}")
    return getattr(module, "BRITISH", module.TABLE) if lang == "en-gb" else module.TABLE


def is_known(lang: str) -> bool:
    """Whether there is a table for a language."""
    return lang.split("-")[0] in _MODULES


def abbreviations(lang: str) -> Mapping[str, str]:
    """What a language abbreviates, stops included; nothing where there is no table."""
    return language(lang).abbreviations if is_known(lang) else {}
