"""What a cell of a staff file means: dates, languages, levels, and names that lost their letters on the way. Pure.

Whether 3/4 is 3 April or 4 March is decided by the whole column, and said when the column doesn't tell.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from marketplace.people.facts import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|(\d{2})(\d{2}))(?:[T ][\d:.+Z ]*)?", re.ASCII)
_SERIAL = re.compile(r"[2-7]\d{4}", re.ASCII)
_SERIAL_START = date(1899, 12, 30)  # day 0 of spreadsheets
_THREE = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?: [\d:]+)?", re.ASCII)
_WORDY = re.compile(r"(\d{1,2})[-/. ]+([a-z]{3,9})\.?[-/. ]+(\d{4}|\d{2})", re.ASCII | re.IGNORECASE)
_MONTHS = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]
_MONTH_NUMBERS = {word: at for at, word in enumerate(_MONTHS, 1)} | {"mar": 3, "maa": 3, "may": 5, "oct": 10}
_LANGUAGES = {
    "nl": "nl", "nld": "nl", "dut": "nl", "nederlands": "nl", "dutch": "nl", "ned": "nl", "n": "nl",
    "en": "en", "eng": "en", "engels": "en", "english": "en", "e": "en",
}  # fmt: skip
_TWICE_ENCODED = re.compile(
    "[\u00c2-\u00c5\u00d0\u00d1\u00e1][\u0080-\u00bf\u20ac\u201a-\u203a\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2122]"
)


class DateColumn(msgspec.Struct, frozen=True):
    """How a column writes dates. ``ambiguous``: no date in it tells day from month, so the Dutch order was taken."""

    order: str = "dmy"
    ambiguous: bool = False
    mixed: bool = False


def date_column(texts: Iterable[str], *, chosen: str = "") -> DateColumn:
    """Decide between day-month and month-day from every date of a column; ``chosen`` (dmy, mdy) overrules."""
    day_first = month_first = undecided = False
    for text in texts:
        found = _THREE.fullmatch(text)
        if found is None:
            continue
        one, two = int(found[1]), int(found[2])
        day_first |= one > 12
        month_first |= two > 12
        undecided |= one <= 12 and two <= 12 and one != two
    if chosen in ("dmy", "mdy"):
        return DateColumn(chosen, mixed=day_first and month_first)
    if day_first or month_first:
        return DateColumn("dmy" if day_first else "mdy", mixed=day_first and month_first)
    return DateColumn("dmy", ambiguous=undecided)


def read_date(text: str, column: DateColumn) -> date | None:
    """Return the date that a cell means in its column, or None when it is none (or not between 1950 and 2100)."""
    iso = _ISO.fullmatch(text)
    if iso is not None:
        return _date(int(iso[1]), int(iso[2] or iso[4]), int(iso[3] or iso[5]))
    if _SERIAL.fullmatch(text):
        return _SERIAL_START + timedelta(days=int(text))
    three = _THREE.fullmatch(text)
    if three is not None:
        one, two = int(three[1]), int(three[2])
        day, month = (one, two) if column.order == "dmy" else (two, one)
        return _date(_year(three[3]), month, day)
    wordy = _WORDY.fullmatch(text)
    if wordy is not None and wordy[2][:3].lower() in _MONTH_NUMBERS:
        return _date(_year(wordy[3]), _MONTH_NUMBERS[wordy[2][:3].lower()], int(wordy[1]))
    return None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 1950 <= year <= 2100 else None
    except ValueError:
        return None


def read_language(text: str) -> str | None:
    """Return ``en`` or ``nl``, or None for a language in which we don't write."""
    return _LANGUAGES.get(re.split(r"[-_ (]", text.strip().lower(), maxsplit=1)[0])


def read_level(text: str) -> str | None:
    """Return a level of the Common European Framework, or None."""
    plain = text.strip().upper()[:2]
    return plain if plain in LEVELS else None


def is_damaged(text: str) -> bool:
    """Tell whether a name lost letters to a wrong encoding: ``?`` or ``�`` in it, or UTF-8 read as something else."""
    return "?" in text or "\ufffd" in text or (not text.isascii() and _TWICE_ENCODED.search(text) is not None)


def may_be_the_same(damaged: str, kept: str) -> bool:
    """Tell whether a damaged name may be the kept one: each ``?`` or ``�`` stands for one lost letter."""
    composed = unicodedata.normalize("NFC", kept)
    return len(damaged) == len(composed) and all(
        one in "?\ufffd" or one.casefold() == other.casefold() for one, other in zip(damaged, composed, strict=True)
    )
