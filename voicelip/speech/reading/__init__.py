"""Reading aloud: numbers, dates, money, units, abbreviations and addresses in the words of a language."""

from voicelip.speech.reading.reader import Word, read

__all__ = ["Word", "read"]
