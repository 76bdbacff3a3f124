"""What cancelling costs: tables at the exact boundaries, both clock-change days, and properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.policies import GROUP, ONE_TO_ONE, PolicyTerms, Tier, boundaries, fee, moving_fee
from marketplace.kit import clock
from marketplace.kit.money import Money

PRICE = Money(64_500)
START = clock.instant(date(2027, 1, 18), time(9, 30))
SECOND = timedelta(seconds=1)


def at(day: int, month: int, hour: int = 9, minute: int = 30) -> datetime:
    """Return a wall time of 2027 in Leiden."""
    return clock.instant(date(2027, month, day), time(hour, minute))


@pytest.mark.parametrize(
    ("moment", "percent", "cents"),
    [
        (at(1, 1), 0, 0),
        (at(4, 1), 0, 0),
        (at(4, 1) + SECOND, 50, 32_250),
        (at(11, 1), 50, 32_250),
        (at(11, 1) + SECOND, 100, 64_500),
        (START, 100, 64_500),
        (START + timedelta(days=3), 100, 64_500),
    ],
)
def test_a_group_course_is_free_until_14_days_then_half_until_7(moment: datetime, percent: int, cents: int) -> None:
    found = fee(GROUP, PRICE, START, moment)
    assert (found.percent, found.amount.cents) == (percent, cents)


def test_the_fee_says_until_when_and_what_follows() -> None:
    found = fee(GROUP, PRICE, START, at(2, 1))
    assert (found.until, found.next_amount) == (at(4, 1), Money(32_250))
    after = fee(GROUP, PRICE, START, START + SECOND)
    assert (after.until, after.next_amount) == (None, None)


def test_boundaries_name_each_step_in_order() -> None:
    found = [(each.until, each.percent, each.amount.cents) for each in boundaries(GROUP, PRICE, START)]
    assert found == [(at(4, 1), 0, 0), (at(11, 1), 50, 32_250), (START, 100, 64_500)]


@pytest.mark.parametrize(
    ("start", "free_until"),
    [
        (at(1, 4), clock.instant(date(2027, 3, 18), time(9, 30))),  # summer time begins on 28 March
        (at(8, 11), clock.instant(date(2027, 10, 25), time(9, 30))),  # and ends on 31 October
    ],
)
def test_days_are_counted_on_the_wall_clock_over_a_clock_change(start: datetime, free_until: datetime) -> None:
    assert boundaries(GROUP, PRICE, start)[0].until == free_until
    assert clock.local(free_until).time() == time(9, 30)


def test_hours_are_elapsed_over_a_clock_change() -> None:
    start = at(28, 3, 12, 0)  # 23 hours on the wall after noon the day before
    assert clock.local(boundaries(ONE_TO_ONE, PRICE, start)[0].until).time() == time(11, 0)


def test_a_fixed_fee_is_added_and_capped_at_the_price() -> None:
    terms = PolicyTerms(code="x", name_nl="x", name_en="x", tiers=(Tier(days=2, fixed_cents=2_500), Tier(percent=90, fixed_cents=10_000)))
    assert fee(terms, PRICE, START, START - timedelta(days=5)).amount == Money(2_500)
    assert fee(terms, PRICE, START, START - timedelta(hours=1)).amount == PRICE


def test_moving_has_its_own_table_or_costs_as_cancelling() -> None:
    assert moving_fee(GROUP, PRICE, START, at(10, 1)).amount.is_zero
    bare = PolicyTerms(code="x", name_nl="x", name_en="x", tiers=GROUP.tiers)
    assert moving_fee(bare, PRICE, START, at(10, 1)).amount == Money(32_250)


tiers = st.lists(
    st.builds(Tier, days=st.integers(0, 60), hours=st.integers(0, 48), percent=st.integers(0, 100), fixed_cents=st.integers(0, 50_000)),
    min_size=1, max_size=5,
)  # fmt: skip
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(tiers, st.integers(0, 10_000_000), moments, moments)
def test_a_fee_is_never_negative_never_above_the_price_and_matches_its_boundaries(
    some: list[Tier], cents: int, start: datetime, moment: datetime
) -> None:
    terms, price = PolicyTerms(code="x", name_nl="x", name_en="x", tiers=tuple(some)), Money(cents)
    steps = boundaries(terms, price, start)
    assert [each.until for each in steps] == sorted(each.until for each in steps)
    found = fee(terms, price, start, moment)
    assert Money(0) <= found.amount <= price
    reached = [each for each in steps if moment <= each.until]
    assert found.amount == (reached[0].amount if reached else price)
