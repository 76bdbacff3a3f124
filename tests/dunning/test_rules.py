"""The arithmetic of dunning: which level on which day, interest by the day and the rate, costs by slices, when somebody is blocked."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.dunning import blocking, due
from billing.dunning.blocking import Late
from billing.dunning.due import Candidate
from billing.dunning.interest import COST_LEAST, COST_MOST, Rate, collection_costs, interest
from billing.dunning.policy import Limits, Policy

DUE = date(2026, 10, 1)
NOBODY = UUID(int=1)


def an_overdue(last_level: int = 0, last_on: date | None = None, due_on: date = DUE, number: int = 1) -> Candidate:
    return Candidate(
        invoice_id=UUID(int=number), number=f"2026-{number:06d}", debtor_id=NOBODY, company="R", due_on=due_on, open_cents=1, last_level=last_level, last_on=last_on
    )  # fmt: skip


@pytest.mark.parametrize(
    ("last", "last_on", "days", "level"),
    [
        (0, None, 0, None),
        (0, None, 1, 1),
        (0, None, 60, 1),
        (1, 1, 13, None),
        (1, 1, 14, 2),
        (1, 5, 14, None),
        (1, 5, 18, 2),
        (2, 14, 29, None),
        (2, 14, 30, 3),
        (2, 18, 33, None),
        (2, 18, 34, 3),
        (3, 30, 90, None),
    ],
)
def test_one_level_at_a_time_with_time_between(last: int, last_on: int | None, days: int, level: int | None) -> None:
    one = an_overdue(last, DUE + timedelta(days=last_on) if last_on else None)
    assert due.level_due(one, Policy(), today=DUE + timedelta(days=days)) == level


def test_all_of_a_debtor_at_a_level_go_in_one_letter() -> None:
    found = [an_overdue(number=1), an_overdue(number=2), an_overdue(1, DUE + timedelta(days=1), number=3)]
    made = due.grouped(found, Policy(), today=DUE + timedelta(days=20))
    assert [(one.level, [each.number for each in one.invoices]) for one in made] == [
        (1, ["2026-000001", "2026-000002"]),
        (2, ["2026-000003"]),
    ]


def test_the_next_working_day_skips_weekends_and_holidays() -> None:
    assert due.next_working_day(date(2026, 12, 24)) == date(2026, 12, 28)
    assert due.next_working_day(date(2026, 10, 2)) == date(2026, 10, 5)  # Leiden's Relief is a Saturday


RATES = [Rate(from_on=date(2025, 7, 1), percent=Decimal("10.15")), Rate(from_on=date(2026, 7, 1), percent=Decimal("10.50"))]


def test_interest_runs_from_the_day_after_and_changes_with_the_rate() -> None:
    found = interest(100_000, due_on=date(2026, 6, 20), until_on=date(2026, 7, 10), rates=RATES)
    assert [(one.from_on, one.until_on, one.percent, one.cents) for one in found] == [
        (date(2026, 6, 21), date(2026, 6, 30), Decimal("10.15"), 278),
        (date(2026, 7, 1), date(2026, 7, 10), Decimal("10.50"), 288),
    ]


def test_after_a_year_its_interest_bears_interest() -> None:
    found = interest(100_000, due_on=date(2025, 6, 30), until_on=date(2026, 7, 1), rates=[RATES[0]])
    assert [(one.base_cents, one.cents) for one in found] == [(100_000, 10_150), (110_150, 31)]


def test_a_leap_day_and_an_unknown_rate_break_nothing() -> None:
    assert interest(100_000, due_on=date(2028, 2, 28), until_on=date(2030, 3, 2), rates=RATES)
    assert interest(100_000, due_on=date(2020, 1, 1), until_on=date(2020, 2, 1), rates=RATES) == []
    assert interest(100_000, due_on=DUE, until_on=DUE, rates=RATES) == []


@given(st.integers(1, 10**9), st.integers(1, 1_500))
@settings(max_examples=100, deadline=None)
def test_stretches_touch_and_never_overlap(cents: int, days: int) -> None:
    found = interest(cents, due_on=DUE, until_on=DUE + timedelta(days=days), rates=RATES)
    assert sum((one.until_on - one.from_on).days + 1 for one in found) == days
    assert found[0].from_on == DUE + timedelta(days=1)
    assert all(one.until_on + timedelta(days=1) == other.from_on for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("claim", "costs"), [(0, 0), (1, 4_000), (26_666, 4_000), (100_000, 15_000), (250_000, 37_500), (500_000, 62_500), (10**10, COST_MOST)]
)
def test_collection_costs_by_slices(claim: int, costs: int) -> None:
    assert collection_costs(claim) == costs
    assert COST_LEAST == 4_000


LATE = Late(cents=50_000, oldest_on=DUE, number="2026-000001")


@pytest.mark.parametrize(
    ("policy", "own", "days", "blocks"),
    [
        (Policy(block_after_days=44), None, 44, False),
        (Policy(block_after_days=44), None, 45, True),
        (Policy(block_after_days=None), None, 400, False),
        (Policy(block_after_days=None, block_over_cents=50_000), None, 1, False),
        (Policy(block_after_days=None, block_over_cents=49_999), None, 1, True),
        (Policy(block_after_days=1), Limits(never_blocks=True), 400, False),
        (Policy(block_after_days=1), Limits(block_after_days=90), 90, False),
        (Policy(block_after_days=1), Limits(block_after_days=90), 91, True),
        (Policy(block_after_days=1), Limits(), 400, False),
    ],
)
def test_when_a_debtor_is_blocked(policy: Policy, own: Limits | None, days: int, blocks: bool) -> None:
    found = blocking.judge(LATE, policy, own, today=DUE + timedelta(days=days))
    assert (found is not None) is blocks
    assert blocking.judge(None, policy, own, today=DUE) is None
