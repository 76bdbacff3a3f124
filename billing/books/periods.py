"""Years, quarters and months of the books, as finance writes them: ``2026``, ``2026Q4``, ``2026-11``. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Literal

import msgspec

from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _, current_locale, fmt_date

Kind = Literal["year", "quarter", "month"]
_MONTHS: dict[Kind, int] = {"year": 12, "quarter": 3, "month": 1}
_WRITTEN = re.compile(r"([0-9]{4})(?:-?Q([1-4])|-?M?(0[1-9]|1[0-2]))?", re.IGNORECASE)
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


class Period(msgspec.Struct, frozen=True, order=True):
    """A year, quarter or month; both ends belong to it."""

    from_on: date
    kind: Kind = "month"

    @property
    def until_on(self) -> date:
        """Return the last day."""
        return months_later(self.from_on, _MONTHS[self.kind]) - timedelta(days=1)

    @property
    def text(self) -> str:
        """Return it as it is written in addresses and on the command line."""
        year, month = self.from_on.year, self.from_on.month
        if self.kind == "year":
            return f"{year}"
        return f"{year}Q{(month + 2) // 3}" if self.kind == "quarter" else f"{year}-{month:02d}"

    @property
    def name(self) -> str:
        """Return it in words: ``2026``, ``Q4 2026`` (``4e kwartaal 2026``), ``November 2026``."""
        if self.kind == "year":
            return self.text
        if self.kind == "quarter":
            quarter, year = (self.from_on.month + 2) // 3, self.from_on.year
            return f"{quarter}e kwartaal {year}" if current_locale() == "nl" else f"Q{quarter} {year}"
        return fmt_date(self.from_on, "long").partition(" ")[2]

    @property
    def previous(self) -> Period:
        """Return the one before it."""
        return Period(months_later(self.from_on, -_MONTHS[self.kind]), self.kind)

    @property
    def next(self) -> Period:
        """Return the one after it."""
        return Period(months_later(self.from_on, _MONTHS[self.kind]), self.kind)

    @property
    def year_from_on(self) -> date:
        """Return the first day of its financial year, which is the calendar year."""
        return self.from_on.replace(month=1, day=1)

    def widened(self, kind: Kind) -> Period:
        """Return the period of another kind that holds this one's first day."""
        return of(self.from_on, kind)


def of(on: date, kind: Kind) -> Period:
    """Return the period of a kind that holds a day."""
    length = _MONTHS[kind]
    return Period(date(on.year, (on.month - 1) // length * length + 1, 1), kind)


def parse(text: str) -> Period:
    """Return a period as it is written. Raises ``Invalid`` ``period``."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        sentence = _("Write a period as 2026, 2026Q4 or 2026-11.")
        raise Invalid("period", sentence, fields={"period": sentence})
    year, quarter, month = found.groups()
    if quarter:
        return Period(date(int(year), int(quarter) * 3 - 2, 1), "quarter")
    return Period(date(int(year), int(month or 1), 1), "month" if month else "year")


def months_later(on: date, months: int) -> date:
    """Return the first day of the month so many months after (or before) a day's month."""
    place = on.year * 12 + on.month - 1 + months
    return date(place // 12, place % 12 + 1, 1)


def months_between(from_on: date, until_on: date) -> list[tuple[date, date]]:
    """Return the months that a stretch of days touches as (first, last) day, cut off at its ends."""
    found, first = [], from_on
    while first <= until_on:
        after = months_later(first, 1)
        found.append((first, min(after - timedelta(days=1), until_on)))
        first = after
    return found
