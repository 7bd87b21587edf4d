"""Abbreviations, ordinals, Roman numerals, fractions, symbols and the numbers that no other rule reads."""

import re

from voicelip.speech.reading import numerals
from voicelip.speech.reading.numerals import Gender
from voicelip.speech.reading.rules import Rule, rule
from voicelip.speech.reading.tables import Language

VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8"}


def rules(table: Language) -> list[Rule]:
    """From the special to the plain."""
    return [
        *_saint_or_street(table),
        _abbreviations(table),
        *_ordinals(table),
        *_fractions(table),
        *_numbers(table),
        *_symbols(table),
    ]


def _saint_or_street(table: Language) -> list[Rule]:
    if table.code != "en":
        return []
    return [
        rule(r"\bSt\.(?= [A-Z])(?<!\w St\.)|(?<![A-Za-z] )\bSt\.?(?= [A-Z])", lambda m: "Saint"),
        rule(r"(?<=[A-Za-z] )St\.(?! [A-Z])|(?<=\d )St\.", lambda m: "Street"),
        rule(r"(?<=[a-z] )St\.(?= [A-Z])", lambda m: "Saint"),
        rule(
            r"\b(?:No|no)\.(?!\s?\d)|\b(?:min|max|est|ed|p|Fr|Co|Mar|Sun|Sat|Dec)\.(?=$)", lambda m: m.group()
        ),
    ]


def _abbreviations(table: Language) -> Rule:
    names = "|".join(re.escape(name) for name in sorted(table.abbreviations, key=len, reverse=True))
    return rule(rf"(?<![\w.])(?:{names})(?!\w)", lambda m: table.abbreviations[m.group()])


def _ordinals(table: Language) -> list[Rule]:
    found = []
    if table.ordinal_signs:
        grouped = numerals.pattern(table) if table.code == "en" else r"\d{1,4}"
        found.append(rule(rf"(?<![\w.,])(?P<n>{grouped})(?:{table.ordinal_signs})(?!\w)",
                          lambda m: _ordinal(m, table)))  # fmt: skip
    if table.roman_ordinal:
        found.append(rule(table.roman_ordinal, lambda m: _roman(m, table, True)))
    if table.roman_cardinal:
        found.append(rule(table.roman_cardinal, lambda m: _roman(m, table, False)))
    return found


def _ordinal(match: "re.Match[str]", table: Language) -> str | None:
    number = int(numerals.split(match["n"], table)[0])
    if not 0 < number < 10_000:
        return None
    return numerals.ordinal(number, table, bool(match.groupdict().get("feminine")))


def _roman(match: "re.Match[str]", table: Language, as_ordinal: bool) -> str | None:
    name = "roman" if match["roman"] else "roman2"
    value = numerals.roman(match[name])
    if not value or (match[name] == "I" and not as_ordinal and table.code == "en" and not _titled(match)):
        return None
    if as_ordinal:
        said = numerals.ordinal(value, table)
        said = f"the {said}" if table.code == "en" else said
    else:
        said = numerals.cardinal(value, table)
    before = match.group()[: match.start(name) - match.start()]
    after = match.group()[match.end(name) - match.start() :]
    return f"{before}{said}" + ("" if as_ordinal else after)


def _titled(match: "re.Match[str]") -> bool:
    """ "Part I" is a title; "the book I read" is not."""
    return match.group()[0].isupper()


def _fractions(table: Language) -> list[Rule]:
    return [
        rule(rf"(?:(?P<whole>\d+)\s?)?(?P<sign>[{''.join(VULGAR)}])", lambda m: _vulgar(m, table)),
        rule(
            r"(?<![\w/.,])(?P<n>\d{1,3})\s?/\s?(?P<d>\d{1,3})(?![\w/]|[.,]\d)", lambda m: _fraction(m, table)
        ),
    ]


def _vulgar(match: "re.Match[str]", table: Language) -> str | None:
    said = table.fractions.get(VULGAR[match["sign"]])
    if said is None or not match["whole"]:
        return said
    joint = {"en": "and", "es": "y", "fr": "et", "it": "e", "pt": "e", "hi": "सही"}[table.code]
    return f"{numerals.number(match['whole'], table)} {joint} {said.replace('one half', 'a half')}"


def _fraction(match: "re.Match[str]", table: Language) -> str:
    n, d = (numerals.number(match[part], table) for part in ("n", "d"))
    return table.fractions.get(f"{match['n']}/{match['d']}") or table.over.format(n=n, d=d)


def _numbers(table: Language) -> list[Rule]:
    number = numerals.pattern(table)
    return [
        rule(r"(?<![\d.,])\d+(?:\.\d+){2,}(?!\w)", lambda m: " " + _version(m.group(), table)),
        rule(rf"#\s?(?P<n>{number})", lambda m: f"{table.number} {numerals.number(m['n'], table)}"),
        rule(rf"(?<![\w.,])(?P<a>{number})\s?[-–]\s?(?P<b>{number})(?![\w-]|[.,]\d)",
             lambda m: _range(m, table)),
        rule(rf"(?<![\w.,)\]])[-−](?P<n>{number})(?!\w)",
             lambda m: f"{table.minus} {numerals.number(m['n'], table)}"),
        rule(rf"(?<![^\W\d_])(?P<n>{number})(?:(?=[- ](?P<word>[^\W\d_]+)))?",
             lambda m: _counted(m, table)),
        rule(rf"(?P<n>{number})", lambda m: f" {numerals.number(m['n'], table)} "),
    ]  # fmt: skip


def _version(text: str, table: Language) -> str:
    return f" {table.point} ".join(numerals.number(part, table) for part in text.split("."))


def _range(match: "re.Match[str]", table: Language) -> str | None:
    a, b = match["a"], match["b"]
    if numerals.value(a, table) >= numerals.value(b, table) and " " not in match.group():
        return f"{numerals.number(a, table)} {numerals.number(b, table)}"  # a score, a model number
    return f"{numerals.number(a, table)} {table.to} {numerals.number(b, table)}"


def _counted(match: "re.Match[str]", table: Language) -> str:
    tail = " " if match.end() < len(match.string) and match.string[match.end()].isalpha() else ""
    return numerals.number(match["n"], table, _gender(match["word"], match, table)) + tail


def _gender(word: str | None, match: "re.Match[str]", table: Language) -> Gender:
    """What the noun after a number asks for; none if no noun follows."""
    if not word or not table.feminine_nouns or re.fullmatch(table.particles, word.lower()):
        return ""
    rest = match.string[match.end() + 1 :].lower()
    return "f" if re.match(table.feminine_nouns, rest) else "m"


def _symbols(table: Language) -> list[Rule]:
    said = table.symbols
    tight = "".join(re.escape(sign) for sign in said if sign not in "+=<>#")
    return [
        rule(
            r"(?<=\w)\s?(?P<s>[+=<>×÷])\s?(?=\w)", lambda m: f" {said[m['s']]} " if m["s"] in said else None
        ),
        rule(r"#(?=\w)", lambda m: f"{said['#']} "),
        rule(rf"[{tight}]", lambda m: f" {said[m.group()]} "),
        rule(r"(?<=\w)\+(?!\w)", lambda m: f" {said['+']}"),
        rule(r"(?<=[^\W\d_])/(?=[^\W\d_])", lambda m: " "),
        rule(r"[*_|\\^~`<>{}=#+]+", lambda m: " "),  # traces of markup
    ]
