"""Which charges share an invoice: every charge on exactly one, sums kept, splits respected, no invoice longer than Stripe takes."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.runs import collect, expected, groups, watch
from billing.runs.groups import Wish
from marketplace.kit import calendar

DEBTORS = [UUID(int=number) for number in range(1, 4)]
_TEXT = st.sampled_from([None, "", "3120", " 3120 ", "A", "b"])


@st.composite
def _items(draw: st.DrawFn) -> list[collect.Item]:
    return [
        collect.Item(
            id=UUID(int=1_000 + number),
            debtor_id=draw(st.sampled_from(DEBTORS)),
            group_key=f"order:{(order := draw(st.integers(1, 4)))}",
            order_number=str(order),
            purchase_order=draw(_TEXT),
            cost_centre=draw(_TEXT),
            department=draw(_TEXT),
            ordered_by=None,
            net_cents=draw(st.integers(0, 100_000)),
            vat_category="S",
            vat_rate=Decimal(21),
            exemption_code=None,
        )
        for number in range(draw(st.integers(0, 40)))
    ]


_WISHES = st.fixed_dictionaries(
    {
        debtor: st.builds(
            Wish, st.sampled_from(["order", "month"]), st.sampled_from(["none", "cost_centre", "purchase_order", "department"])
        )
        for debtor in DEBTORS
    }
)


@settings(max_examples=300)
@given(_items(), _WISHES, st.integers(1, 7))
def test_every_charge_is_in_exactly_one_group(items: list[collect.Item], wishes: dict[UUID, Wish], most: int) -> None:
    planned = groups.plan(items, wishes, most=most)
    assert Counter(item.id for group in planned for item in group.charges) == Counter(item.id for item in items)
    assert sum(collect.sums(group.charges)[0] for group in planned) == sum(item.net_cents for item in items)
    for group in planned:
        wish = wishes[group.debtor_id]
        assert 1 <= len(group.charges) <= most
        assert {item.debtor_id for item in group.charges} == {group.debtor_id}
        assert len({groups.split_value(item, wish.split_by) for item in group.charges}) == 1
        if wish.rhythm == "order":
            assert len({item.group_key for item in group.charges}) == 1


@settings(max_examples=200)
@given(_items(), _WISHES)
def test_no_more_invoices_than_needed(items: list[collect.Item], wishes: dict[UUID, Wish]) -> None:
    planned = groups.plan(items, wishes)
    keys = [
        (
            item.debtor_id,
            item.group_key if wishes[item.debtor_id].rhythm == "order" else "",
            groups.split_value(item, wishes[item.debtor_id].split_by),
        )
        for item in items
    ]
    assert len(planned) == len(set(keys))


@settings(max_examples=100)
@given(_items(), _WISHES)
def test_the_same_charges_give_the_same_groups(items: list[collect.Item], wishes: dict[UUID, Wish]) -> None:
    assert groups.plan(items, wishes) == groups.plan(list(items), dict(wishes))


def test_what_is_too_long_for_one_goes_to_the_next() -> None:
    one = collect.Item(
        id=UUID(int=1), debtor_id=DEBTORS[0], group_key="order:1", order_number="1", purchase_order=None, cost_centre=None,
        department=None, ordered_by=None, net_cents=100, vat_category="E", vat_rate=Decimal(0), exemption_code=None,
    )  # fmt: skip
    items = [msgspec.structs.replace(one, id=UUID(int=number)) for number in range(1, 602)]
    planned = groups.plan(items, {DEBTORS[0]: Wish("month", "none")})
    assert [len(group.charges) for group in planned] == [250, 250, 101]
    assert [(group.part, group.parts) for group in planned] == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("delivered", "by"),
    [
        (date(2026, 12, 31), date(2027, 1, 15)),
        (date(2027, 1, 1), date(2027, 2, 15)),
        (date(2027, 1, 31), date(2027, 2, 15)),
        (date(2028, 2, 29), date(2028, 3, 15)),
        (date(2026, 10, 25), date(2026, 11, 15)),
    ],
)
def test_an_invoice_is_due_by_the_fifteenth_of_the_month_after(delivered: date, by: date) -> None:
    assert watch.invoice_by(delivered) == by


@given(st.dates(date(2026, 1, 1), date(2040, 12, 31)))
def test_the_warning_comes_on_a_working_day_in_time(delivered: date) -> None:
    deadline = watch.invoice_by(delivered)
    told = watch.warn_on(deadline)
    assert calendar.is_working_day(told)
    assert delivered < told < deadline
    assert told.month == deadline.month


@pytest.mark.parametrize(
    ("moment", "rhythm", "on", "month"),
    [
        ("confirmation", "order", date(2026, 12, 20), None),
        ("start", "order", date(2027, 1, 18), None),
        ("delivery", "order", date(2027, 3, 31), None),
        ("confirmation", "month", date(2027, 1, 1), date(2026, 12, 1)),
        ("start", "month", date(2027, 2, 1), date(2027, 1, 1)),
        ("delivery", "month", date(2027, 4, 1), date(2027, 3, 1)),
    ],
)
def test_when_it_will_be_invoiced(moment: str, rhythm: str, on: date, month: date | None) -> None:
    found = expected.expected(
        moment=moment, rhythm=rhythm, stands_on=date(2026, 12, 20), from_on=date(2027, 1, 18), to_on=date(2027, 3, 31)
    )
    assert (found.on, found.month_on) == (on, month)


def test_an_order_that_stands_after_the_start_is_billed_then() -> None:
    found = expected.expected(
        moment="start", rhythm="order", stands_on=date(2027, 1, 20), from_on=date(2027, 1, 18), to_on=date(2027, 3, 31)
    )
    assert found.on == date(2027, 1, 20)
