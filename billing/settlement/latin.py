"""SEPA's letters: the 1998 Latin set that every bank takes (EPC217-08). Pure.

Letters with marks lose them, Greek and Cyrillic are written in Latin, what has no letter becomes a dot.
"""

from __future__ import annotations

import unicodedata

ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_PLAIN = {
    "Æ": "AE", "æ": "ae", "Ø": "O", "ø": "o", "Œ": "OE", "œ": "oe", "ß": "ss", "ẞ": "SS", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ð": "D",
    "ð": "d", "Þ": "Th", "þ": "th", "ı": "i", "Ħ": "H", "ħ": "h", "ŋ": "n", "Ŋ": "N", "&": "+", "@": "(at)", "_": "-", "–": "-", "—": "-",
    "’": "'", "‘": "'", "“": "'", "”": "'", '"': "'", "€": "EUR", "*": ".", "!": ".", ";": ",", "[": "(", "]": ")", "{": "(", "}": ")",
}  # fmt: skip
_GREEK = dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(), strict=True))  # noqa: SIM905
_CYRILLIC = dict(
    zip(
        "абвгґдеєжзиіїйклмнопрстуфхцчшщъыьэюя",
        "a b v h g d e ie zh z i i i i k l m n o p r s t u f kh ts ch sh shch . y . e iu ia".split(),  # noqa: SIM905
        strict=True,
    )
)
_SMALL = _GREEK | _CYRILLIC


def sepa(text: str, limit: int) -> str:
    """Return a text in SEPA's letters, at most ``limit`` long, without a slash at either end or two in a row."""
    letters = "".join(_letter(each) for each in text)
    while "//" in letters:
        letters = letters.replace("//", "/")
    return " ".join(letters.split())[:limit].strip("/ ")


def _letter(each: str) -> str:
    if each in ALLOWED:
        return each
    if each in _PLAIN:
        return _PLAIN[each]
    bare = "".join(part for part in unicodedata.normalize("NFKD", each) if not unicodedata.combining(part))
    found = "".join(_known(part) for part in bare)
    return found or ("" if unicodedata.combining(each) else ".")


def _known(each: str) -> str:
    if each in ALLOWED or each in _PLAIN:
        return _PLAIN.get(each, each)
    small = _SMALL.get(each.lower())
    if small is not None:
        small = small if small != "." else ""
        return small.capitalize() if each != each.lower() else small
    return " " if each.isspace() else "."
