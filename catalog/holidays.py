"""Closed days with their names: public holidays from the kit, school holidays (region Midden) as data.

Source of the school holidays: the ministry's published calendars for 2025–2028; schools may add days of their own. Add a
year by adding lines.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from marketplace.kit import calendar
from marketplace.kit.i18n import N_

_SCHOOL = (
    (N_("Christmas holiday"), date(2025, 12, 20), date(2026, 1, 4)),
    (N_("Spring holiday"), date(2026, 2, 14), date(2026, 2, 22)),
    (N_("May holiday"), date(2026, 4, 25), date(2026, 5, 3)),
    (N_("Summer holiday"), date(2026, 7, 18), date(2026, 8, 30)),
    (N_("Autumn holiday"), date(2026, 10, 17), date(2026, 10, 25)),
    (N_("Christmas holiday"), date(2026, 12, 19), date(2027, 1, 3)),
    (N_("Spring holiday"), date(2027, 2, 20), date(2027, 2, 28)),
    (N_("May holiday"), date(2027, 4, 24), date(2027, 5, 2)),
    (N_("Summer holiday"), date(2027, 7, 17), date(2027, 8, 29)),
    (N_("Autumn holiday"), date(2027, 10, 16), date(2027, 10, 24)),
    (N_("Christmas holiday"), date(2027, 12, 25), date(2028, 1, 9)),
    (N_("Spring holiday"), date(2028, 2, 26), date(2028, 3, 5)),
    (N_("May holiday"), date(2028, 4, 29), date(2028, 5, 7)),
    (N_("Summer holiday"), date(2028, 7, 8), date(2028, 8, 20)),
)
PUBLIC_HOLIDAYS = (
    N_("New Year"),
    N_("Good Friday"),
    N_("Easter"),
    N_("Easter Monday"),
    N_("King's Day"),
    N_("Liberation Day"),
    N_("Ascension Day"),
    N_("Whit Sunday"),
    N_("Whit Monday"),
    N_("Leiden's Relief"),
    N_("Christmas"),
    N_("Boxing Day"),
)


@lru_cache(maxsize=1)
def _school_days() -> dict[date, str]:
    return {first + timedelta(days=n): name for name, first, last in _SCHOOL for n in range((last - first).days + 1)}


def public_holiday(on: date) -> str | None:
    """Return the English name of the public holiday on a day (translate with ``_``), or None."""
    return calendar.holidays(on.year).get(on)


def school_holiday(on: date) -> str | None:
    """Return the English name of the school holiday that a day is in, or None (also beyond the years we know)."""
    return _school_days().get(on)


def closed(on: date) -> str | None:
    """Return why there are no lessons on a day, public holiday first, or None when there may be."""
    return public_holiday(on) or school_holiday(on)
