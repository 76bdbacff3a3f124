"""Periods: as finance writes them, with their ends, also over the year's end."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing.books import periods
from billing.books.periods import Period
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import use_locale


@pytest.mark.parametrize(
    ("text", "first", "last", "name"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "2026"),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31), "Q4 2026"),
        ("2026-q1", date(2026, 1, 1), date(2026, 3, 31), "Q1 2026"),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), "February 2028"),
        ("2026M12", date(2026, 12, 1), date(2026, 12, 31), "December 2026"),
    ],
)
def test_a_period_is_read_and_named(text: str, first: date, last: date, name: str) -> None:
    found = periods.parse(text)
    assert (found.from_on, found.until_on, found.name) == (first, last, name)
    assert periods.parse(found.text) == found


def test_a_quarter_is_named_in_dutch() -> None:
    with use_locale("nl"):
        assert periods.parse("2026Q4").name == "4e kwartaal 2026"
        assert periods.parse("2026-11").name == "november 2026"


@pytest.mark.parametrize("text", ["", "26", "2026Q5", "2026-13", "2026-1", "1899", "9999", "2026Q4x", "٢٠٢٦"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        periods.parse(text)


@given(some.dates(date(2001, 1, 1), date(2100, 12, 31)), some.sampled_from(["year", "quarter", "month"]))
def test_periods_follow_each_other_without_a_gap(on: date, kind: periods.Kind) -> None:
    found = periods.of(on, kind)
    assert found.from_on <= on <= found.until_on
    assert found.next.previous == found
    assert (found.next.from_on - found.until_on).days == 1
    assert found.widened("year").from_on == Period(date(on.year, 1, 1), "year").from_on


def test_months_between_are_cut_off_at_both_ends() -> None:
    assert periods.months_between(date(2026, 11, 15), date(2027, 1, 3)) == [
        (date(2026, 11, 15), date(2026, 11, 30)),
        (date(2026, 12, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), date(2027, 1, 3)),
    ]
