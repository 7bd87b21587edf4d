"""How far what was heard is from what should be: errors in words and in letters (WER, CER)."""

import re
import unicodedata
from collections.abc import Sequence


def words(text: str) -> list[str]:
    """Words as they are compared: lower case, no punctuation; marks of Indic scripts stay."""
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" or c in "'’" else " " for c in text.lower())
    return re.sub(r"['’]", "", unicodedata.normalize("NFC", kept)).split()


def edit_distance(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest substitutions, deletions and insertions that turn one into the other."""
    row = list(range(len(heard) + 1))
    for i, one in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]


def word_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Errors, and words that there should be; sum both over texts before dividing."""
    return edit_distance(words(wanted), words(heard)), len(words(wanted))


def letter_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Errors in letters, spaces left out, and letters that there should be."""
    letters = ["".join(words(text)) for text in (wanted, heard)]
    return edit_distance(*letters), len(letters[0])
