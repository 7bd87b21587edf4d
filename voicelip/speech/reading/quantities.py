"""Amounts of money and measures: the number, then its unit in the right form."""

import functools
import re

from voicelip.speech.reading import numerals
from voicelip.speech.reading.numerals import Gender
from voicelip.speech.reading.rules import Rule, rule
from voicelip.speech.reading.tables import Language, Money

SIGNS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "R$": "BRL", "¥": "JPY", "₩": "KRW",
         "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "MX$": "MXN", "₽": "RUB", "CN¥": "CNY",
         "Rs.": "INR", "Rs": "INR"}  # fmt: skip

# Symbols in writing → CLDR's names of units. Those that are also words ("in", "a") are left out.
UNITS = {
    "km": "length-kilometer", "m": "length-meter", "cm": "length-centimeter", "mm": "length-millimeter",
    "µm": "length-micrometer", "μm": "length-micrometer", "nm": "length-nanometer", "mi": "length-mile",
    "ft": "length-foot", "yd": "length-yard", "km²": "area-square-kilometer", "km2": "area-square-kilometer",
    "m²": "area-square-meter", "m2": "area-square-meter", "cm²": "area-square-centimeter",
    "m³": "volume-cubic-meter", "m3": "volume-cubic-meter", "cm³": "volume-cubic-centimeter",
    "ha": "area-hectare", "l": "volume-liter", "L": "volume-liter", "ml": "volume-milliliter",
    "mL": "volume-milliliter", "cl": "volume-centiliter", "dl": "volume-deciliter", "hl": "volume-hectoliter",
    "kg": "mass-kilogram", "g": "mass-gram", "mg": "mass-milligram", "µg": "mass-microgram",
    "t": "mass-tonne",
    "lb": "mass-pound", "lbs": "mass-pound", "oz": "mass-ounce", "h": "duration-hour", "hr": "duration-hour",
    "hrs": "duration-hour", "min": "duration-minute", "mins": "duration-minute", "s": "duration-second",
    "sec": "duration-second", "secs": "duration-second", "ms": "duration-millisecond",
    "km/h": "speed-kilometer-per-hour", "kph": "speed-kilometer-per-hour", "kmh": "speed-kilometer-per-hour",
    "m/s": "speed-meter-per-second", "mph": "speed-mile-per-hour", "°C": "temperature-celsius",
    "ºC": "temperature-celsius", "℃": "temperature-celsius", "°F": "temperature-fahrenheit",
    "ºF": "temperature-fahrenheit", "℉": "temperature-fahrenheit", "K": "temperature-kelvin",
    "°": "angle-degree", "%": "concentr-percent", "‰": "concentr-permille", "Hz": "frequency-hertz",
    "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz", "GHz": "frequency-gigahertz",
    "W": "power-watt", "kW": "power-kilowatt", "MW": "power-megawatt", "GW": "power-gigawatt",
    "mW": "power-milliwatt", "hp": "power-horsepower", "kWh": "energy-kilowatt-hour", "J": "energy-joule",
    "kJ": "energy-kilojoule", "kcal": "energy-kilocalorie", "cal": "energy-calorie", "V": "electric-volt",
    "A": "electric-ampere", "mA": "electric-milliampere", "Ω": "electric-ohm", "kB": "digital-kilobyte",
    "KB": "digital-kilobyte", "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "Mb": "digital-megabit", "Gb": "digital-gigabit", "hPa": "pressure-hectopascal",
    "kPa": "pressure-kilopascal",
    "bar": "pressure-bar", "atm": "pressure-atmosphere", "psi": "pressure-pound-force-per-square-inch",
    "mpg": "consumption-mile-per-gallon", "px": "graphics-pixel", "MP": "graphics-megapixel",
    "lx": "light-lux", "N": "force-newton",
}  # fmt: skip
# Per-second rates and others that CLDR does not name.
_RATES = {"Mbps": "digital-megabit", "Gbps": "digital-gigabit", "Mbit/s": "digital-megabit",
          "MB/s": "digital-megabyte", "GB/s": "digital-gigabyte"}  # fmt: skip
_AMBIGUOUS_IN_ENGLISH = {"A", "N", "K", "t"}  # "5 A", "2 K": more often letters than units


def rules(table: Language) -> list[Rule]:
    """Money before measures: "5 M€" is no megametre."""
    return [*_money(table), *_measures(table)]


def _money(table: Language) -> list[Rule]:
    amount = rf"(?P<amount>{numerals.pattern(table)})"
    scales = "|".join(re.escape(scale) for scale in sorted(table.scales, key=len, reverse=True))
    scale = rf"(?:\s?(?P<scale>{scales})(?!\w))?" if scales else "(?P<scale>)"
    glued = rf"(?:\s?(?P<scale>{scales}))?" if scales else "(?P<scale>)"
    signs = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
    codes = "|".join(table.money)
    of = rf"(?:{table.of_scale.strip()} )?" if table.of_scale.strip() else ""
    return [
        rule(rf"(?P<minus>[-−])?(?P<sign>{signs})\s?{amount}{scale}(?![\d])", lambda m: _amount(m, table)),
        rule(rf"\b(?P<minus>)(?P<sign>{codes})\s{amount}{scale}(?!\d)", lambda m: _amount(m, table)),
        rule(rf"(?P<minus>(?<!\w)[-−])?(?<![\d.,]){amount}{glued}\s?{of}(?P<sign>{signs}|(?:{codes})\b)(?!\d)",
             lambda m: _amount(m, table)),
    ]  # fmt: skip


def _amount(match: "re.Match[str]", table: Language) -> str:
    sign = match["sign"]
    money = table.money[SIGNS.get(sign, sign)]
    whole, decimals = numerals.split(match["amount"], table)
    minus = f"{table.minus} " if match["minus"] else ""
    if match["scale"]:
        joint = table.of_scale if _takes_of(table.scales[match["scale"]]) else " "
        number = numerals.number(match["amount"], table, "m")
        return _elided(f"{minus}{number} {table.scales[match['scale']]}{joint}{money.many}", table)
    if len(decimals) == 2 and money.cent:
        return minus + _with_cents(int(whole), int(decimals), money, table)
    if decimals:
        return f"{minus}{numerals.number(match['amount'], table)} {money.many}"
    return minus + _main(int(whole), money, table)


def _takes_of(scale: str) -> bool:
    """ "Million" is a noun in Romance languages (un millón de dólares), "thousand" is not."""
    return scale not in ("mil", "mille", "mila")


def _main(number: int, money: Money, table: Language) -> str:
    said = numerals.cardinal(number, table, "f" if money.feminine else "m")
    millions = number >= 1_000_000 and number % 1_000_000 == 0
    joint = table.of_scale if millions else " "
    return _elided(f"{said}{joint}{money.one if number == 1 else money.many}", table)


def _elided(said: str, table: Language) -> str:
    return re.sub(r"\bde (?=[aeiouy])", "d'", said) if table.code == "fr" else said


def _with_cents(whole: int, cents: int, money: Money, table: Language) -> str:
    spoken = f"{numerals.cardinal(cents, table, 'm')} {money.cent if cents == 1 else money.cents}"
    if not cents:
        return _main(whole, money, table)
    return spoken if not whole else table.money_join.format(main=_main(whole, money, table), cents=spoken)


def _measures(table: Language) -> list[Rule]:
    known = {**UNITS, **_RATES}
    if table.code == "en":
        known = {symbol: unit for symbol, unit in known.items() if symbol not in _AMBIGUOUS_IN_ENGLISH}
    if table.code in ("es", "it", "pt"):
        known.pop("A")
    symbols = "|".join(re.escape(symbol) for symbol in sorted(known, key=len, reverse=True))
    number = numerals.pattern(table)
    sign = r"(?P<minus>(?<![\w.,)])[-−–])?"
    span = rf"(?:(?P<from>{number})\s?(?:[-–—]|\.\.)\s?)?"
    end = r"(?![\w²³/])"
    return [rule(rf"{sign}(?<![\d.,\w]){span}(?P<amount>{number})[\s-]?(?P<unit>{symbols}){end}",
                 lambda m: _measure(m, table))]  # fmt: skip


def _measure(match: "re.Match[str]", table: Language) -> str:
    symbol = match["unit"]
    unit = UNITS.get(symbol) or _RATES[symbol]
    gender: Gender = "f" if unit in table.feminine_units else "m"
    said = numerals.number(match["amount"], table, gender)
    if match["from"]:
        said = f"{numerals.number(match['from'], table, gender)} {table.to} {said}"
    name = unit_name(numerals.value(match["amount"], table), unit, table)
    if symbol in _RATES:
        name += _per_second(table)
    return f"{table.minus + ' ' if match['minus'] else ''}{said} {name}"


@functools.lru_cache(1024)
def unit_name(amount: float, unit: str, table: Language) -> str:
    """Such as "kilometers per hour"."""
    if unit == "concentr-percent":
        return table.symbols["%"]
    from babel.units import format_unit

    plural = amount if amount == int(amount) else 1.5
    text: str = format_unit(int(plural) % 1000 if plural != 1.5 else 1.5, unit, "long", locale=table.locale)
    return re.sub(r"[\d.,]+", "", text.replace("\u00a0", " ").replace("\u202f", " ")).strip()


@functools.cache
def _per_second(table: Language) -> str:
    """What a second makes of a unit, taken from "metres per second"."""
    metres, rate = (unit_name(2, unit, table) for unit in ("length-meter", "speed-meter-per-second"))
    return rate.removeprefix(metres)
