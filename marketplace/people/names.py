"""Names of people: how they are shown, sorted, searched and taken apart. Pure.

Dutch infixes ("van der", "in 't") belong to the name but not to its place in the alphabet.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

_PLAIN = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "’": "'", "‘": "'"})
_INFIX_WORDS = frozenset(
    [
        "van",
        "de",
        "der",
        "den",
        "het",
        "'t",
        "ten",
        "ter",
        "te",
        "in",
        "op",
        "aan",
        "bij",
        "voor",
        "uit",
        "uijt",
        "over",
        "onder",
        "d'",
        "l'",
        "la",
        "le",
        "les",
        "du",
        "des",
        "da",
        "do",
        "dos",
        "das",
        "di",
        "del",
        "della",
        "von",
        "zu",
        "zum",
        "zur",
        "am",
        "af",
        "av",
        "y",
        "e",
        "el",
        "al",
        "bin",
        "ibn",
        "ben",
        "ap",
    ]
)
_INFIX_STARTS = frozenset(
    [
        "van",
        "de",
        "der",
        "den",
        "het",
        "'t",
        "ten",
        "ter",
        "te",
        "in",
        "op",
        "aan",
        "bij",
        "voor",
        "uit",
        "uijt",
        "over",
        "onder",
        "d'",
        "von",
        "zu",
        "zum",
        "du",
        "da",
        "di",
        "del",
        "della",
        "la",
        "le",
    ]
)


class Parts(NamedTuple):
    """A name in its three parts; the infix may be empty."""

    given_name: str
    infix: str
    family_name: str


def fold(text: str) -> str:
    """Return text for searching and sorting: lower case, without accents, one space between words."""
    return text.lower() if text.isalnum() and text.isascii() else _fold(text)


@lru_cache(maxsize=8192)
def _fold(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    spread = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return " ".join("".join([letter for letter in spread if not unicodedata.combining(letter)]).lower().split())


def full(given_name: str, infix: str, family_name: str) -> str:
    """Return the name as it is spoken: ``Søren in 't Veld``."""
    return f"{given_name} {infix} {family_name}" if infix else f"{given_name} {family_name}".strip()


def sort_key(given_name: str, infix: str, family_name: str) -> str:
    """Return the key of Dutch lists: family name, given name, then infix."""
    key = f"{fold(family_name)} {fold(given_name)}".strip()
    return f"{key} {fold(infix)}" if infix else key


def search_text(*parts: str | None) -> str:
    """Return what the list's search looks in: each part folded, blanks left out."""
    return " ".join([part.lower() if "@" in part and part.isascii() else fold(part) for part in parts if part])


def split_family(text: str) -> tuple[str, str]:
    """Return (infix, rest) of a family name that may begin with infixes: ``van der Meer`` → ``van der``, ``Meer``."""
    words = text.split()
    count = _infix_length(words)
    return " ".join(words[:count]), " ".join(words[count:])


def split_whole(text: str) -> Parts:
    """Take a whole name apart; the first word is the given name unless infixes show where it ends.

    ``Anna Maria van der Meer`` → Anna Maria, van der, Meer. ``Łucja García Márquez`` → Łucja, García Márquez.
    ``Veld, Søren in 't`` is read with the family name first. One word is a given name without a family name.
    """
    if "," in text:
        family, _, rest = text.partition(",")
        words = rest.split()
        count = len(words)
        while count > 1 and words[count - 1].lower() in _INFIX_WORDS:
            count -= 1
        infix, bare = split_family(family)
        return Parts(" ".join(words[:count]), " ".join([*words[count:], *infix.split()]), bare)
    words = text.split()
    for at in range(1, len(words) - 1):
        if words[at] in _INFIX_STARTS:
            infix, family = split_family(" ".join(words[at:]))
            return Parts(" ".join(words[:at]), infix, family)
    return Parts(words[0] if words else "", "", " ".join(words[1:]))


def _infix_length(words: list[str]) -> int:
    """Count the leading words that are infixes; a family name keeps at least its last word."""
    count = 0
    while count < len(words) - 1 and words[count].lower().replace("’", "'") in _INFIX_WORDS:
        count += 1
    return count
