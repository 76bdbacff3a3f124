"""Dates of Leiden, instants across clock changes, and cents."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit import calendar, clock
from marketplace.kit.money import Money, share, sum_money


@pytest.mark.parametrize(
    ("year", "sunday"), [(2026, date(2026, 4, 5)), (2027, date(2027, 3, 28)), (2028, date(2028, 4, 16)), (2038, date(2038, 4, 25))]
)
def test_easter(year: int, sunday: date) -> None:
    assert calendar.easter(year) == sunday


def test_closed_days_of_leiden() -> None:
    days = calendar.holidays(2027)
    assert days[date(2027, 10, 3)] == "Leiden's Relief"
    assert date(2027, 5, 5) not in days
    assert date(2030, 5, 5) in calendar.holidays(2030)
    assert date(2025, 4, 26) in calendar.holidays(2025)  # 27 April was a Sunday


def test_working_days_skip_weekends_and_holidays() -> None:
    assert calendar.add_working_days(date(2026, 12, 24), 1) == date(2026, 12, 28)
    assert calendar.add_working_days(date(2027, 1, 4), -1) == date(2026, 12, 31)
    assert calendar.add_working_days(date(2026, 11, 23), 0) == date(2026, 11, 23)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 40))
def test_working_days_there_and_back(on: date, count: int) -> None:
    there = calendar.add_working_days(on, count)
    assert calendar.is_working_day(there)
    back = calendar.add_working_days(there, -count)
    assert back <= on
    assert calendar.add_working_days(back, count) == there


def test_wall_times_on_the_days_the_clock_changes() -> None:
    assert clock.instant(date(2027, 3, 28), time(9)) == datetime(2027, 3, 28, 7, tzinfo=UTC)
    assert clock.instant(date(2027, 3, 27), time(9)) == datetime(2027, 3, 27, 8, tzinfo=UTC)
    assert clock.instant(date(2026, 10, 25), time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert clock.local(clock.instant(date(2027, 3, 28), time(2, 30))).time() == time(3, 30)


def test_shares_round_half_up() -> None:
    assert share(Money(50), 21) == Money(11)  # 10.5 cents
    assert share(Money(-50), 21) == Money(-11)
    assert share(Money(64_500), Decimal("0.5")) == Money(323)


@given(st.lists(st.integers(-(10**9), 10**9)))
def test_a_sum_is_the_sum(cents: list[int]) -> None:
    assert sum_money(map(Money, cents)) == Money(sum(cents))


def test_two_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="mix"):
        Money(1) + Money(1, "USD")
