"""Working days in Leiden: Monday to Friday, without Dutch public holidays and without 3 October (RULES §11)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_SATURDAY = 5


def easter(year: int) -> date:
    """Return Easter Sunday of a year in the Gregorian calendar (Gauss's algorithm with Butcher's corrections)."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap, rest = divmod(century, 4)
    moon = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    shift = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def holidays(year: int) -> dict[date, str]:
    """Return the closed days of a year with their English names (translate with ``_``).

    Liberation Day is a day off in the years divisible by five; King's Day moves to Saturday when 27 April is a Sunday.
    """
    sunday = easter(year)
    kings = date(year, 4, 27)
    if kings.isoweekday() == 7:
        kings -= timedelta(days=1)
    days = {
        date(year, 1, 1): "New Year",
        sunday - timedelta(days=2): "Good Friday",
        sunday: "Easter",
        sunday + timedelta(days=1): "Easter Monday",
        kings: "King's Day",
        sunday + timedelta(days=39): "Ascension Day",
        sunday + timedelta(days=49): "Whit Sunday",
        sunday + timedelta(days=50): "Whit Monday",
        date(year, 10, 3): "Leiden's Relief",
        date(year, 12, 25): "Christmas",
        date(year, 12, 26): "Boxing Day",
    }
    if year % 5 == 0:
        days[date(year, 5, 5)] = "Liberation Day"
    return days


def is_working_day(on: date) -> bool:
    """Tell whether offices are open on this day."""
    return on.weekday() < _SATURDAY and on not in holidays(on.year)


def add_working_days(on: date, count: int) -> date:
    """Return the date ``count`` working days after ``on`` (before it, when negative); zero returns ``on`` itself."""
    step = timedelta(days=1 if count >= 0 else -1)
    left = abs(count)
    while left:
        on += step
        if is_working_day(on):
            left -= 1
    return on
