"""The figures of the finance desk: how old a debt is, what comes in which week, whose money lies with us."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing import credits as credit_notes
from billing import payments
from billing.credits import Credit
from billing.finance import ageing, back, cash, desk
from billing.finance.cash import Flow
from billing.finance.flow import Group, Node, draw
from marketplace.kit import clock as kit_clock
from marketplace.kit import db as kit_db
from marketplace.kit.errors import Forbidden
from tests.builders.billing import a_debtor, an_invoice, number_of

if TYPE_CHECKING:
    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast

asynchronous = pytest.mark.asyncio(loop_scope="session")
TODAY = date(2027, 1, 1)


@pytest.mark.parametrize(
    ("due_on", "place"),
    [
        (date(2027, 1, 2), 0), (date(2027, 1, 1), 0), (date(2026, 12, 31), 1), (date(2026, 12, 2), 1), (date(2026, 12, 1), 2),
        (date(2026, 11, 2), 2), (date(2026, 11, 1), 3), (date(2026, 10, 3), 3), (date(2026, 10, 2), 4), (date(2020, 2, 29), 4),
    ],
)  # fmt: skip
def test_a_debt_is_as_old_as_its_days_over_the_years_end(due_on: date, place: int) -> None:
    assert ageing.bucket(due_on, TODAY) == place


@asynchronous
async def test_the_database_sorts_debts_by_age_as_the_rule_does(db: None, clock: FakeClock) -> None:
    start = clock.now()
    debtor = await a_debtor(terms_days=14)
    for days in (0, 20, 50, 80, 110):
        clock.set(start + timedelta(days=days))
        await an_invoice(debtor, amounts=(10_000 + days,))
    for days in range(100, 240, 7):
        today = kit_clock.today(start + timedelta(days=days))
        expected = [0] * 5
        for row in await kit_db.records("SELECT due_on, total_cents FROM invoice"):
            expected[ageing.bucket(row["due_on"], today)] += row["total_cents"]
        found = await ageing.read(today)
        assert list(found.whole.by_bucket) == expected
        assert [list(one.by_bucket) for one in found.debtors] == ([expected] if sum(expected[1:]) else [])


@asynchronous
async def test_what_is_paid_in_part_is_owed_in_part(db: None, clock: FakeClock, cast: Cast) -> None:
    made = await an_invoice(await a_debtor(), amounts=(10_000,))
    other = await an_invoice(await a_debtor(), amounts=(5_000,))
    now = clock.move(timedelta(days=31))
    await payments.record(made, source="bank", external_id="b1", cents=4_000, method="bank_transfer", received_at=now, now=now)
    await payments.record(other, source="bank", external_id="b2", cents=5_500, method="bank_transfer", received_at=now, now=now)
    third = await an_invoice(await a_debtor(), amounts=(7_000,))
    lines = [(line.id, 6_000) for line in await credit_notes.creditable(third)]
    await credit_notes.credit(Credit(invoice_id=third, lines=lines, reason="Ill", cause="goodwill", key="k"), actor=cast.ecl, now=now)
    found = await desk.read(actor=cast.ecl, now=now)
    assert found.ageing.whole.by_bucket == (1_000, 6_000, 0, 0, 0)
    assert sum(week.due for week in found.expected.weeks) == 1_000
    assert (found.ageing.whole.total.cents, found.ageing.whole.late.cents, found.ageing.late_debtors) == (7_000, 6_000, 1)
    assert found.expected.late == 6_000
    assert found.came_in.cents == 9_500
    assert found.sentence == "One company is late with €60. In the past week €95 came in."
    held = (await back.listed(actor=cast.ecl)).items
    assert [(one.number, one.held_cents, one.left.cents) for one in held] == [(await number_of(other), 500, 500)]
    assert [(one.key, one.count, one.cents) for one in found.waiting] == [("refunds", 1, 500)]
    for outsider in (cast.finance_a, cast.partner_a):
        with pytest.raises(Forbidden):
            await desk.read(actor=outsider, now=now)
        with pytest.raises(Forbidden):
            await back.listed(actor=outsider)


def test_a_payment_on_its_way_counts_this_week_and_late_ones_apart() -> None:
    flows = [
        Flow("due", TODAY - timedelta(days=1), 100), Flow("due", TODAY, 200), Flow("due", date(2027, 1, 4), 300),
        Flow("processing", TODAY - timedelta(days=40), 400), Flow("out", TODAY - timedelta(days=3), 50), Flow("due", date(2027, 6, 1), 600),
    ]  # fmt: skip
    found = cash.by_week(flows, TODAY)
    assert (found.late, found.later, found.month) == (100, 600, 900)
    assert [(week.monday, week.due, week.processing, week.out) for week in found.weeks[:2]] == [
        (date(2026, 12, 28), 200, 400, 50), (date(2027, 1, 4), 300, 0, 0),
    ]  # fmt: skip


@given(
    some.lists(
        some.builds(
            Flow, some.sampled_from(["due", "processing", "out"]), some.dates(date(2026, 1, 1), date(2028, 1, 1)), some.integers(1, 10**9)
        )
    )
)
def test_no_cent_is_lost_between_the_weeks(flows: list[Flow]) -> None:
    found = cash.by_week(flows, TODAY)
    told = found.late + found.later + sum(week.due + week.processing - week.out for week in found.weeks)
    assert told == sum(flow.cents if flow.kind != "out" else -flow.cents for flow in flows)


def test_a_picture_keeps_its_boxes_apart_and_says_them_aloud() -> None:
    many = [Node(key=f"m{n}", title=f"Payment {n}") for n in range(9)]
    found = draw(
        [
            Group(0, 0, "Invoice", [Node(key="i", title="2026-000001", to=("m0", "m1", "gone"))]),
            Group(3, 0, "Money", many),
            Group(3, 1, "Payout", []),
        ]
    )
    assert len(found.boxes) == 6
    assert found.boxes[-1].node.title == "and 5 more"
    assert len({(box.x, box.y) for box in found.boxes}) == 6
    assert len(found.lines) == 2
    assert found.sentence.startswith("Invoice: 2026-000001; Money: Payment 0")
    assert all(box.x + 192 <= found.width and box.y + 56 <= found.height for box in found.boxes)
    assert draw([]).boxes == []
